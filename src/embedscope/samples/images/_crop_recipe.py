"""The settings of crops around labelled objects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from embedscope.samples.common._recipe import Recipe

Padding = Literal["reflect", "zero"]
Background = Literal["keep", "zero", "median"]
Volume = Literal["project", "mean", "middle", "volume"]


@dataclass(frozen=True)
class CropRecipe(Recipe):
    """Crops around labelled objects.

    Attributes
    ----------
    shape : tuple of int
        Height and width of a crop in pixels, or depth, height and width in a 3D image.
    axes, image_axes : str
        Axes of the labels and of the image, such as "tzyx" and "tzyxc".
    pixel_size : tuple of float or None
        Micrometres per pixel along each spatial axis, if known.
    padding, background, volume : str
        As `samples_from_labels`.
    align : bool
        Whether crops are rotated so that objects are upright.
    percentiles : tuple of float
        The percentiles, over all crops, that become 0 and 1.
    features : bool
        Whether objects are measured too.
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

    @property
    def is_flattened(self) -> bool:
        """Whether crops of a volume become pictures."""
        return len(self.shape) == 3 and self.volume != "volume"

    @property
    def is_computed(self) -> bool:
        """Whether pixels of crops are interpolated or averaged, and so floats."""
        return self.align or (self.is_flattened and self.volume == "mean")
