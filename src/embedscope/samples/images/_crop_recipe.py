"""The settings of crops around labelled objects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from embedscope.samples.common._recipe import Recipe

Padding = Literal["reflect", "zero"]
Background = Literal["keep", "zero", "median"]
Volume = Literal["project", "volume"]


@dataclass(frozen=True)
class CropRecipe(Recipe):
    """Crops around labelled objects.

    Attributes
    ----------
    shape : tuple of int
        Height and width of the part of the image that a crop shows, in pixels of the first image;
        or depth, height and width in a 3D image.
    drawn : tuple of int or None
        Pixels of a crop along the same axes; None if they are those of the image. A depth that is
        projected is always that of the image.
    size_um : float or None
        Height and width of that part in micrometres, if they are the same in images of any pixel
        size; then `drawn` is given, and `shape` is that of the first image.
    axes, image_axes : str
        Axes of the labels and of the image, such as "tzyx" and "tzyxc".
    pixel_size : tuple of float or None
        Micrometres a pixel of the first image along each spatial axis, if known.
    padding, background, volume : str
        As `samples_from_labels`.
    align : bool
        Whether crops are rotated so that objects are upright.
    percentiles : tuple of float
        The percentiles, over all crops, that become 0 and 1.
    features : bool
        Whether objects are measured too.
    rgb : bool
        Whether the channels are red, green and blue, which are scaled together.
    """

    kind: ClassVar[str] = "labels"
    shape: tuple[int, ...]
    axes: str
    image_axes: str
    pixel_size: tuple[float, ...] | None = None
    padding: Padding = "reflect"
    background: Background = "keep"
    align: bool = False
    volume: Volume = "project"
    percentiles: tuple[float, float] = (0.1, 99.9)
    features: bool = True
    drawn: tuple[int, ...] | None = None
    size_um: float | None = None
    rgb: bool = False

    @property
    def is_rgb(self) -> bool:
        """Whether channels are scaled together."""
        return self.rgb

    @property
    def is_flattened(self) -> bool:
        """Whether crops of a volume become pictures."""
        return len(self.shape) == 3 and self.volume != "volume"

    @property
    def is_resampled(self) -> bool:
        """Whether crops have other pixels than the first image."""
        return self.drawn is not None and self.drawn != self.shape

    @property
    def crops_told(self) -> str:
        """Such as "crops of 132 px, drawn at 64 px"; of later images in micrometres too."""
        n_shown = 2 if self.is_flattened else 3
        size = _in_pixels(self.shape[-n_shown:])
        if self.size_um is not None:
            size = f"{self.size_um:.4g} µm"
        if self.drawn is None or not (self.is_resampled or self.size_um is not None):
            return f"crops of {size}"
        return f"crops of {size}, drawn at {_in_pixels(self.drawn[-n_shown:])}"


def _in_pixels(shape: tuple[int, ...]) -> str:
    sides = shape[:1] if len(set(shape)) == 1 else shape
    return f"{' x '.join(map(str, sides))} px"
