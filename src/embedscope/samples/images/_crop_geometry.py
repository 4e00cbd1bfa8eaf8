"""Where the pixels of a crop lie in its image.

A crop may have other pixels than its image: large objects are drawn small, and crops of one size in
micrometres have the same number of pixels in images of any magnification.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from embedscope.samples.common._recipe import Recipe
from embedscope.samples.identity._source import Source
from embedscope.samples.images._crop_recipe import CropRecipe


@dataclass(frozen=True)
class CropGeometry:
    """The pixels of crops in one image.

    Attributes
    ----------
    shape : tuple of int
        Pixels of a crop along each spatial axis, before a volume is projected.
    zoom : tuple of float
        Pixels of the image for one pixel of the crop, along each axis.
    """

    shape: tuple[int, ...]
    zoom: tuple[float, ...]

    @property
    def window(self) -> tuple[int, ...]:
        """Pixels of the image, along each axis, that are enough for any crop."""
        return tuple(
            side if step == 1 else int(np.ceil(side * step)) + 3
            for side, step in zip(self.shape, self.zoom, strict=True)
        )

    def first_edges(self, middles: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Where each crop begins.

        Crops lie on a grid of their own pixels that begins at the corner of the image, as if the
        whole image had such pixels. Images of one scene with different pixels are then cut alike.

        Parameters
        ----------
        middles : ndarray of shape (n, d)
            Middles of the crops, in pixels; that of the first pixel is 0.

        Returns
        -------
        ndarray of shape (n, d), float64
            Distance from the corner of the image, in its pixels: whole ones where the zoom is 1.
        """
        zoom = np.array(self.zoom)
        first = np.floor((middles + 0.5) / zoom) - np.array(self.shape) // 2
        edges: npt.NDArray[np.float64] = first * zoom
        return edges


def zoom_of(recipe: Recipe, source: Source) -> tuple[float, ...]:
    """Pixels of the image of a source for one pixel of a sample, along each spatial axis."""
    if isinstance(recipe, CropRecipe):
        return geometry_of(recipe, source.pixel_size).zoom
    return (1.0,) * len(source.spatial_axes)


def geometry_of(recipe: CropRecipe, pixel_size: tuple[float, ...] | None) -> CropGeometry:
    """The pixels of the crops of a recipe in an image with this pixel size.

    Parameters
    ----------
    recipe : CropRecipe
    pixel_size : tuple of float or None
        Micrometres a pixel of this image; needed if the recipe has a size in micrometres.
    """
    sides = tuple(map(float, recipe.shape))
    if recipe.size_um is not None:
        assert pixel_size is not None  # checked where the image is opened
        sides = tuple(recipe.size_um / step for step in pixel_size)
    shape = recipe.drawn or recipe.shape
    if recipe.is_flattened:  # planes are projected as they are
        shape = (max(1, round(sides[0])), *shape[-2:])
    zoom = tuple(
        1.0 if round(side) == pixels else side / pixels
        for side, pixels in zip(sides, shape, strict=True)
    )
    return CropGeometry(shape, zoom)
