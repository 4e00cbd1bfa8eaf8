"""One image of many TIFF files, each a time point, read one file at a time."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

_NUMBER = re.compile(r"\d+")


class Stack:
    """The files of a pattern as one array, time first.

    Parameters
    ----------
    pattern : str
        A path with ``*`` in the name of the file, such as ``"01_GT/TRA/man_track*.tif"``. Files are
        in the order of the last number in their names.

    Raises
    ------
    ValueError
        If there is no such file.
    """

    def __init__(self, pattern: str) -> None:
        import tifffile

        place = Path(pattern)
        self.files = sorted(place.parent.glob(place.name), key=_order)
        if not self.files:
            raise ValueError(f"there is no file {pattern}")
        self._read = lru_cache(maxsize=2)(tifffile.imread)
        with tifffile.TiffFile(self.files[0]) as first:
            series = first.series[0]
            self.dtype = np.dtype(series.dtype)
            inner = tuple(map(int, series.shape))
        self.shape = (len(self.files), *inner)
        self.chunks = (1, *inner)
        self.ndim = len(self.shape)

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: Any) -> npt.NDArray[Any]:
        first, *rest = index if isinstance(index, tuple) else (index,)
        if isinstance(first, slice):
            times = range(len(self))[first]
            return np.stack([self._frame(time)[tuple(rest)] for time in times])
        return np.asarray(self._frame(range(len(self))[first])[tuple(rest)])

    def _frame(self, time: int) -> npt.NDArray[Any]:
        frame: npt.NDArray[Any] = self._read(self.files[time])
        if frame.shape != self.shape[1:]:
            raise ValueError(
                f"{self.files[time]} has the shape {frame.shape}, and the first {self.shape[1:]}"
            )
        return frame


def _order(file: Path) -> tuple[int, str]:
    numbers = _NUMBER.findall(file.stem)
    return (int(numbers[-1]) if numbers else -1, file.name)


def numbers_of(files: list[Path]) -> list[int]:
    """The last number in each name; -1 where there is none."""
    return [_order(file)[0] for file in files]
