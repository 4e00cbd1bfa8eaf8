"""Cut one crop around each object, tile by tile, many crops at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from embedscope.samples.identity._arrays import native
from embedscope.samples.images._crop_geometry import CropGeometry
from embedscope.samples.images._crop_recipe import CropRecipe
from embedscope.samples.images._field import Box, Field
from embedscope.samples.images._flattening import flatten, flatten_own
from embedscope.samples.images._objects import Objects
from embedscope.samples.images._sampling import TurnedSampler, UprightSampler
from embedscope.samples.images._tiles import group_by_tile, tile_sides, tiles

Array = npt.NDArray[Any]

BATCH_PIXELS = 2**23
"""Pixels of crops, or of the image that they show, in all channels, that are cut at a time."""

MEDIAN_PIXELS = 2**23
"""Pixels of the image up to which the median is of all background pixels, else of every k-th."""


def cut_crops(
    field: Field,
    objects: Objects,
    recipe: CropRecipe,
    geometry: CropGeometry,
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
        Options of the crops.
    geometry : CropGeometry
        Their pixels.
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
    crops = np.empty((len(objects), *_flat(geometry, recipe), field.n_channels), dtype)
    fill = fill.astype(dtype)
    for rows in _groups(field, objects, geometry):
        turned = None if axes is None else axes[rows]
        crops[rows] = _cut_group(field, objects.take(rows), recipe, geometry, turned, fill)
    return crops


def cut_masks(
    field: Field,
    objects: Objects,
    recipe: CropRecipe,
    geometry: CropGeometry,
    axes: npt.NDArray[np.float64] | None,
) -> npt.NDArray[np.bool_]:
    """Which pixels of the crops of `cut_crops` are the object's own: shape (n, [z,] h, w).

    Pixels larger than those of the image are its own if half of the fullest one is covered.
    """
    masks = np.empty((len(objects), *_flat(geometry, recipe)), bool)
    for rows in _groups(field, objects, geometry):
        chosen = objects.take(rows)
        sampler = _sampler(field, chosen, geometry, None if axes is None else axes[rows])
        own = _own_pixels(field, chosen, sampler)
        if recipe.is_flattened:
            own = np.asarray(own.any(axis=1), bool)
        share = sampler.drawn(own[..., np.newaxis].astype(np.float32))[..., 0]
        inner = tuple(range(1, share.ndim))
        masks[rows] = (share > 0) & (share >= share.max(axis=inner, keepdims=True) / 2)
    return masks


def _flat(geometry: CropGeometry, recipe: CropRecipe) -> tuple[int, ...]:
    return geometry.shape[-2:] if recipe.is_flattened else geometry.shape


def _groups(
    field: Field, objects: Objects, geometry: CropGeometry
) -> Iterator[npt.NDArray[np.intp]]:
    """Rows of objects of one tile and frame, as many as are cut at a time."""
    largest = max(int(np.prod(geometry.window)), int(np.prod(geometry.shape)))
    batch = max(1, BATCH_PIXELS // (largest * field.n_channels))
    sides = tile_sides(field.shape, field.image_chunks())
    yield from group_by_tile(objects.frame, objects.middles, sides, batch)


def _sampler(
    field: Field, objects: Objects, geometry: CropGeometry, axes: Array | None
) -> UprightSampler | TurnedSampler:
    """How the pixels of crops of one tile and frame are read: not rotated, or rotated."""
    if axes is None:
        return UprightSampler(field.shape, objects.middles, geometry)
    return TurnedSampler(field.shape, objects.middles, geometry, axes)


def _own_pixels(
    field: Field, objects: Objects, sampler: UprightSampler | TurnedSampler
) -> npt.NDArray[np.bool_]:
    """Which of the pixels that are read for each crop belong to its object."""
    frame = int(objects.frame[0])

    def read_labels(box: Box) -> Array:
        return field.read_labels(frame, box)[..., np.newaxis]

    # The mirror image beyond the border is not the object, so labels are padded with 0.
    labels = sampler.labels(read_labels)[..., 0]
    ids = objects.label.reshape(-1, *(1,) * (labels.ndim - 1))
    return np.asarray(labels == ids, bool)


def _cut_group(
    field: Field,
    objects: Objects,
    recipe: CropRecipe,
    geometry: CropGeometry,
    axes: Array | None,
    fill: Array,
) -> Array:
    """Cut the crops of one tile and frame."""
    frame = int(objects.frame[0])

    def read_image(box: Box) -> Array:
        return field.read_image(frame, box)

    sampler = _sampler(field, objects, geometry, axes)
    crops = sampler.pixels(read_image, recipe.padding)
    if recipe.background == "keep":
        crops = flatten(crops, recipe.volume) if recipe.is_flattened else crops
    else:
        own = _own_pixels(field, objects, sampler)
        if recipe.is_flattened:
            crops = flatten_own(crops, own, fill, recipe.volume)
        else:
            crops = np.where(own[..., np.newaxis], crops, fill)
    # Only now, so that pixels of neighbours are not mixed into those of the object.
    return sampler.drawn(crops)


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
