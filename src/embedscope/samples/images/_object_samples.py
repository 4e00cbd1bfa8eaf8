"""Samples of labelled objects by a recipe: a new one, or that of earlier samples."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from embedscope._errors import InvalidInputError
from embedscope.samples.common._checks import finite_rows
from embedscope.samples.common._intensities import check_intensities
from embedscope.samples.common._kind import Kind
from embedscope.samples.common._samples import LeftOut, Samples, SamplesPart
from embedscope.samples.common._scaling import ChannelScale
from embedscope.samples.identity._identity import Identities
from embedscope.samples.identity._source import Source
from embedscope.samples.images._crop_recipe import CropRecipe
from embedscope.samples.images._crops import Cutter, distinct_rows
from embedscope.samples.images._features import measure_objects
from embedscope.samples.images._field import Field, open_field
from embedscope.samples.images._masks import check_no_mask
from embedscope.samples.images._objects import Objects, find_objects
from embedscope.samples.images._rgb import alpha_notes, as_rgb
from embedscope.samples.images._sizes import checked_pixel_size

SAME_PIXEL_SIZE = 0.01
"""Relative difference up to which two pixel sizes count as equal."""


class ObjectKind(Kind[CropRecipe], recipe=CropRecipe):
    """Crops of labelled objects, as `samples_from_labels` makes them."""

    is_cut = True

    def repeat(self, samples: Samples, data: Any, labels: Any, **options: Any) -> Samples:
        """Cut the objects of another image and its labels."""
        if labels is None:
            raise InvalidInputError(
                "labels must be given, since these samples are labelled objects; got None. Pass "
                "the labels of the image."
            )
        return labels_same_way(samples, self.recipe, data, labels, refuses_mask=True, **options)

    def repeat_in_parts(
        self, samples: Samples, n_rows: int, data: Any, labels: Any, **options: Any
    ) -> Iterator[Callable[[], SamplesPart]]:
        """Find the objects of another image once, and cut them part by part.

        They are not measured.
        """
        found = find_same_way(samples, self.recipe, data, labels, refuses_mask=True, **options)
        cutter = Cutter(found.field, found.objects, found.recipe, found.source.pixel_size)
        for start in range(0, len(found.rows), n_rows):
            rows = found.rows[start : start + n_rows]
            notes = found.notes if start == 0 else ()
            yield partial(_cut_part, cutter, found.source, rows, samples.scale, notes)

    def comparable(self) -> CropRecipe:
        """Axes and pixel size may differ, and whether objects are measured."""
        alike = replace(self.recipe, axes="", image_axes="", pixel_size=None, features=True)
        # Of one size in micrometres, the number of pixels in the first image differs too.
        return alike if alike.size_um is None else replace(alike, shape=())

    def notes_of_joined(self, parts: Sequence[Samples]) -> tuple[LeftOut, ...]:
        """Sources with other pixels than the first, if the size of crops is in pixels."""
        if self.recipe.size_um is not None:
            return ()
        sources = [source for part in parts for source in part.sources.values()]
        first, known = sources[0], {entry.name for part in parts for entry in part.left_out}
        return tuple(
            LeftOut(
                name,
                f"is {_in_um(source)}, that of {first.name} {_in_um(first)}, and the size of crops "
                "in pixels: objects look larger or smaller. Give size_um to both",
            )
            for source in sources
            if (name := f"pixel size of {source.name}") not in known
            and not _have_equal_pixels(source.pixel_size, first.pixel_size)
        )

    def percentiles(self) -> tuple[float, float]:
        """Those of the recipe."""
        return self.recipe.percentiles

    def cut_again(self, samples: Samples, name: str, image: Any, labels: Any) -> Samples:
        """Cut by the axes of the source, which differ between joined stills and time series."""
        source = samples.sources[name]
        # Features are stored already, and measuring them takes long.
        recipe = replace(
            self.recipe,
            axes=source.axes,
            image_axes=source.image_axes,
            pixel_size=source.pixel_size,
            features=False,
        )
        # The user has already said that a label in many pieces is one object.
        return labels_same_way(
            samples,
            recipe,
            image,
            labels,
            refuses_mask=False,
            source=name,
            pixel_size=source.pixel_size,
        )


class Found(NamedTuple):
    """The objects of an image, before they are cut.

    Attributes
    ----------
    field : Field
    source : Source
    recipe : CropRecipe
        As it is used for this image.
    objects : Objects
    rows : ndarray of shape (n_samples,), int
        The objects to cut, by their row.
    notes : tuple of LeftOut
        What to say of the image as a whole.
    """

    field: Field
    source: Source
    recipe: CropRecipe
    objects: Objects
    rows: npt.NDArray[np.intp]
    notes: tuple[LeftOut, ...]


def labels_same_way(
    samples: Samples, recipe: CropRecipe, image: Any, labels: Any, **options: Any
) -> Samples:
    """Cut and scale the objects of another image as those of `samples` were.

    The options are those of `find_same_way`.
    """
    found = find_same_way(samples, recipe, image, labels, **options)
    made = follow_recipe(*found[:5], samples.scale)
    return replace(made, left_out=(*made.left_out, *found.notes))


def find_same_way(
    samples: Samples,
    recipe: CropRecipe,
    image: Any,
    labels: Any,
    *,
    refuses_mask: bool,
    axes: str | None = None,
    image_axes: str | None = None,
    pixel_size: float | Sequence[float] | None = None,
    source: str = "image",
    label_ids: npt.ArrayLike | None = None,
    affine: npt.ArrayLike | None = None,
    image_path: str | None = None,
    labels_path: str | None = None,
) -> Found:
    """Find the objects of another image, to be cut as those of `samples` were.

    Axes are those of the first image unless others are given, as for a time series after single
    images.
    """
    if axes is None:
        axes, image_axes = recipe.axes, image_axes or recipe.image_axes
    field = open_field(image, labels, axes, image_axes)
    if recipe.rgb:
        field = as_rgb(field)
    _check_fits(field, samples, recipe)
    notes = (
        *check_intensities(samples, field.image, source, are_interpolated=recipe.is_computed),
        *alpha_notes(field, source),
    )
    made_from = Source(
        name=source,
        kind="labels",
        image=image,
        labels=labels,
        axes=field.axes,
        image_axes=field.image_axes,
        channel_names=samples.channel_names,
        affine=affine,  # type: ignore[arg-type]  # checked and converted by Source
        image_path=image_path,
        labels_path=labels_path,
    )
    made_from = with_pixel_size(made_from, pixel_size)
    check_magnification(made_from.pixel_size, recipe)
    used = replace(
        recipe,
        axes=field.axes,
        image_axes=field.image_axes,
        pixel_size=recipe.pixel_size or made_from.pixel_size,
    )
    objects = find_objects(field)
    if refuses_mask and label_ids is None:
        check_no_mask(field, objects)
    return Found(field, made_from, used, objects, distinct_rows(objects, label_ids), notes)


def follow_recipe(
    field: Field,
    source: Source,
    recipe: CropRecipe,
    objects: Objects,
    rows: npt.NDArray[np.intp],
    scale: ChannelScale | None,
) -> Samples:
    """Cut the objects of some rows by the recipe; the scale is measured if it is None."""
    cutter = Cutter(field, objects, recipe, source.pixel_size)
    chosen, images, left_out = _cut_finite(cutter, source, rows)
    _check_some_left(len(chosen))
    measured: Any = (
        measure_objects(
            field,
            chosen,
            # An image that says nothing is taken to have the pixels of the first one.
            pixel_size=source.pixel_size or recipe.pixel_size,
            channel_names=source.channel_names,
        )
        if recipe.features
        else None
    )
    scale = scale or ObjectKind(recipe).measure_scale(images)
    return _made(source, recipe, chosen, images, scale, measured, left_out)


def _cut_part(
    cutter: Cutter,
    source: Source,
    rows: npt.NDArray[np.intp],
    scale: ChannelScale | None,
    notes: tuple[LeftOut, ...],
) -> SamplesPart:
    """Cut a part of the objects, of which all may be left out."""
    chosen, images, left_out = _cut_finite(cutter, source, rows)
    if not len(chosen):
        return SamplesPart(None, (*left_out, *notes))
    made = _made(source, cutter.recipe, chosen, images, scale, None, left_out)
    return SamplesPart(made, (*left_out, *notes))


def _cut_finite(
    cutter: Cutter, source: Source, rows: npt.NDArray[np.intp]
) -> tuple[Objects, npt.NDArray[Any], tuple[LeftOut, ...]]:
    """Cut objects; leave those out that have pixels which are not finite."""
    chosen, images = cutter.cut(rows)
    finite = finite_rows(images)
    left_out = tuple(
        LeftOut(f"object {label} of frame {frame} of {source.name}", "NaN or infinite pixels")
        for frame, label in zip(chosen.frame[~finite], chosen.label[~finite], strict=True)
    )
    if not finite.all():
        chosen, images = chosen.take(finite), images[finite]
    return chosen, images, left_out


def _made(
    source: Source,
    recipe: CropRecipe,
    chosen: Objects,
    images: npt.NDArray[Any],
    scale: ChannelScale | None,
    measured: Any,
    left_out: tuple[LeftOut, ...],
) -> Samples:
    return Samples(
        identities=Identities.of(source.name, chosen.label, chosen.frame),
        sources={source.name: source},
        recipe=recipe,
        images=images,
        scale=scale,
        features=measured,
        bounding_boxes=chosen.bounding_boxes,
        centroids=chosen.middles,
        channel_names=source.channel_names,
        left_out=left_out,
    )


def _check_some_left(n_left: int) -> None:
    if n_left == 0:
        raise InvalidInputError(
            "image must be finite around at least one object; got NaN or infinite pixels in every "
            "crop. Repair the image, or use background='zero' if they are outside the objects."
        )


def with_pixel_size(source: Source, pixel_size: float | Sequence[float] | None) -> Source:
    """The source with its pixel size: as given, or by its affine, if it has one.

    Raises
    ------
    InvalidInputError
        If the pixel size given is not one.
    """
    steps = checked_pixel_size(pixel_size, source.axes)
    if steps is None and source.affine is not None:
        lengths = np.linalg.norm(source.affine[:-1, :-1], axis=0)
        steps = tuple(lengths[-len(source.spatial_axes) :].tolist())
    return replace(source, pixel_size=steps)


def _check_fits(field: Field, samples: Samples, recipe: CropRecipe) -> None:
    if field.n_channels != len(samples.channel_names):
        raise InvalidInputError(
            f"image must have the channels {samples.channel_names}; got {field.n_channels} "
            "channels. Pass the same channels in the same order."
        )
    if len(field.shape) != len(recipe.shape):
        raise InvalidInputError(
            f"image must have {len(recipe.shape)} spatial axes, as the first one; got "
            f"{field.spatial_axes!r}. Pass the same kind of image."
        )


def check_magnification(steps: tuple[float, ...] | None, recipe: CropRecipe) -> None:
    """Raise unless crops of an image with this pixel size can be cut by a recipe.

    Raises
    ------
    InvalidInputError
        If the size is in micrometres and the pixel size unknown, or the size is in pixels and the
        pixel size another one.
    """
    first = recipe.pixel_size
    if recipe.size_um is not None:
        if steps is None:
            raise InvalidInputError(
                f"pixel_size must be known for crops of {recipe.size_um:g} um; got none for this "
                "image. Pass pixel_size, micrometres a pixel along each axis."
            )
    elif not _have_equal_pixels(steps, first):
        raise InvalidInputError(
            f"image must have the pixel size of the first one, {first} um, since the size of crops "
            f"is in pixels; got {steps}. Give size_um, a size in micrometres, for the first; or "
            "pass pixel_size if the affine is not in micrometres."
        )


def _have_equal_pixels(one: tuple[float, ...] | None, other: tuple[float, ...] | None) -> bool:
    """Whether two pixel sizes are equal, or one of them is unknown."""
    if one is None or other is None:
        return True
    return bool(np.allclose(one, other, rtol=SAME_PIXEL_SIZE, atol=0))


def _in_um(source: Source) -> str:
    return f"{' x '.join(f'{step:.4g}' for step in source.pixel_size or ())} µm"
