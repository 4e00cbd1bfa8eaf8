"""Samples of files that are cut as those of a map: of a pair of files, or of a manifest."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from embedscope._errors import InvalidInputError
from embedscope.samples.combining._joining import check_alike, join_samples
from embedscope.samples.common._groups import GroupScales, measured_within
from embedscope.samples.common._samples import LeftOut, Samples
from embedscope.samples.images._crop_recipe import CropRecipe
from embedscope.samples.reading._files import axes_of_pair, with_table
from embedscope.samples.reading._manifest import (
    ManifestRow,
    read_each,
    read_manifest,
    usual_threads,
    with_row,
)
from embedscope.samples.reading._opening import ImageFile, open_image_file


class OpenedPair(NamedTuple):
    """An image and its labels, and what `Samples.same_way` needs to know of them.

    Attributes
    ----------
    image, labels : array or pyramid
    options : dict of str to Any
    """

    image: Any
    labels: Any
    options: dict[str, Any]


def open_pair_like(
    known: Samples,
    image: Path,
    labels: Path,
    source: str | None = None,
    group: Any = None,
    pixel_size: float | None = None,
) -> OpenedPair:
    """Open an image and its labels, to cut crops as those of `known`.

    Parameters
    ----------
    known : Samples
    image, labels : Path
    source : str, optional
        By default the image's name.
    group : str or number, optional
        As for `Samples.same_way`.
    pixel_size : float, optional
        In micrometres; by default what the file states, if `known` have what their files state.

    Raises
    ------
    InvalidInputError
        If `known` are no crops, a file cannot be opened, or its channels have another order.
    """
    recipe = crop_recipe_of(known)
    pixels, ids = open_image_file(image, "image"), open_image_file(labels, "labels")
    _check_channels(known, pixels)
    axes, image_axes = axes_of_pair(pixels, ids)
    if axes is None or len(axes) == len(recipe.axes):  # as at the training, unless the file says
        is_stated = pixels.axes.replace("c", "", 1) == recipe.axes
        axes, image_axes = None, pixels.axes if is_stated else None
    options = {
        "group": group,
        "axes": axes,
        "image_axes": image_axes,
        "pixel_size": pixel_size or _pixel_size(known, recipe, pixels, axes or recipe.axes),
        "source": source or image.stem,
        "image_path": pixels.path,
        "labels_path": ids.path,
    }
    return OpenedPair(pixels.image, ids.image, options)


def manifest_same_way(known: Samples, manifest: str | os.PathLike[str]) -> Samples:
    """Make samples of the files that a manifest lists, cut and scaled as `known`.

    Parameters
    ----------
    known : Samples
        Crops of objects.
    manifest : str or path
        As for `samples_from_manifest`.

    Returns
    -------
    Samples
        A source for each row. Rows that cannot be read, and those whose files are among `known`,
        are in `left_out`, with the reason.

    Raises
    ------
    InvalidInputError
        If `known` are no crops, the file is no manifest, or no row of it can be added.
    """
    crop_recipe_of(known)
    rows, left_out = _new_rows(known, read_manifest(manifest))
    # What is learned may be a column of the manifest, so features are joined first.
    bare = known.learning_from(None)
    column = None if known.groups is None else known.groups.column

    def job(row: ManifestRow) -> Samples:
        group = group_of_row(known, row.features)
        image, labels, options = open_pair_like(bare, row.image, row.labels, row.source, group)
        made = bare.same_way(image, labels, **options)
        if row.table is not None:
            made = with_table(made, row.table)
        check_alike([bare, made])
        # `same_way` has added the group, for which the row has a column.
        further = {name: each for name, each in row.features.items() if name != column}
        return with_row(made, row._replace(features=further))

    parts, unread = read_each(rows, job, usual_threads())
    joined = _in_one_scale_a_group(join_samples(parts), known).learning_like(known)
    return replace(joined, left_out=(*left_out, *unread, *joined.left_out))


def group_of_row(known: Samples, features: dict[str, Any]) -> Any:
    """The group of an image, within which its intensities are scaled; None for all images.

    Parameters
    ----------
    known : Samples
    features : dict of str to Any
        Of the row of a manifest.

    Raises
    ------
    InvalidInputError
        If the row does not name it.
    """
    groups = known.groups
    if groups is None or groups.column == "source":
        return None
    if groups.column not in features:
        raise InvalidInputError(
            f"manifest must have the column {groups.column!r}, within which the map scales "
            f"intensities; got {sorted(features)}. Add it."
        )
    return features[groups.column]


def crop_recipe_of(known: Samples) -> CropRecipe:
    """How crops of objects are cut.

    Raises
    ------
    InvalidInputError
        If the samples are none.
    """
    if not isinstance(known.recipe, CropRecipe):
        raise InvalidInputError(
            f"data must be of the kind that the map was trained on, {known.recipe.kind}; got "
            "an image and its labels. Give such a file."
        )
    return known.recipe


def _new_rows(
    known: Samples, rows: Sequence[ManifestRow]
) -> tuple[list[ManifestRow], tuple[LeftOut, ...]]:
    """The rows of files that are not among these samples yet, and the others."""
    there = {_files(each.image_path, each.labels_path): each for each in known.sources.values()}
    new, left_out = [], []
    for row in rows:
        held = there.get(_files(row.image, row.labels))
        if held is not None:
            left_out.append(LeftOut(row.source, f"its objects are on the map, as {held.name}"))
        elif row.source in known.sources:
            reason = (
                "another image of this name is on the map; add a column source to the manifest, "
                "with other names"
            )
            left_out.append(LeftOut(row.source, reason))
        else:
            new.append(row)
    if not new:
        raise InvalidInputError(
            f"manifest must list an image that is not on the map yet; got {len(rows)}. The first "
            f"of them, {left_out[0].name}: {left_out[0].reason}."
        )
    return new, tuple(left_out)


def _files(image: Any, labels: Any) -> tuple[str, str] | None:
    if image is None or labels is None:
        return None
    return os.path.realpath(image), os.path.realpath(labels)


def _in_one_scale_a_group(made: Samples, known: Samples) -> Samples:
    """Scale each new group over all of its images; `same_way` measures it on one."""
    groups = known.groups
    if groups is None or groups.column == "source":
        return made
    measured = measured_within(made, groups.column)
    return replace(made, groups=GroupScales(groups.column, {**measured.scales, **groups.scales}))


def _check_channels(known: Samples, image: ImageFile) -> None:
    """Raise if a file names the same channels in another order."""
    stated, names = list(map(str, image.channel_names)), list(map(str, known.channel_names))
    if stated != names and sorted(stated) == sorted(names):
        raise InvalidInputError(
            f"image must have the channels {names} in this order; got {stated}. Write it with the "
            "channels in this order."
        )


def _pixel_size(
    known: Samples, recipe: CropRecipe, image: ImageFile, axes: str
) -> tuple[float, ...] | None:
    """What a file states, if `known` have what their own files state.

    If the user gave it then, it is that of all files.
    """
    if recipe.pixel_size is None:
        return None
    path = next(iter(known.sources.values())).image_path
    if path is None:  # cut from an array
        return None if recipe.size_um is None else image.steps(axes)
    try:
        trained = open_image_file(path).steps(recipe.axes)
    except InvalidInputError:  # the image is not there any more
        trained = None if recipe.size_um is None else recipe.pixel_size
    if trained == recipe.pixel_size:
        return image.steps(axes)
    return None if recipe.size_um is None else recipe.pixel_size
