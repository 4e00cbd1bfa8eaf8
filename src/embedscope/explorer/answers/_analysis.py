"""A trained map with its answers: positions, decoded samples, their spread, explanations."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from embedscope.explorer.answers._held_out import find_held_out
from embedscope.explorer.answers._novelty import LEAST_SAMPLES, Novelty
from embedscope.explorer.answers._orientation import Orientation
from embedscope.explorer.answers._spread import MapSpread
from embedscope.samples.common import finite_rows
from embedscope.training import SourceTold

if TYPE_CHECKING:
    from embedscope.explorer.answers._explanation import Explanation
    from embedscope.samples import SampleId, Samples
    from embedscope.training import TrainedMap

_AT_HOME = 1e-3  # as a share of the map's width: less than a pixel of a screen
_BLENDING_DECODER = "exemplar_decoder"  # its name in sessions of earlier versions


class MapAnalysis:
    """A trained map, and answers that are computed at their first use.

    Parameters
    ----------
    model : TrainedMap
    novelty_arrays : mapping of str to ndarray, optional
        Result of `Novelty.to_arrays`, from a session; by default learned from the training samples.
    """

    def __init__(
        self, model: TrainedMap, novelty_arrays: Mapping[str, npt.NDArray[Any]] | None = None
    ) -> None:
        self.model = model
        self._stored = novelty_arrays
        self._learning = threading.Lock()
        self._codes: dict[SampleId, npt.NDArray[np.float32]] = {}

    def prepare(self) -> None:
        """Fit the novelty in a worker thread ahead of its use: it takes seconds."""
        threading.Thread(target=self._learn, name="embedscope novelty", daemon=True).start()

    def _learn(self) -> None:
        if self.spread is not None and self.model.samples.is_image:
            _ = self.spread.white  # fast, and a click on the map may need it
        _ = self._novelty

    @property
    def _novelty(self) -> Novelty | None:
        with self._learning:
            return self._learned

    @cached_property
    def _learned(self) -> Novelty | None:
        """The fitted novelty; None if the training samples are too few."""
        if self._stored is not None:  # empty in a session with too few samples, or without pictures
            return Novelty.from_arrays(self._stored) if self._stored else None
        if len(self.model.samples) < LEAST_SAMPLES:
            return None
        return Novelty.fit(self._upright(self.model.samples.encoder_inputs()))

    def novelty_arrays(self) -> dict[str, npt.NDArray[Any]]:
        """The fitted novelty as plain arrays for a session; empty if there is none."""
        novelty = self._novelty
        return {} if novelty is None else novelty.to_arrays()

    @cached_property
    def source_told(self) -> SourceTold | None:
        """How well neighbours on the map tell the source; None for samples of one source."""
        model = self.model
        return SourceTold.of_map(model.samples, model.embedding, model.parameters.alike)

    # -- decoding ----------------------------------------------------------------------------------

    @property
    def has_style(self) -> bool:
        """Whether the decoder takes style codes; maps of earlier versions have none."""
        estimator = self.model.estimator
        has_codes = getattr(estimator, "style_encoder_", None) is not None
        return has_codes and estimator.decoder_ is not None

    @property
    def blends_stored_samples(self) -> bool:
        """Whether the decoder is of an earlier version: it blends samples and was not trained."""
        decoder = self.model.estimator.decoder_
        named_so = getattr(decoder, "name", "") == _BLENDING_DECODER
        return named_so and not decoder.trainable_variables

    def draw(
        self, points: npt.NDArray[Any], codes: npt.NDArray[np.float32] | None = None
    ) -> npt.NDArray[np.float32] | None:
        """Decode points of the map; None without a decoder.

        `codes` are style codes, shape (n_points, n_style_components); without them, typical samples
        are decoded.
        """
        estimator: Any = self.model.estimator
        if estimator.decoder_ is None:
            return None
        if codes is None:
            return np.asarray(estimator.inverse_transform(points))
        return np.asarray(estimator.inverse_transform(points, style=codes))

    @cached_property
    def orientation(self) -> Orientation | None:
        """How samples lie, if decoded pictures are upright; None if they lie as samples do."""
        return Orientation.of(self.model.estimator)

    @property
    def can_turn(self) -> bool:
        """Whether decoded pictures are upright, and so can be turned."""
        return self.model.estimator.decoder_ is not None and self.orientation is not None

    def as_samples_lie(
        self, drawn: npt.NDArray[np.float32], values: npt.NDArray[np.float32]
    ) -> npt.NDArray[np.float32]:
        """Decoded samples, each turned as the sample with these values lies."""
        orientation = self.orientation
        return drawn if orientation is None else orientation.as_samples_lie(drawn, values)

    def _upright(self, values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Samples as the map compares them."""
        return values if self.orientation is None else self.orientation.upright(values)

    @cached_property
    def spread(self) -> MapSpread | None:
        """The spread of unseen samples around decoded ones; None if nothing was held out."""
        estimator: Any = self.model.estimator
        if estimator.decoder_ is None or getattr(estimator, "spread_decoder_", None) is None:
            return None
        return MapSpread(estimator.inverse_std, self.model.embedding)

    def find_places(self, samples: Samples, rows: Any) -> npt.NDArray[np.float32]:
        """Positions of some samples on the map, shape (n, 2)."""
        values = samples.encoder_inputs(rows)
        return np.asarray(self.model.estimator.transform(values), dtype=np.float32)

    def find_codes(self, samples: Samples, rows: Any) -> npt.NDArray[np.float32]:
        """Style codes of some samples, shape (n, n_style_components)."""
        estimator: Any = self.model.estimator
        read = [samples.encoder_inputs(rows)]
        if samples.learned is not None:
            read.append(samples.inputs(rows))
        return np.asarray(estimator.style(*read), dtype=np.float32)

    def code_of(self, samples: Samples, row: int) -> npt.NDArray[np.float32]:
        """Style code of one explored sample, cached."""
        identity = samples.identities[row]
        if identity not in self._codes:
            self._codes[identity] = self.find_codes(samples, [row])[0]
        return self._codes[identity]

    @cached_property
    def at_home(self) -> float:
        """Up to this distance, in map units, a point counts as the position of a sample."""
        extent = self.model.embedding.max(axis=0) - self.model.embedding.min(axis=0)
        return _AT_HOME * float(extent.max())

    @cached_property
    def held_out(self) -> npt.NDArray[np.bool_]:
        """Which training samples were held out from the fit of the decoder, shape (n_samples,)."""
        return find_held_out(self.model)

    @cached_property
    def mean_error(self) -> float:
        """Mean squared error of the mean training sample as reconstruction of all of them."""
        return float(np.square(self._deviations, dtype=np.float64).mean())

    # -- new samples, explanations -----------------------------------------------------------------

    def embed(self, samples: Samples) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Positions of new samples, shape (n, 2), and their out-of-distribution scores.

        The scores are NaN if the training samples are too few. Both are NaN for samples for which
        a function computes no finite numbers.
        """
        values, novelty = samples.encoder_inputs(), self._novelty
        positions = np.full((len(values), 2), np.nan, dtype=np.float32)
        scores = np.full(len(values), np.nan, dtype=np.float32)
        finite = finite_rows(values)
        if not finite.all():
            values = values[finite]
        if len(values):
            positions[finite] = self.model.estimator.transform(values)
            if novelty is not None:
                scores[finite] = novelty.score(self._upright(values))
        return positions, scores

    def explain(self, samples: Samples, rows: npt.NDArray[np.int64]) -> Explanation:
        """What drives the positions of some samples."""
        from embedscope.explorer.answers._explanation import explain

        return explain(self.model.estimator, samples, rows, self._read_spread)

    @cached_property
    def _deviations(self) -> npt.NDArray[np.float32]:
        """Standard deviations of what is decoded."""
        from embedscope.explorer.answers._explanation import measure_spread

        return measure_spread(self.model.samples.learning_from(None))

    @cached_property
    def _read_spread(self) -> npt.NDArray[np.float32]:
        """Standard deviations of what the encoder reads."""
        from embedscope.explorer.answers._explanation import measure_spread

        samples = self.model.samples
        return self._deviations if samples.learned is None else measure_spread(samples)
