"""Samples from an image without labels: a grid of square patches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, get_args

import numpy as np
import numpy.typing as npt

from embedscope._errors import InvalidInputError
from embedscope._wording import counted
from embedscope.samples.common._checks import (
    check_choice,
    check_percentiles,
    check_side,
    finite_rows,
)
from embedscope.samples.common._intensities import check_intensities
from embedscope.samples.common._kind import Kind
from embedscope.samples.common._recipe import Recipe
from embedscope.samples.common._samples import LeftOut, Samples
from embedscope.samples.common._scaling import ChannelScale
from embedscope.samples.identity._identity import Identities
from embedscope.samples.identity._patch_grid import PatchGrid
from embedscope.samples.identity._source import Source
from embedscope.samples.images._crop_recipe import Volume
from embedscope.samples.images._features import checked_channel_names
from embedscope.samples.images._field import Field, open_image
from embedscope.samples.images._flattening import flatten
from embedscope.samples.images._rgb import RGB_NAMES, alpha_notes, as_rgb

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class PatchRecipe(Recipe):
    """A grid of patches.

    Attributes
    ----------
    size, step : int
        Side of a patch and distance between neighbours, in pixels.
    axes, image_axes : str
        Axes of the image without and with channels.
    volume : str
        As `samples_from_patches`.
    percentiles : tuple of float
        The percentiles, over all patches, that become 0 and 1.
    rgb : bool
        Whether the channels are red, green and blue, which are scaled together.
    """

    kind: ClassVar[str] = "patches"
    size: int
    step: int
    axes: str
    image_axes: str
    volume: Volume = "project"
    percentiles: tuple[float, float] = (0.1, 99.9)
    rgb: bool = False

    @property
    def is_rgb(self) -> bool:
        """Whether channels are scaled together."""
        return self.rgb

    @property
    def crops_told(self) -> str:
        """Such as "patches of 32 px"."""
        return f"patches of {self.size} px"


class PatchKind(Kind[PatchRecipe], recipe=PatchRecipe):
    """Patches of a grid, as `samples_from_patches` makes them."""

    is_cut = True

    def repeat(self, samples: Samples, data: Any, labels: Any, **options: Any) -> Samples:
        """Cut the patches of another image."""
        self.refuse_labels(labels)
        return patches_same_way(samples, self.recipe, data, **options)

    def comparable(self) -> PatchRecipe:
        """Axes may differ."""
        return replace(self.recipe, axes="", image_axes="")

    def percentiles(self) -> tuple[float, float]:
        """Those of the recipe."""
        return self.recipe.percentiles

    def cut_again(self, samples: Samples, name: str, image: Any, labels: Any) -> Samples:
        """Cut by the axes of the source, which differ between joined stills and time series."""
        source = samples.sources[name]
        recipe = replace(self.recipe, axes=source.axes, image_axes=source.image_axes)
        return replace(samples, recipe=recipe).same_way(image, labels, source=name)


def samples_from_patches(
    image: Any,
    size: int,
    step: int | None = None,
    *,
    image_axes: str | None = None,
    source: str = "image",
    channel_names: Sequence[str] | None = None,
    volume: Volume = "project",
    percentiles: tuple[float, float] = (0.1, 99.9),
    rgb: bool = False,
    affine: npt.ArrayLike | None = None,
    image_path: str | None = None,
) -> Samples:
    """Make a sample of every patch of a grid.

    Parameters
    ----------
    image : array or pyramid
        Pixels of any real dtype; numpy, dask or zarr, read by rows of patches.
    size : int
        Height and width of a patch in pixels. All patches lie whole in the image.
    step : int, optional
        Distance between neighbouring patches in pixels; `size` if None, so that they touch.
    image_axes : str, optional
        Such as "yx", "cyx", "tyxc" or "zyx". If None, 2 axes are "yx", and 3 are "yxc" if the last
        has at most 4 entries.
    source : str
        The name of this source, part of every sample's identity.
    channel_names : sequence of str, optional
        The name of each channel; "channel 0" and so on if None.
    volume : {"project", "mean", "middle", "volume"}
        Patches of a volume span its depth: they are its maximum, its mean, its middle plane, or
        stay volumes.
    percentiles : tuple of float
        The percentiles of each channel, over all patches, that become 0 and 1.
    rgb : bool
        As for `samples_from_labels`.
    affine : array of shape (d + 1, d + 1), optional
        From pixels to the world, with the axes of `image_axes` without "c".
    image_path : str, optional
        Where the image is stored, for the source.

    Returns
    -------
    Samples
        Frame by frame, patch by patch. The label of a sample is the number of its patch, from 1,
        along rows. Its features are the mean and standard deviation of each channel. Patches with
        NaN or infinite pixels are left out.

    Raises
    ------
    InvalidInputError
        If axes do not fit or are ambiguous, size or step is not positive, or no whole patch fits.
    """
    field = open_image(image, image_axes)
    if rgb:
        field = as_rgb(field)
    check_choice("volume", volume, get_args(Volume))
    recipe = PatchRecipe(
        size=check_side("size", size),
        step=check_side("step", size if step is None else step),
        axes=field.axes,
        image_axes=field.image_axes,
        volume=volume,
        percentiles=check_percentiles(percentiles),
        rgb=rgb,
    )
    names = checked_channel_names(channel_names or (RGB_NAMES if rgb else None), field.n_channels)
    return _cut(field, image, recipe, source, names, affine, image_path, None)


def patches_same_way(
    samples: Samples,
    recipe: PatchRecipe,
    image: Any,
    *,
    source: str = "image",
    affine: npt.ArrayLike | None = None,
    image_path: str | None = None,
) -> Samples:
    """Cut and scale patches of another image as those of `samples` were."""
    field = open_image(image, recipe.image_axes)
    if recipe.rgb:
        field = as_rgb(field)
    names = checked_channel_names(samples.channel_names, field.n_channels)
    are_means = recipe.volume == "mean"
    notes = check_intensities(samples, field.image, source, are_interpolated=are_means)
    made = _cut(field, image, recipe, source, names, affine, image_path, samples.scale)
    return replace(made, left_out=(*made.left_out, *notes))


def _cut(
    field: Field,
    image: Any,
    recipe: PatchRecipe,
    source: str,
    channel_names: tuple[str, ...],
    affine: npt.ArrayLike | None,
    image_path: str | None,
    scale: ChannelScale | None,
) -> Samples:
    height, width = field.shape[-2:]
    grid = PatchGrid(height, width, recipe.size, recipe.step)
    _check_grid(grid)
    frames = range(field.n_frames)
    images = np.concatenate([_cut_frame(field, frame, grid, recipe) for frame in frames])
    frame = np.repeat(np.arange(field.n_frames), len(grid))
    label = np.tile(np.arange(1, len(grid) + 1), field.n_frames)
    corners = np.tile(grid.corners(), (field.n_frames, 1))
    finite = finite_rows(images)
    _check_some_left(finite)
    images, frame, label, corners = (x[finite] for x in (images, frame, label, corners))
    boxes = _boxes(corners, grid.size, field.shape[:-2])
    n_axes = boxes.shape[1] // 2
    n_lost = int((~finite).sum())
    return Samples(
        identities=Identities.of(source, label, frame),
        sources={
            source: Source(
                name=source,
                kind="patches",
                image=image,
                axes=field.axes,
                image_axes=field.image_axes,
                channel_names=channel_names,
                affine=affine,  # type: ignore[arg-type]  # checked and converted by Source
                image_path=image_path,
                patch_grid=grid,
            )
        },
        recipe=recipe,
        images=images,
        scale=scale or PatchKind(recipe).measure_scale(images),
        features=_measure(images, channel_names),
        bounding_boxes=boxes,
        # The coordinate of a pixel is that of its middle, so the middle of pixels 0 and 1 is 0.5.
        centroids=(boxes[:, :n_axes] + boxes[:, n_axes:] - 1) / 2,
        channel_names=channel_names,
        left_out=(*_left_out(n_lost), *alpha_notes(field, source)),
    )


def _left_out(n_lost: int) -> tuple[LeftOut, ...]:
    if n_lost == 0:
        return ()
    return (LeftOut(counted(n_lost, "patch", "patches"), "NaN or infinite pixels"),)


def _cut_frame(field: Field, frame: int, grid: PatchGrid, recipe: PatchRecipe) -> Array:
    """All patches of one frame, shape (n_patches, [z,] size, size, n_channels)."""
    depth = tuple(slice(0, side) for side in field.shape[:-2])
    rows = []
    for top in range(0, grid.n_rows * grid.step, grid.step):
        strip = field.read_image(frame, (*depth, slice(top, top + grid.size), slice(0, grid.width)))
        if depth and recipe.volume != "volume":
            strip = flatten(strip[np.newaxis], recipe.volume)[0]
        lefts = range(0, grid.n_columns * grid.step, grid.step)
        rows.append(np.stack([strip[..., left : left + grid.size, :] for left in lefts]))
    return np.concatenate(rows)


def _boxes(corners: Array, size: int, depth: tuple[int, ...]) -> npt.NDArray[np.int64]:
    """Extents along the spatial axes, over the full depth, if there is one."""
    first = np.hstack([np.zeros((len(corners), len(depth)), np.int64), corners])
    sides = np.array([*depth, size, size])
    return np.hstack([first, first + sides])


def _measure(images: Array, channel_names: tuple[str, ...]) -> Any:
    """Mean and standard deviation of each channel of each patch."""
    import pandas as pd

    inner = tuple(range(1, images.ndim - 1))
    means, deviations = (
        np.array([function(patch, axis=tuple(a - 1 for a in inner)) for patch in images])
        for function in (np.mean, np.std)
    )
    columns = {f"mean {name}": means[:, c] for c, name in enumerate(channel_names)}
    columns |= {f"std {name}": deviations[:, c] for c, name in enumerate(channel_names)}
    return pd.DataFrame(columns)


def _check_grid(grid: PatchGrid) -> None:
    if len(grid) == 0:
        raise InvalidInputError(
            f"size must be at most the image's height and width; got {grid.size} for an image of "
            f"{grid.height} x {grid.width} pixels. Use smaller patches."
        )


def _check_some_left(finite: npt.NDArray[np.bool_]) -> None:
    if not finite.any():
        raise InvalidInputError(
            "image must be finite in at least one patch; got NaN or infinite pixels in all. "
            "Repair the image first."
        )
