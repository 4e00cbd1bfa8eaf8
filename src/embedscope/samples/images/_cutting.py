"""Cut one crop around each object, tile by tile, many crops at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from embedscope.samples.identity._arrays import native
from embedscope.samples.images._crop_recipe import CropRecipe, Padding
from embedscope.samples.images._field import Box, Field
from embedscope.samples.images._flattening import flatten, flatten_own, only_plane
from embedscope.samples.images._objects import Objects
from embedscope.samples.images._sampling import interpolate, nearest, upright_windows
from embedscope.samples.images._tiles import group_by_tile, tile_sides, tiles

Array = npt.NDArray[Any]

BATCH_PIXELS = 2**23
"""Pixels of crops, in all channels, that are cut at a time."""

MEDIAN_PIXELS = 2**23
"""Pixels of the image up to which the median is of all background pixels, else of every k-th."""


def cut_crops(
    field: Field,
    objects: Objects,
    recipe: CropRecipe,
    axes: npt.NDArray[np.float64] | None,
    fill: Array,
) -> Array:
    """Cut the crops of some objects.

    Parameters
    ----------
    field : Field
        The image and its labels.
    objects : Objects
        The objects to cut, in any order.
    recipe : CropRecipe
        Size and options of the crops.
    axes : ndarray of shape (n, 2) or None
        The direction that becomes "down" in each crop, if crops are aligned.
    fill : ndarray of shape (n_channels,)
        The `background_values`.

    Returns
    -------
    ndarray of shape (n, [z,] h, w, n_channels)
        In the image's dtype; float32 if pixels are interpolated or averaged.
    """
    dtype = np.dtype(np.float32) if recipe.is_computed else native(field.image.dtype)
    flat = recipe.shape[-2:] if recipe.is_flattened else recipe.shape
    crops = np.empty((len(objects), *flat, field.n_channels), dtype)
    fill = fill.astype(dtype)
    batch = max(1, BATCH_PIXELS // (int(np.prod(recipe.shape)) * field.n_channels))
    sides = tile_sides(field.shape, field.image_chunks())
    for rows in group_by_tile(objects.frame, objects.middles, sides, batch):
        turned = None if axes is None else axes[rows]
        crops[rows] = _cut_group(field, objects.take(rows), recipe, turned, fill)
    return crops


def _cut_group(
    field: Field, objects: Objects, recipe: CropRecipe, axes: Array | None, fill: Array
) -> Array:
    """Cut the crops of one tile and frame."""
    frame = int(objects.frame[0])

    def read_image(box: Box) -> Array:
        return field.read_image(frame, box)

    def read_labels(box: Box) -> Array:
        return field.read_labels(frame, box)[..., np.newaxis]

    shape = only_plane(recipe.shape) if recipe.volume == "middle" else recipe.shape
    sample = _sampler(field.shape, objects.middles, shape, axes)
    crops = sample(read_image, recipe.padding, False)
    own: npt.NDArray[np.bool_] | None = None
    if recipe.background != "keep":
        # The mirror image beyond the border is not the object, so labels are padded with 0.
        labels = sample(read_labels, "zero", True)[..., 0]
        ids = objects.label.reshape(-1, *(1,) * (labels.ndim - 1))
        own = np.asarray(labels == ids, bool)
    if own is None:
        return flatten(crops, recipe.volume) if recipe.is_flattened else crops
    if recipe.is_flattened:
        return flatten_own(crops, own, fill, recipe.volume)
    return np.where(own[..., np.newaxis], crops, fill)


def _sampler(
    image_shape: tuple[int, ...], middles: Array, shape: tuple[int, ...], axes: Array | None
) -> Callable[[Callable[[Box], Array], Padding, bool], Array]:
    """How crops are read from a region: not rotated, or rotated, interpolated or nearest."""

    def sample(read_region: Callable[[Box], Array], padding: Padding, whole: bool) -> Array:
        if axes is None:
            return upright_windows(read_region, image_shape, middles, shape, padding)
        read_between = nearest if whole else interpolate
        return read_between(read_region, image_shape, middles, shape, axes, padding)

    return sample


def background_values(field: Field, recipe: CropRecipe) -> Array:
    """One value per channel for pixels outside of the object."""
    if recipe.background != "median":
        return np.zeros(field.n_channels)
    step = -(-field.n_frames * int(np.prod(field.shape)) // MEDIAN_PIXELS)
    outside = np.concatenate([part[::step] for part in _unlabelled(field)])
    if len(outside) == 0:
        return np.zeros(field.n_channels)
    return np.asarray(np.nanmedian(outside, axis=0))


def _unlabelled(field: Field) -> Iterator[Array]:
    """The background pixels of each tile, shape (k, n_channels)."""
    sides = tile_sides(field.shape, field.image_chunks())
    for frame in range(field.n_frames):
        for box in tiles(field.shape, sides):
            yield field.read_image(frame, box)[field.read_labels(frame, box) == 0]
