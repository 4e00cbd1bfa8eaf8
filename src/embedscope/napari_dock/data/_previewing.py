"""Cuts a few samples around one position in the layers, for the preview.

Only a block around that position is read, however large the layers are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from embedscope._wording import counted
from embedscope.explorer import depth_in_words
from embedscope.napari_dock.data._layer_places import affine_of, axes_of, finest_of, pixel_size_of
from embedscope.napari_dock.data._layer_samples import CropOptions, stacked_images
from embedscope.samples import CropRecipe, Samples, samples_from_labels, samples_from_patches

N_PREVIEWED = 16
_PICTURE_PX = 56
_SIDES_PX = (256, 768, 2048)  # of the block: a larger one is read only if too few objects are in it
_DEPTH_PX = 64
_OF_VOLUME = 4  # axes of a sample with depth
_MOST_SIZED = 200  # objects from which the size of a crop is chosen

Place = tuple[int, ...]
Block = tuple[slice, ...]


@dataclass(frozen=True)
class Preview:
    """The preview of a choice.

    Attributes
    ----------
    text : str
        One line that describes the samples.
    pictures : tuple of ndarray of shape (h, w, 3), uint8
        At most sixteen.
    """

    text: str
    pictures: tuple[npt.NDArray[np.uint8], ...] = ()


def preview_objects(
    labels: Any,
    images: Sequence[Any],
    options: CropOptions,
    place: Place,
    is_wanted: Callable[[], bool],
) -> Preview:
    """Cut some of the objects around a position.

    Parameters
    ----------
    labels : napari.layers.Labels
    images : sequence of napari.layers.Image
    options : CropOptions
    place : tuple of int
        Pixel of the labels, finest level.
    is_wanted : callable
        Called before each block is read; once it returns False, the objects found so far are used.

    Returns
    -------
    Preview

    Raises
    ------
    InvalidInputError
        If the layers do not fit each other.
    """
    axes = axes_of(labels, options.third_axis)
    finest = finest_of(labels)
    block: Block = ()
    found = np.zeros(0, np.int64)
    for side in _SIDES_PX:
        if block and not is_wanted():
            break
        block = _block_around(place, finest.shape, axes, side)
        pixels = np.asarray(finest[block])
        found = _whole_objects(pixels, axes)
        if len(found) >= N_PREVIEWED:
            break
    if not len(found):
        return Preview("No object is in view: move the image to where some are.")
    image, image_axes, names = stacked_images(labels, images, axes, block)
    samples = samples_from_labels(
        image,
        pixels,
        options.size_px,
        size_um=options.size_um,
        label_ids=_evenly(found, _MOST_SIZED),
        features=False,
        axes=axes,
        image_axes=image_axes,
        channel_names=names,
        rgb=images[0].rgb,
        background=options.background,  # type: ignore[arg-type]  # checked there
        align=options.align,
        volume=options.volume,  # type: ignore[arg-type]  # checked there
        pixel_size=pixel_size_of(labels, axes, options.size_um),
        affine=affine_of(labels),
    )
    return Preview(_crop_text(samples, options), _pictures(samples))


def preview_patches(
    images: Sequence[Any], size_px: int, step_px: int, options: CropOptions, place: Place
) -> Preview:
    """Cut sixteen patches around a position.

    Parameters
    ----------
    images : sequence of napari.layers.Image
    size_px, step_px : int
    options : CropOptions
        For the first axis, and what a sample of a volume is.
    place : tuple of int
        Pixel of the first image, finest level.

    Returns
    -------
    Preview

    Raises
    ------
    InvalidInputError
        If the layers do not fit each other, or no patch fits into them.
    """
    axes = axes_of(images[0], options.third_axis)
    shape = finest_of(images[0]).shape[: len(axes)]
    block = _block_around(place, shape, axes, size_px + 3 * step_px)
    image, image_axes, names = stacked_images(images[0], images, axes, block)
    samples = samples_from_patches(
        image,
        size_px,
        step_px,
        image_axes=image_axes,
        channel_names=names,
        volume=options.volume,  # type: ignore[arg-type]  # checked there
        rgb=images[0].rgb,
    )
    n_planes = shape[axes.index("z")] if "z" in axes else 0
    text = f"Patches of {size_px} x {size_px} px"
    return Preview(text + _depth_text(samples, n_planes), _pictures(samples))


def _block_around(place: Place, shape: tuple[int, ...], axes: str, side_px: int) -> Block:
    """A block of one frame around a position, shifted to lie within the image."""
    wanted = {"t": 1, "z": _DEPTH_PX, "y": side_px, "x": side_px}
    block = []
    for axis, middle, size in zip(axes, place, shape, strict=True):
        length = min(wanted[axis], size)
        start = min(max(middle - length // 2, 0), size - length)
        block.append(slice(start, start + length))
    return tuple(block)


def _whole_objects(pixels: npt.NDArray[Any], axes: str) -> npt.NDArray[Any]:
    """Labels of the objects that do not touch the block's border; of all, if all touch it."""
    rows, columns = axes.index("y"), axes.index("x")
    sides = [np.take(pixels, [0, -1], axis).ravel() for axis in (rows, columns)]
    found = np.unique(pixels)
    found = found[found > 0]
    whole = np.setdiff1d(found, np.concatenate(sides))
    return whole if len(whole) else found


def _crop_text(samples: Samples, options: CropOptions) -> str:
    height, width, n_channels = samples.sample_shape[-3:]
    recipe = samples.recipe
    size = f"Crops of {height} x {width} px"
    if isinstance(recipe, CropRecipe) and recipe.is_resampled:
        size = recipe.crops_told.capitalize()
    elif options.size_um is not None:
        size += f" ({options.size_um:g} µm)"
    if options.size_px is None and options.size_um is None:
        size += ", which hold nearly all of the objects in view"
    if n_channels > 1:
        size += f"; {n_channels} channels"
    if isinstance(samples.recipe, CropRecipe) and len(samples.recipe.shape) == 3:
        size += _depth_text(samples, samples.recipe.shape[0])
    return size


def _depth_text(samples: Samples, n_planes: int) -> str:
    """What becomes of the depth of volumes: how many planes there are, and what is shown of them.

    Parameters
    ----------
    samples : Samples
    n_planes : int
        Planes of a sample before it is flattened; 0 for flat images.
    """
    shown = depth_in_words(samples)
    if not n_planes or not shown:
        return ""
    if len(samples.sample_shape) == _OF_VOLUME:
        planes = counted(n_planes, "plane")
        return f". Each is a whole volume of {planes}; its picture shows the {shown}"
    over = "" if "plane" in shown else f" over {counted(n_planes, 'plane')}"
    return f". Each is the {shown}{over}, not the whole volume"


def _pictures(samples: Samples) -> tuple[npt.NDArray[np.uint8], ...]:
    rows = _evenly(np.arange(len(samples)), N_PREVIEWED)
    return tuple(samples.thumbnail(int(row), _PICTURE_PX) for row in rows)


def _evenly(values: npt.NDArray[Any], most: int) -> npt.NDArray[Any]:
    """At most `most` of the values, spread evenly."""
    places = np.linspace(0, len(values) - 1, min(most, len(values))).astype(np.intp)
    return values[places]
