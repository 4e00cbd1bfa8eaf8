"""Detects pixels that a script has written into a layer's array, for which napari has no event.

After writing, a script redraws the layer with ``refresh()``. The pixels are then compared with the
former ones by a checksum: in a worker thread, and only if the same slice is in view, so that moving
a slider compares nothing.
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
    """Compares the pixels of one layer with those that it had when the watch was made.

    Parameters
    ----------
    layer : napari.layers.Layer
        Its data are in memory.
    dispatcher : callable
        Runs callbacks in the main thread.
    on_change : callable
        ``on_change()`` is called when the pixels differ.

    Attributes
    ----------
    layer : napari.layers.Layer
    """

    def __init__(self, layer: Any, dispatcher: Dispatcher, on_change: Callable[[], None]) -> None:
        self.layer, self._on_change = layer, on_change
        self._work = Background(dispatcher)
        self._view = layer._slice_input
        self._before: int | None = None
        self._is_reading, self._has_waiting = False, False
        self._read()

    def compare_same_slice(self, event: object = None) -> None:
        """Compare, if the layer was redrawn with the same slice in view."""
        before, self._view = self._view, self.layer._slice_input
        if before == self._view:
            self._read()

    def compare(self, event: object = None) -> None:
        """Compare in any case: a hidden layer may have been changed before it is shown again."""
        self._view = self.layer._slice_input
        self._read()

    def close(self) -> None:
        """Stop comparing."""
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
            self._on_change()
            return
        if self._has_waiting:
            self._read()

    def _give_up(self, error: Exception) -> None:
        """Pixels that cannot be read are not compared."""


def is_in_memory(layer: Any) -> bool:
    """Whether the layer's pixels are in memory, and so are cheap to read again."""
    return type(finest_of(layer)) is np.ndarray  # a mapped file has another class


def _checksum(pixels: np.ndarray) -> int:
    checksum = 0
    for part in pixels:  # copies at most one part, if the array is not contiguous
        checksum = zlib.crc32(np.ascontiguousarray(part).data.cast("B"), checksum)
    return checksum
