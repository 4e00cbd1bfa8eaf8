"""Notices pixels that a script has written into a layer's array, which napari does not tell.

After that a script has the layer drawn again, by ``refresh()``. It is then compared with what it
was, by a checksum: in a thread, and only where what is in view stayed the same, which is not so for
every move of a slider.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Any

import numpy as np

from embedscope.napari_dock.data._layer_places import finest_of
from embedscope.napari_dock.widgets._background import Background
from embedscope.training import Dispatcher


class PixelWatch:
    """Compares the pixels of one layer with those that it had when this was made.

    Parameters
    ----------
    layer : napari.layers.Layer
        Whose data are in memory.
    dispatcher : callable
        Leads to the main thread.
    tell : callable
        ``tell()`` is called when they are others.

    Attributes
    ----------
    layer : napari.layers.Layer
    """

    def __init__(self, layer: Any, dispatcher: Dispatcher, tell: Callable[[], None]) -> None:
        self.layer, self._tell = layer, tell
        self._work = Background(dispatcher)
        self._view = layer._slice_input
        self._before: int | None = None
        self._is_reading, self._has_waiting = False, False
        self._read()

    def look(self, event: object = None) -> None:
        """Compare, after the layer was drawn again with the same pixels in view."""
        before, self._view = self._view, self.layer._slice_input
        if before == self._view:
            self._read()

    def look_anyway(self, event: object = None) -> None:
        """Compare: what was done to a hidden layer is seen when it is shown again."""
        self._view = self.layer._slice_input
        self._read()

    def close(self) -> None:
        """Tell nothing any more."""
        self._work.forget()

    def _read(self) -> None:
        if self._is_reading:
            self._has_waiting = True
            return
        self._is_reading, self._has_waiting = True, False
        pixels = finest_of(self.layer)
        self._work.start(lambda: _checksum(pixels), self._compare, self._give_up)

    def _compare(self, checksum: int) -> None:
        self._is_reading = False
        if self._before is None:
            self._before = checksum
        elif checksum != self._before:
            self._tell()
            return
        if self._has_waiting:
            self._read()

    def _give_up(self, error: Exception) -> None:
        """What cannot be read is not compared."""


def is_in_memory(layer: Any) -> bool:
    """Whether the layer's pixels can be read again and again."""
    return type(finest_of(layer)) is np.ndarray  # a file that is mapped is none


def _checksum(pixels: np.ndarray) -> int:
    checksum = 0
    for part in pixels:  # a copy of a part at most, where an array is not contiguous
        checksum = zlib.crc32(np.ascontiguousarray(part).data.cast("B"), checksum)
    return checksum
