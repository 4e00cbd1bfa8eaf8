"""The selection: a frozen set of rows with its origin, and how selections combine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from embedscope._errors import InvalidInputError

MODES = ("replace", "add", "subtract", "invert")


@dataclass(frozen=True, eq=False)
class Selection:
    """Selected samples, as rows of the present samples.

    Attributes
    ----------
    rows : ndarray of shape (n_selected,), int64
        Sorted, each once, read-only.
    revision : int
        Counts the changes, so that a view can drop a late report.
    origin : str
        Name of the view that changed it. A view ignores its own changes, which would otherwise
        come back to it.

    Raises
    ------
    InvalidInputError
        If the rows are not whole numbers of at least 0.
    """

    rows: npt.NDArray[np.int64]
    revision: int = 0
    origin: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "rows", _sorted_rows(self.rows))

    def __len__(self) -> int:
        return len(self.rows)

    @classmethod
    def of_mask(cls, mask: npt.NDArray[np.bool_], revision: int = 0, origin: str = "") -> Selection:
        """The selection of the samples where `mask`, of shape (n_samples,), is True."""
        return cls(np.flatnonzero(mask), revision, origin)

    def mask(self, n_samples: int) -> npt.NDArray[np.bool_]:
        """Which of `n_samples` samples are selected.

        Parameters
        ----------
        n_samples : int

        Returns
        -------
        ndarray of shape (n_samples,), bool

        Raises
        ------
        InvalidInputError
            If a selected row does not exist.
        """
        return mask_of_rows(self.rows, n_samples)


def mask_of_rows(rows: npt.ArrayLike, n_samples: int) -> npt.NDArray[np.bool_]:
    """A mask of shape (n_samples,) that is True at the given rows.

    Raises
    ------
    InvalidInputError
        If a row is not a whole number in [0, n_samples).
    """
    chosen = _sorted_rows(rows)
    if len(chosen) and chosen[-1] >= n_samples:
        raise InvalidInputError(
            f"rows must be in [0, {n_samples}); got {chosen[-1]}. Select among the present samples."
        )
    mask = np.zeros(n_samples, dtype=np.bool_)
    mask[chosen] = True
    return mask


def combine(
    current: npt.NDArray[np.bool_], hits: npt.NDArray[np.bool_], mode: str
) -> npt.NDArray[np.bool_]:
    """The selection after a gesture that hit some samples.

    Parameters
    ----------
    current : ndarray of shape (n_samples,), bool
        The selection before.
    hits : ndarray of shape (n_samples,), bool
        The samples in the gesture: a lasso, a click, or a list of ids.
    mode : {"replace", "add", "subtract", "invert"}
        "replace" selects only the hits; "invert" toggles them and leaves the rest.

    Returns
    -------
    ndarray of shape (n_samples,), bool
        A new array.

    Raises
    ------
    InvalidInputError
        If the mode is none of these.
    """
    if mode == "replace":
        return hits.copy()
    if mode == "add":
        return current | hits
    if mode == "subtract":
        return current & ~hits
    if mode == "invert":
        return current ^ hits
    raise InvalidInputError(
        f"mode must be one of {', '.join(MODES)}; got {mode!r}. Use 'replace' for a new selection."
    )


def _sorted_rows(rows: Any) -> npt.NDArray[np.int64]:
    given = np.asarray(rows)
    if given.size == 0:
        given = given.astype(np.int64)  # an empty list is float64 to numpy
    if given.ndim != 1 or given.dtype.kind not in "iu":
        raise InvalidInputError(
            f"rows must be a sequence of whole numbers; got an array of {given.dtype} of shape "
            f"{given.shape}. Turn a mask into rows with numpy.flatnonzero."
        )
    # Rows from a mask are sorted already, and sorting takes most of the time.
    unique = given.copy() if (given[1:] > given[:-1]).all() else np.unique(given)
    for row in (*unique[:1], *unique[-1:]):
        if not 0 <= row <= np.iinfo(np.int64).max:
            raise InvalidInputError(
                f"rows must be in 0..2**63 - 1; got {row}. Rows that were not found are -1: leave "
                "them out."
            )
    unique = unique.astype(np.int64)
    unique.setflags(write=False)
    return unique
