"""Check that samples are finite numbers that float32 can compute with; the error names the rows."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy import sparse

from embedscope._errors import InvalidInputError

LARGEST_VALUE = 1e32  # sums of its neighbours' distances still fit in float32

_MOST_NAMED = 10  # rows in a message


@dataclass
class FiniteCheck:
    """Collects what is wrong in blocks of rows, so that one error names all of it.

    Attributes
    ----------
    name : str
        Name of the array in the error.
    """

    name: str
    _n_nan: int = 0
    _n_infinite: int = 0
    _largest: float = 0.0
    _rows: list[np.ndarray] = field(default_factory=list)

    def add(
        self, flat: np.ndarray | sparse.csr_matrix, index: np.ndarray | slice | None = None
    ) -> None:
        """Look at a block of float32 rows.

        Parameters
        ----------
        flat : ndarray or csr_matrix of shape (n_rows, n_features), float32
        index : ndarray of shape (n_rows,), slice or None
            Which rows of the array they are; by default the first ones.
        """
        values = flat if isinstance(flat, np.ndarray) else np.asarray(flat.data)
        largest = max(values.max(initial=0.0), -values.min(initial=0.0))
        if largest <= LARGEST_VALUE:  # not so if any value is NaN
            return
        self._n_nan += int(np.isnan(values).sum())
        self._n_infinite += int(np.isinf(values).sum())
        self._largest = max(self._largest, float(largest))
        if isinstance(flat, np.ndarray):
            bad = np.flatnonzero(~np.isfinite(flat).all(axis=1))
        else:
            row_of = np.repeat(np.arange(flat.shape[0]), np.diff(flat.indptr))
            bad = np.unique(row_of[~np.isfinite(values)])
        if isinstance(index, slice):
            bad = bad + index.start
        self._rows.append(index[bad] if isinstance(index, np.ndarray) else bad)

    def finish(self) -> None:
        """Raise if anything was wrong.

        Raises
        ------
        InvalidInputError
            With the number of such values and the rows that hold them.
        """
        if not self._rows:
            return
        rule = f"{self.name} must be finite numbers of at most {LARGEST_VALUE:g}"
        if not self._n_nan and not self._n_infinite:
            raise InvalidInputError(f"{rule}; got {self._largest:g}. Give it in larger units.")
        rows = np.unique(np.concatenate(self._rows))
        named = ", ".join(map(str, rows[:_MOST_NAMED]))
        more = f" and {len(rows) - _MOST_NAMED} more" if len(rows) > _MOST_NAMED else ""
        raise InvalidInputError(
            f"{rule}; got {self._n_nan} NaN and {self._n_infinite} infinity values (in float32, "
            f"which ends at 3e38) in row {named}{more}. Drop those rows, or fill them with "
            "sklearn.impute.SimpleImputer; give huge numbers in larger units."
        )


def check_finite(
    flat: np.ndarray | sparse.csr_matrix, name: str, index: np.ndarray | slice | None = None
) -> None:
    """Raise unless all values are finite and small enough; the arguments are those of `add`."""
    check = FiniteCheck(name)
    check.add(flat, index)
    check.finish()
