"""An image that is opened again each time a part of it is read, and holds no file open."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from embedscope.samples.identity._arrays import chunk_sides


class _Opened(Protocol):
    @property
    def image(self) -> Any: ...


class Reopened:
    """A level of an image in a file.

    Parameters
    ----------
    path : str
    level : int
        0 is the finest.
    opened : array
        The level, for its shape, dtype and chunks; it is not kept.
    opener : callable
        ``opener(path).image`` is the image.
    """

    def __init__(
        self, path: str, level: int, opened: Any, opener: Callable[[str], _Opened]
    ) -> None:
        self._path, self._level, self._opener = path, level, opener
        self.shape = tuple(map(int, opened.shape))
        self.dtype = np.dtype(opened.dtype)
        self.ndim = len(self.shape)
        self.chunks = None if getattr(opened, "chunks", None) is None else chunk_sides(opened)

    @classmethod
    def of(cls, image: Any, path: str | None, opener: Callable[[str], _Opened]) -> Any:
        """The same image, or pyramid, opened at need."""
        assert path is not None  # it was opened from there
        if isinstance(image, list):
            return [cls(path, number, level, opener) for number, level in enumerate(image)]
        return cls(path, 0, image, opener)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: Any) -> npt.NDArray[Any]:
        image = self._opener(self._path).image
        level = image[self._level] if isinstance(image, list) else image
        return np.array(level[index])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> npt.NDArray[Any]:
        return np.asarray(self[...], dtype=dtype)
