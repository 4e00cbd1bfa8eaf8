"""The protocol for layers that samples lie in, whatever the kind of layer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from embedscope.napari_dock.layers._view_rectangle import ViewRectangle
from embedscope.samples import SampleId

Codes = npt.NDArray[np.uint8]
IntArray = npt.NDArray[np.int64]


class LayerLink(Protocol):
    """One source of samples, its layer, and the overlay above it.

    Attributes
    ----------
    source : str
        The name in the samples' identities.
    rows : ndarray of shape (k,), int64
        The samples that lie in the layer.
    """

    source: str
    rows: IntArray

    @property
    def layer(self) -> Any:
        """The user's layer, or None if it was garbage-collected."""

    @property
    def own_layer(self) -> Any:
        """The overlay above it."""

    def set_palette(self, palette: Codes) -> None:
        """Set the colour of each code, shape (254, 4): red, green, blue, opacity."""

    def set_codes(self, inside: Codes, rim: Codes, stripes: Codes) -> None:
        """Give each of the samples in `rows` a code for each of its parts, 0 for none."""

    def sample_at(self, event: Any) -> SampleId | None:
        """The sample under the mouse."""

    def touched_by(self, rectangle: ViewRectangle) -> Callable[[], IntArray] | None:
        """A function, for any thread, that finds the rows in a rectangle; None if none can be."""

    def remove(self) -> None:
        """Remove the overlay, and disconnect from the user's layer."""
