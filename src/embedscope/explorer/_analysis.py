"""What can be asked of a trained map: where new samples lie, how new they are, what drives them."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from embedscope.explorer._novelty import LEAST_SAMPLES, Novelty

if TYPE_CHECKING:
    from embedscope.explorer._explanation import Explanation
    from embedscope.samples import Samples
    from embedscope.training import TrainedMap


class MapAnalysis:
    """A trained map and what is computed from it when it is first asked for.

    Parameters
    ----------
    model : TrainedMap
    novelty_arrays : mapping of str to ndarray, optional
        What `Novelty.to_arrays` gave, from a session; learned from the training samples otherwise.
    """

    def __init__(
        self, model: TrainedMap, novelty_arrays: Mapping[str, npt.NDArray[Any]] | None = None
    ) -> None:
        self.model = model
        self._stored = novelty_arrays
        self._learning = threading.Lock()

    def prepare(self) -> None:
        """Learn what the training samples are like while nobody waits: it takes seconds."""
        threading.Thread(
            target=lambda: self._novelty, name="embedscope novelty", daemon=True
        ).start()

    @property
    def _novelty(self) -> Novelty | None:
        with self._learning:
            return self._learned

    @cached_property
    def _learned(self) -> Novelty | None:
        """What the training samples are like; None if they are too few to say."""
        if self._stored is not None:  # a session without it has samples too few, or no pictures
            return Novelty.from_arrays(self._stored) if self._stored else None
        if len(self.model.samples) < LEAST_SAMPLES:
            return None
        return Novelty.fit(self.model.samples.X)

    def novelty_arrays(self) -> dict[str, npt.NDArray[Any]]:
        """What judges new samples, as plain arrays for a session; empty if nothing does."""
        novelty = self._novelty
        return {} if novelty is None else novelty.to_arrays()

    def draw(self, points: npt.NDArray[Any]) -> npt.NDArray[np.float32] | None:
        """What the decoder draws at places of the map; None without a decoder."""
        if self.model.estimator.decoder_ is None:
            return None
        return np.asarray(self.model.estimator.inverse_transform(points))

    def embed(self, samples: Samples) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Places of new samples, shape (n, 2), and how unlike the training samples they are.

        NaN for the latter where the training samples are too few to say.
        """
        values, novelty = samples.X, self._novelty
        positions = np.asarray(self.model.estimator.transform(values), dtype=np.float32)
        if novelty is None:
            return positions, np.full(len(values), np.nan, dtype=np.float32)
        return positions, novelty.score(values)

    def explain(self, samples: Samples, rows: npt.NDArray[np.int64]) -> Explanation:
        """What drives the places of some samples."""
        from embedscope.explorer._explanation import explain

        return explain(self.model.estimator, samples, rows, self._spread)

    @cached_property
    def _spread(self) -> npt.NDArray[np.float32]:
        from embedscope.explorer._explanation import measure_spread

        return measure_spread(self.model.samples)
