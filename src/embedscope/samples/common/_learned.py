"""What a map learns from, where it is not what the samples show.

Deep features or measurements then make the neighbour graph, and the encoder reads them. The
pictures are shown and decoded all the same.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from embedscope._errors import InvalidInputError
from embedscope.samples.common._checks import finite_rows
from embedscope.samples.common._extracting import Extraction, Extractor, Report, check_same, name_of
from embedscope.samples.common._standardising import Numbers, standardise

if TYPE_CHECKING:
    from embedscope.samples.common._samples import Samples

COLUMNS, ARRAY, FUNCTION = "columns", "array", "function"


class Learned:
    """The values that a map of some samples learns from; see `Samples.learning_from`.

    Parameters
    ----------
    kind : {"columns", "array", "function"}
        Columns of the features, an array, or what a function computes of each sample.
    name : str
        Name of the function; "" for the others.
    names : tuple of str
        Name of each value; empty until a function has computed them.
    values : ndarray of shape (n_samples, n_values), float32 or float64, or None
        The values as given; None for a function that has not computed them yet. Rows of a function
        may hold NaN or infinite values until `with_computed` leaves these samples out.
    extractor : callable or None
        The function; None in a session that was opened without it.
    is_standardised : bool
        Whether each value is scaled to mean 0 and standard deviation 1.
    scale : tuple of two tuples of float, or None
        Mean and standard deviation of each value that become 0 and 1; measured if None.
    """

    def __init__(
        self,
        kind: str,
        *,
        name: str = "",
        names: tuple[str, ...] = (),
        values: npt.NDArray[Any] | None = None,
        extractor: Extractor | None = None,
        is_standardised: bool = False,
        scale: tuple[Numbers, Numbers] | None = None,
    ) -> None:
        self.kind, self.name, self.names = kind, name, names
        self.extractor, self.is_standardised = extractor, is_standardised
        self._values, self._scale = values, scale
        self._computing = threading.Lock()
        self._extraction = None if extractor is None else Extraction(extractor)

    @property
    def values(self) -> npt.NDArray[Any] | None:
        """The values as given, shape (n_samples, n_values); None if they are not computed yet."""
        return self._values

    @property
    def scale(self) -> tuple[Numbers, Numbers] | None:
        """Mean and standard deviation of each value; None if not standardised, or not measured."""
        if self._scale is None and self.is_standardised and self._values is not None:
            finite = self._values[finite_rows(self._values)]
            self._scale = standardise(np.asarray(finite, np.float64))[1:]
        return self._scale

    @property
    def text(self) -> str:
        """What is learned from, as text."""
        if self.kind == FUNCTION:
            return f"what {self.name} computes"
        if self.kind == ARRAY:
            return f"an array of {len(self.names)} values"
        return ", ".join(self.names)

    def __len__(self) -> int:
        return 0 if self._values is None else len(self._values)

    def compute(self, samples: Samples, report: Report) -> npt.NDArray[Any]:
        """The values as given; a function computes them at the first call, which may take long.

        Parameters
        ----------
        samples : Samples
            Those that this belongs to.
        report : callable
            Called with the share that is done, 0..1; may raise to stop. A later call goes on there.

        Raises
        ------
        InvalidInputError
            If the function fails, or is not there.
        """
        with self._computing:
            if self._values is None:
                if self._extraction is None:
                    raise self._without_extractor()
                values = self._extraction.run(samples, report)
                self.names = _numbered(self.name, values.shape[1])
                self._values, self._extraction = values, None
            return self._values

    def inputs(self, samples: Samples, rows: Any, report: Report) -> npt.NDArray[np.float32]:
        """What the encoder reads of some samples, shape (k, n_values), float32."""
        values = self.compute(samples, report)[rows]
        if not self.is_standardised:
            return np.asarray(values, np.float32)
        assert self.scale is not None
        standardised, _, _ = standardise(values.astype(np.float64), *self.scale)
        return standardised

    # -- of other samples ----------------------------------------------------------------------

    def take(self, rows: Any) -> Learned:
        """That of some of the samples, with the scale of all."""
        return self._with(None if self._values is None else self._values[rows], self.scale)

    def afresh(self) -> Learned:
        """To be computed again, since the pictures changed, if a function computes it.

        Raises
        ------
        InvalidInputError
            If the function is not there.
        """
        if self.kind != FUNCTION:
            return self
        if self.extractor is None:
            raise self._without_extractor()
        return self._with(None, None)

    def of_new(self, samples: Samples, given: Any) -> tuple[Learned, npt.NDArray[np.bool_]]:
        """That of new samples, on the same scale, and which of them have finite values.

        Parameters
        ----------
        samples : Samples
            Made in the same way.
        given : array, DataFrame or None
            The values, if they are neither features of the samples nor computed.

        Raises
        ------
        InvalidInputError
            If they are missing, or do not fit.
        """
        from embedscope.samples.common._learning import finite_values, values_of_array

        if self.kind == FUNCTION:
            if given is not None:
                raise InvalidInputError(
                    f"learned must be None where {self.name} computes it; got an array. Leave it "
                    "out."
                )
            if self.extractor is None:
                raise self._without_extractor()
            return self._with(None, self.scale), np.ones(len(samples), bool)
        frame = samples.features if given is None and self.kind == COLUMNS else given
        if frame is None:
            raise InvalidInputError(
                f"learned must be an array of {len(self.names)} values for each sample, since "
                "these samples learn from one; got None. Give it to same_way as learned=..., in "
                "the order of the new samples."
            )
        missing = [name for name in self.names if name not in getattr(frame, "columns", self.names)]
        if missing:
            raise InvalidInputError(
                f"the new samples must have the features that the map learned from; got none of "
                f"the name {', '.join(map(repr, missing))}. Give them to same_way as learned=..., "
                "an array or a table with a row for each new sample."
            )
        if hasattr(frame, "columns"):
            frame = frame[list(self.names)]
        values, _ = values_of_array(frame, len(samples), "learned")
        if values.shape[1] != len(self.names):
            raise InvalidInputError(
                f"learned must have the {len(self.names)} columns that the map learned from; got "
                f"{values.shape[1]}. Compute them in the same way."
            )
        kept = finite_values(values, "learned")
        return self._with(values[kept], self.scale), kept

    def check_parts(self) -> None:
        """Raise unless the values of new samples can be computed from their pictures alone."""
        if self.kind != FUNCTION:
            raise InvalidInputError(
                f"samples must be made whole by same_way, since they learn from {self.text}; got a "
                "call of parts_same_way. Use same_way."
            )
        if self.extractor is None:
            raise self._without_extractor()

    def with_extractor(self, extractor: Extractor, samples: Samples) -> Learned:
        """The same with the function that computed it, which is checked.

        Raises
        ------
        InvalidInputError
            If nothing was computed by a function, or by another one.
        """
        if self.kind != FUNCTION or self._values is None:
            raise InvalidInputError(
                f"extractor must be given to samples whose features a function computed; got those "
                f"that learn from {self.text}. Use Samples.learning_from."
            )
        if not callable(extractor):
            raise InvalidInputError(
                f"extractor must be a function of samples; got {type(extractor).__name__}. Give "
                f"{self.name}, with which the map was trained."
            )
        check_same(extractor, samples, self._values, self.name)
        made = self._with(self._values, self._scale)
        made.extractor = extractor
        return made

    def _with(
        self, values: npt.NDArray[Any] | None, scale: tuple[Numbers, Numbers] | None
    ) -> Learned:
        return Learned(
            self.kind,
            name=self.name,
            names=self.names,
            values=values,
            extractor=self.extractor,
            is_standardised=self.is_standardised,
            scale=scale,
        )

    def _without_extractor(self) -> InvalidInputError:
        return InvalidInputError(
            f"new samples must have the features that {self.name} computed for the map; got no "
            "such function, since a session keeps its results alone. Give it to attach_extractor "
            "of the explorer, or to Samples.with_extractor."
        )


def from_function(extractor: Extractor, *, is_standardised: bool) -> Learned:
    """What a function will compute of the samples."""
    return Learned(
        FUNCTION, name=name_of(extractor), extractor=extractor, is_standardised=is_standardised
    )


def join_learned(parts: list[Samples], *, are_pictures_scaled_again: bool) -> Learned | None:
    """What joined samples learn from; the parts must learn from the same.

    Parameters
    ----------
    parts : list of Samples
    are_pictures_scaled_again : bool
        Whether the joined pictures differ from those of the parts.
    """
    held = [part.learned for part in parts if part.learned is not None]
    if not held:
        return None
    first = held[0]
    if first.kind == FUNCTION and are_pictures_scaled_again:
        return first.afresh()
    if all(each.values is None for each in held):
        return first.take(slice(None))
    values = np.concatenate(
        [each.compute(part, _unheard) for each, part in zip(held, parts, strict=True)]
    )
    return first._with(values, first.scale if share_learned_scale(parts) else None)


def share_learned_scale(parts: Sequence[Samples]) -> bool:
    """Whether the values to learn from are standardised by the same numbers, or not at all."""
    return len({None if part.learned is None else part.learned.scale for part in parts}) == 1


def what_is_learned(samples: Samples) -> tuple[Any, ...] | None:
    """What has to be equal for samples to be joined."""
    learned = samples.learned
    if learned is None:
        return None
    if learned.kind == FUNCTION:
        return (learned.kind, learned.name, learned.extractor, learned.is_standardised)
    names = learned.names if learned.kind == COLUMNS else len(learned.names)
    return (learned.kind, names, learned.is_standardised)


def _numbered(name: str, n_values: int) -> tuple[str, ...]:
    return tuple(f"{name} {number}" for number in range(n_values))


def _unheard(share: float) -> None:
    """Progress that nobody sees."""
