"""Samples from the pixels of napari's layers: crops of objects, and patches.

The layers are never changed. A source has the name that its layer had when samples were cut.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np

from embedscope._errors import InvalidInputError
from embedscope.napari_dock.data._known_source import (
    known_options,
    with_features_before,
    with_file_before,
)
from embedscope.napari_dock.data._layer_channels import matched_channels
from embedscope.napari_dock.data._layer_features import (
    features_same_way,
    inferred_axis,
    with_known,
)
from embedscope.napari_dock.data._layer_keys import AUTOMATIC, TableKeys, plain_features
from embedscope.napari_dock.data._layer_places import (
    affine_of,
    axes_of,
    finest_of,
    micrometres_of,
    path_of,
    pixel_size_of,
)
from embedscope.napari_dock.data._named_objects import NamedObjects
from embedscope.napari_dock.data._world import sizes_of_units
from embedscope.samples import (
    CropRecipe,
    LeftOut,
    PatchRecipe,
    Samples,
    TableRecipe,
    samples_from_labels,
    samples_from_manifest,
    samples_from_patches,
)

_TOLERANCE_PX = 0.01  # for rounded scales in files


@dataclass(frozen=True)
class CropOptions:
    """Options for crops of objects.

    Attributes
    ----------
    size_px : int or None
        Side of a crop; None chooses it from the objects.
    size_um : float or None
        The same in micrometres, if the layer's scale says how large a pixel is.
    background : {"keep", "zero", "median"}
        How pixels outside the object are filled.
    align : bool
        Turn every object upright.
    third_axis : {"t", "z", ""}
        What the first axis of 3D layers is; "" leaves it to the layer.
    volume : {"project", "mean", "middle", "volume"}
        What a sample of a volume is; see `samples_from_labels`.
    scales_within : bool
        Whether each image gets its own black and white, instead of those of all images.
    """

    size_px: int | None = None
    size_um: float | None = None
    background: str = "keep"
    align: bool = False
    third_axis: str = ""
    volume: str = "project"
    scales_within: bool = False


def samples_of_objects(
    labels: Any, images: Sequence[Any], options: CropOptions, keys: TableKeys = AUTOMATIC
) -> Samples:
    """Cut a sample from image layers for every object of a Labels layer.

    Parameters
    ----------
    labels : napari.layers.Labels
    images : sequence of napari.layers.Image
        One channel each, or one layer with colours; with the labels' shape and transform.
    options : CropOptions
    keys : TableKeys
        Which columns of the labels' features name the object of each row.

    Returns
    -------
    Samples
        With the features of the labels layer, joined by label.

    Raises
    ------
    InvalidInputError
        If no image is given, or one has another transform than the labels.
    """
    axes = axes_of(labels, options.third_axis or inferred_axis(labels, keys))
    image, image_axes, names = stacked_images(labels, images, axes)
    named = NamedObjects.of(labels, axes, keys)
    samples = samples_from_labels(
        image,
        finest_of(labels),
        options.size_px,
        size_um=options.size_um,
        label_ids=named.label_ids,
        axes=axes,
        image_axes=image_axes,
        source=labels.name,
        channel_names=names,
        rgb=images[0].rgb,
        background=options.background,  # type: ignore[arg-type]  # checked there
        align=options.align,
        volume=options.volume,  # type: ignore[arg-type]  # checked there
        pixel_size=pixel_size_of(labels, axes, options.size_um),
        affine=affine_of(labels),
        image_path=path_of(images[0]) if len(images) == 1 else None,
        labels_path=path_of(labels),
    )
    return with_known(named.kept(samples), labels, keys)


def samples_of_manifest(path: str, options: CropOptions) -> Samples:
    """Cut a sample for every object of the images that a manifest lists.

    Parameters
    ----------
    path : str
    options : CropOptions

    Returns
    -------
    Samples
        A source for each row; `left_out` says which could not be read.

    Raises
    ------
    InvalidInputError
        If the file is no manifest, or no row of it can be read.
    """
    axes: dict[str, Any] = {"axes": f"{options.third_axis}yx"} if options.third_axis else {}
    return samples_from_manifest(
        path,
        options.size_px,
        size_um=options.size_um,
        background=options.background,
        align=options.align,
        volume=options.volume,
        **axes,
    )


def samples_of_patches(
    images: Sequence[Any], size_px: int, step_px: int, third_axis: str, volume: str = "project"
) -> Samples:
    """Cut a grid of patches from image layers, if there are no labels.

    Parameters
    ----------
    images : sequence of napari.layers.Image
    size_px, step_px : int
    third_axis : {"t", "z", ""}
    volume : {"project", "mean", "middle", "volume"}
        What a patch of a volume is; see `samples_from_patches`.

    Returns
    -------
    Samples
    """
    check_any(images)
    first = images[0]
    axes = axes_of(first, third_axis)
    image, image_axes, names = stacked_images(first, images, axes)
    return samples_from_patches(
        image,
        size_px,
        step_px,
        image_axes=image_axes,
        source=first.name,
        channel_names=names,
        volume=volume,  # type: ignore[arg-type]  # checked there
        rgb=first.rgb,
        affine=affine_of(first),
        image_path=path_of(first) if len(images) == 1 else None,
    )


def samples_same_way(
    samples: Samples,
    labels: Any,
    images: Sequence[Any],
    source: str | None = None,
    keys: TableKeys = AUTOMATIC,
) -> Samples:
    """Make samples of layers in the same way as these.

    Parameters
    ----------
    samples : Samples
    labels : napari.layers.Labels, napari.layers.Points or None
    images : sequence of napari.layers.Image
        The same channels as before, in any order if `source` is left out.
    source : str, optional
        Name of the source whose own layers these are, in their order. If left out, they belong to
        another image: the source is named after the layer, and channels are matched by name.
    keys : TableKeys
        Which columns of the labels' features name the object of each row.

    Returns
    -------
    Samples
        Cut and scaled like `samples`; objects with the features of their layer.

    Raises
    ------
    InvalidInputError
        If the layers are of another kind, or their names do not match the channels.
    """
    recipe = samples.recipe
    if isinstance(recipe, TableRecipe):
        return features_same_way(samples, labels, source, keys)
    notes: tuple[LeftOut, ...] = ()
    if source is None:
        images, notes = matched_channels(samples.channel_names, images)
    place = images[0] if isinstance(recipe, PatchRecipe) and images else labels
    axes = axes_of(place, "t" if "t" in recipe.axes else "z")  # type: ignore[attr-defined]
    image, image_axes, _ = stacked_images(place, images, axes)
    known: dict[str, Any] = {} if source is None else known_options(samples, source)
    options = {**known, "source": source or place.name, "affine": affine_of(place)}
    if len(images) == 1:
        options["image_path"] = path_of(images[0])
    if isinstance(recipe, PatchRecipe):
        made = samples.same_way(image, **options)
    else:
        options |= {"axes": axes, "labels_path": path_of(labels) or known.get("labels_path")}
        size_um = recipe.size_um if isinstance(recipe, CropRecipe) else None
        if "pixel_size" not in known or micrometres_of(labels, axes) is not None:
            options["pixel_size"] = pixel_size_of(labels, axes, size_um)
        # A single image layer has no channel axis; RGB and several layers have one.
        options["image_axes"] = image_axes
        named = NamedObjects.of(labels, axes, keys)
        # The features of the layer are joined first: the map may learn from them.
        bare = samples.learning_from(None)
        made = bare.same_way(image, finest_of(labels), label_ids=named.label_ids, **options)
        made = with_known(named.kept(made), labels, keys)
        if source is not None and plain_features(labels) is None:
            made = with_features_before(made, samples)
        made = made.learning_like(samples)
    if source is not None:
        made = with_file_before(made, samples)
    return replace(made, left_out=(*made.left_out, *notes))


def stacked_images(
    place: Any, images: Sequence[Any], axes: str, block: tuple[slice, ...] | None = None
) -> tuple[Any, str, tuple[str, ...] | None]:
    """Stack the pixels of all channels into one array.

    Parameters
    ----------
    place : napari.layers.Layer
        The layer whose shape and transform the images must have.
    images : sequence of napari.layers.Image
        One channel each, or one layer with colours.
    axes : str
        Axes of `place`.
    block : tuple of slice, optional
        The part to return, one slice for each of `axes`; all if left out.

    Returns
    -------
    pixels : array-like
        Lazy if an image is.
    image_axes : str
        With "c" if there are channels.
    names : tuple of str or None
        The name of each channel; None for colours.

    Raises
    ------
    InvalidInputError
        If no image is given, one has another transform, or colours and single channels are mixed.
    """
    check_any(images)
    for layer in images:
        _check_place(layer, place)
    if len(images) == 1:
        (layer,) = images
        return _part_of(layer, block), axes + "c" * layer.rgb, None if layer.rgb else (layer.name,)
    if any(layer.rgb for layer in images):
        raise InvalidInputError(
            "images must be one layer with colours, or layers of one channel each; got both. "
            "Leave one kind out, or split the colours into channels."
        )
    names = tuple(layer.name for layer in images)
    arrays = [_part_of(layer, block) for layer in images]
    if all(isinstance(array, np.ndarray) for array in arrays):
        return np.stack(arrays, axis=-1), axes + "c", names
    import dask.array

    da: Any = dask.array  # whose functions have no types
    lazy = [array if hasattr(array, "dask") else da.from_array(array) for array in arrays]
    return da.stack(lazy, axis=-1), axes + "c", names


def _part_of(layer: Any, block: tuple[slice, ...] | None) -> Any:
    # A slice of a zarr array is read at once, so the whole array is returned without slicing.
    return finest_of(layer) if block is None else finest_of(layer)[block]


def _check_place(layer: Any, place: Any) -> None:
    """Raise unless an image and the labels match pixel by pixel: a shift would cut neighbours."""
    shape = finest_of(layer).shape[: layer.ndim]
    wanted = finest_of(place).shape[: place.ndim]
    if shape != wanted:
        raise InvalidInputError(
            f"{layer.name!r} must have the shape of {place.name!r}, {wanted}; got {shape}. Choose "
            "the image that the labels were made from."
        )
    here, there = affine_of(place), affine_of(layer)
    there[:-1] *= sizes_of_units(place.units, layer)[:, np.newaxis]  # 1 um is 1000 nm
    corners = np.array([*product(*((0, side) for side in wanted))])
    ends = np.column_stack([corners, np.ones(len(corners))]).T
    if np.abs(np.linalg.solve(here, there @ ends) - ends).max() > _TOLERANCE_PX:
        raise InvalidInputError(
            f"{layer.name!r} must have the scale and place of {place.name!r}; got another "
            "transform. Give both layers the same scale, translation, rotation and units."
        )


def check_any(images: Sequence[Any]) -> None:
    """Raise if no image is chosen.

    Raises
    ------
    InvalidInputError
    """
    if not images:
        raise InvalidInputError("an image must be chosen; got none. Choose at least one layer.")
