"""From columns, an array or a function to what a map learns from, checked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from embedscope._errors import InvalidInputError
from embedscope._wording import counted
from embedscope.samples.common._checks import finite_rows
from embedscope.samples.common._column_names import checked_columns
from embedscope.samples.common._extracting import Report
from embedscope.samples.common._learned import ARRAY, COLUMNS, FUNCTION, Learned, from_function

if TYPE_CHECKING:
    import pandas as pd

    from embedscope.samples.common._samples import Samples, SamplesPart

_MOST_SHOWN = 5


def choose_learned(
    samples: Samples, what: Any, is_standardised: bool | None
) -> tuple[Learned, npt.NDArray[np.bool_]]:
    """What is learned from, and which of the samples have finite values; see `learning_from`."""
    if callable(what):
        made = from_function(what, is_standardised=bool(is_standardised))
        return made, np.ones(len(samples), bool)
    if names_columns(what):
        names = checked_columns(
            samples.features, what, parameter="what", of="features of the samples"
        )
        values, kind = _numbers(samples.features[list(names)]), COLUMNS
        default = True  # columns have units of their own
    else:
        values, names = values_of_array(what, len(samples), "what")
        kind, default = ARRAY, False
    kept = finite_values(values, "what")
    chosen = default if is_standardised is None else is_standardised
    return Learned(kind, names=names, values=values[kept], is_standardised=chosen), kept


def with_learned(samples: Samples, learned: Learned, kept: npt.NDArray[np.bool_]) -> Samples:
    """The samples that have finite values to learn from; `learned` is of these."""
    from embedscope.samples.common._samples import LeftOut

    if kept.all():
        return replace(samples, learned=learned)
    lost = samples.identities.label[~kept]
    shown = ", ".join(map(str, lost[:_MOST_SHOWN])) + (", ..." if len(lost) > _MOST_SHOWN else "")
    lacking = "missing or infinite values to learn from"
    if learned.kind == FUNCTION:
        lacking = f"{learned.name} computes no finite numbers"
    reason = f"{lacking} (labels {shown})"
    left_out = (*samples.left_out, LeftOut(counted(len(lost), "sample"), reason))
    chosen = replace(samples, learned=None).subset(kept)
    return replace(chosen, learned=learned, left_out=left_out)


def with_computed(samples: Samples, report: Report = lambda share: None) -> Samples:
    """The samples for which a function computes finite numbers, if they learn from a function.

    The others are in `left_out`. The function is called at the first time, which may take long.

    Parameters
    ----------
    samples : Samples
        Those that learn from something else than a function are returned as they are.
    report : callable
        Called with the share that is done, 0..1; may raise to stop. A later call goes on there.

    Raises
    ------
    InvalidInputError
        If the function fails, or gives finite numbers for no sample.
    """
    learned = samples.learned
    if learned is None or learned.kind != FUNCTION:
        return samples
    kept = finite_rows(learned.compute(samples, report))
    if kept.all():
        return samples
    if not kept.any():
        raise InvalidInputError(
            f"{learned.name} must return finite numbers; got NaN or infinite values for every "
            "sample. Correct the function, which you can try on samples.inputs([0])."
        )
    return with_learned(samples, learned.take(kept), kept)


def taught_like(known: Samples, made: Samples, given: Any = None) -> Samples:
    """New samples that learn from the same as the known ones; see `Learned.of_new`."""
    if known.learned is not None:
        return with_learned(made, *known.learned.of_new(made, given))
    if given is not None:
        raise InvalidInputError(
            "learned must be None for samples that learn from what they show; got an array. Leave "
            "it out, or call learning_from first."
        )
    return made


def parts_taught_like(
    known: Samples, parts: Iterator[Callable[[], SamplesPart]]
) -> Iterator[Callable[[], SamplesPart]]:
    """Parts of new samples that learn from the same as the known ones."""

    def taught(part: Callable[[], SamplesPart]) -> SamplesPart:
        made = part()
        if made.samples is None:
            return made
        return made._replace(samples=taught_like(known, made.samples))

    return (partial(taught, part) for part in parts)


def names_columns(what: Any) -> bool:
    """Whether these are names of columns, and no rows of values."""
    if isinstance(what, str):
        return True
    is_list = isinstance(what, Sequence) or getattr(what, "ndim", 0) == 1  # also df.columns
    return is_list and all(isinstance(each, str) for each in what)


def values_of_array(
    given: Any, n_samples: int, parameter: str
) -> tuple[npt.NDArray[Any], tuple[str, ...]]:
    """An array or a table with a row for each sample, and the names of its columns.

    Raises
    ------
    InvalidInputError
        If it is no such array.
    """
    names: tuple[str, ...] | None = None
    if hasattr(given, "columns"):
        named = given.set_axis([str(name) for name in given.columns], axis=1)
        names = checked_columns(
            named, list(named.columns), parameter=parameter, of="columns of the table"
        )
        values = _numbers(named)
    else:
        array = given.toarray() if hasattr(given, "toarray") else np.asarray(given)
        values = array if array.dtype.kind == "f" and array.itemsize <= 4 else _as_floats(array)
    if values.ndim != 2 or values.dtype.kind != "f" or not values.shape[1]:
        raise InvalidInputError(
            f"{parameter} must be names of features, an array of numbers of shape ({n_samples}, "
            f"n_values), or a function; got {values.dtype} of shape {values.shape}. Give a row for "
            "each sample."
        )
    if len(values) != n_samples:
        raise InvalidInputError(
            f"{parameter} must have a row for each of the {n_samples:,} samples, in their order; "
            f"got {len(values):,}. Leave out the rows of what is not among the samples: see "
            "left_out and identities."
        )
    return values, names or tuple(f"value {number}" for number in range(values.shape[1]))


def finite_values(values: npt.NDArray[Any], parameter: str) -> npt.NDArray[np.bool_]:
    """Which rows are finite.

    Raises
    ------
    InvalidInputError
        If none is.
    """
    kept = finite_rows(values)
    if not kept.any():
        raise InvalidInputError(
            f"{parameter} must hold a sample without missing values; got NaN or infinite values "
            "for every sample. Leave out the columns that hold them."
        )
    return kept


def _numbers(frame: pd.DataFrame) -> npt.NDArray[np.float64]:
    columns = [frame[name].to_numpy(dtype=np.float64, na_value=np.nan) for name in frame.columns]
    return np.column_stack(columns)


def _as_floats(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return array.astype(np.float64) if array.dtype.kind in "fiub" else array
