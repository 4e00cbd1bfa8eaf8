"""Cut one crop around every labelled object of one plain image.

A crop belongs to an object by the object's label id, never by a row number: ids may have gaps, be
large, or come in any order.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, get_args

import numpy as np
import numpy.typing as npt

from embedscope._errors import InvalidInputError
from embedscope.samples.common._checks import check_choice, check_side
from embedscope.samples.images._crop_geometry import geometry_of
from embedscope.samples.images._crop_recipe import Background, CropRecipe, Padding, Volume
from embedscope.samples.images._cutting import background_values, cut_crops, cut_masks
from embedscope.samples.images._directions import longest_axes
from embedscope.samples.images._field import Field, open_field
from embedscope.samples.images._masks import check_no_mask
from embedscope.samples.images._objects import Objects, find_objects

Array = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class Crops:
    """Crops of equal size and their label ids.

    Attributes
    ----------
    images : ndarray of shape (n_objects, size, size, n_channels)
        One crop per object, in the image's dtype, or float32 if the crops were aligned.
    label_ids : ndarray of shape (n_objects,)
        The label id of each crop, in the dtype of the label image; int64 if that is a float.
    bounding_boxes : ndarray of shape (n_objects, 4), int64
        The extent of each object in the image, in pixels: first row, first column, and one past
        the last row and column.
    """

    images: Array
    label_ids: Array
    bounding_boxes: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.label_ids)


def crops_from_labels(
    image: npt.ArrayLike,
    labels: npt.ArrayLike,
    size: int,
    *,
    label_ids: npt.ArrayLike | None = None,
    padding: Padding = "reflect",
    background: Background = "keep",
    align: bool = False,
) -> Crops:
    """Cut a square crop around each labelled object of a 2D image.

    A crop is centred on the object's centroid, or on its pixel nearest to the centroid where that
    is outside of the object, rounded to a whole pixel unless the crop is aligned. An object larger
    than the crop is cut off.

    Parameters
    ----------
    image : array of shape (height, width) or (height, width, n_channels)
        The pixels, of any real dtype.
    labels : array of shape (height, width) of whole numbers
        The object that each pixel belongs to; 0 is background. Ids may have gaps.
    size : int
        Height and width of a crop in pixels, at least 1.
    label_ids : array of int of shape (n_objects,), optional
        Crop only these objects, in this order. If None, all, by rising id. Required for a single
        label that is in more than two pieces, as in a mask of all objects.
    padding : {"reflect", "zero"}
        Pixels beyond the border of the image: its mirror image about the outermost pixels, or
        zeros.
    background : {"keep", "zero", "median"}
        Pixels outside of the object, those of neighbours included, are kept, set to zero, or set
        to the median of the image's unlabelled pixels, channel by channel.
    align : bool
        Rotate each crop so that the object's longest axis is vertical and its heavier end is at
        the bottom. Pixels are then interpolated linearly.

    Returns
    -------
    Crops
        The crops, the label id of each, and the objects' bounding boxes.

    Raises
    ------
    InvalidInputError
        If shapes do not match, labels are not integers of 0 or more, no object is labelled, a
        requested id is not in the label image, or an option is unknown.

    See Also
    --------
    samples_from_labels : volumes, time series, arrays on disk, and features of the objects.

    Notes
    -----
    A round object has no longest axis, so the angle of its aligned crop is arbitrary.
    """
    field = open_field(np.asarray(image), np.asarray(labels), "yx")
    recipe = CropRecipe(
        shape=(check_side("size", size),) * 2,
        axes=field.axes,
        image_axes=field.image_axes,
        padding=padding,
        background=background,
        align=align,
    )
    check_options(recipe)
    objects, images = cut_chosen(field, recipe, label_ids)
    return Crops(images, objects.label, objects.bounding_boxes)


def cut_chosen(
    field: Field, recipe: CropRecipe, label_ids: npt.ArrayLike | None
) -> tuple[Objects, Array]:
    """Find the objects and cut the crops of the chosen ones."""
    objects = find_objects(field)
    if label_ids is None:
        check_no_mask(field, objects)
    return Cutter(field, objects, recipe).cut(chosen_rows(objects, label_ids))


class Cutter:
    """Cuts objects of a field, a part of them at a time.

    What needs the whole field is computed once: the directions of aligned crops, and the values of
    pixels outside of the objects.

    Parameters
    ----------
    field : Field
    objects : Objects
        All of the field.
    recipe : CropRecipe
    pixel_size : tuple of float, optional
        Micrometres a pixel of the field; needed if the recipe has a size in micrometres.
    """

    def __init__(
        self,
        field: Field,
        objects: Objects,
        recipe: CropRecipe,
        pixel_size: tuple[float, ...] | None = None,
    ) -> None:
        self.field, self.objects, self.recipe = field, objects, recipe
        self._geometry = geometry_of(recipe, pixel_size)

    def cut(self, rows: npt.NDArray[np.intp]) -> tuple[Objects, Array]:
        """The objects of some rows, and their crops."""
        chosen, axes = self._chosen(rows)
        return chosen, cut_crops(self.field, chosen, self.recipe, self._geometry, axes, self._fill)

    def cut_masks(self, rows: npt.NDArray[np.intp]) -> npt.NDArray[np.bool_]:
        """Which pixels of the crops of some rows are the object's own."""
        chosen, axes = self._chosen(rows)
        return cut_masks(self.field, chosen, self.recipe, self._geometry, axes)

    def _chosen(self, rows: npt.NDArray[np.intp]) -> tuple[Objects, Array | None]:
        return self.objects.take(rows), None if self._axes is None else self._axes[rows]

    @cached_property
    def _axes(self) -> npt.NDArray[np.float64] | None:
        return longest_axes(self.field, self.objects) if self.recipe.align else None

    @cached_property
    def _fill(self) -> Array:
        return background_values(self.field, self.recipe)


def chosen_rows(objects: Objects, label_ids: npt.ArrayLike | None) -> npt.NDArray[np.intp]:
    """Rows of the objects with these labels, in their order; all rows if None."""
    if label_ids is None:
        return np.arange(len(objects))
    ids = np.ravel(label_ids)
    if ids.dtype.kind not in "ui":
        raise InvalidInputError(
            f"label_ids must be integers, at least one; got {ids.size} of dtype {ids.dtype}. Use "
            "ids of the label image."
        )
    # A label that is used in several frames means all objects that have it.
    order = np.argsort(objects.label, kind="stable")
    found = objects.label[order]
    first, end = (np.searchsorted(found, ids, side) for side in ("left", "right"))
    missing = np.unique(ids[first == end])
    if len(missing):
        raise InvalidInputError(
            f"label_ids must all be in the label image; got {len(missing)} that are not, the first "
            f"{missing[:3].tolist()}. Use ids of the label image."
        )
    return np.concatenate([order[begin:stop] for begin, stop in zip(first, end, strict=True)])


def distinct_rows(objects: Objects, label_ids: npt.ArrayLike | None) -> npt.NDArray[np.intp]:
    """Rows of the objects with these labels, each of which must be given once; all if None."""
    rows = chosen_rows(objects, label_ids)
    if len(np.unique(rows)) < len(rows):
        raise InvalidInputError(
            f"label_ids must be different, since each sample has an identity of its own; got "
            f"{label_ids!r}. Name each object once."
        )
    return rows


def check_options(recipe: CropRecipe) -> None:
    """Raise if an option is unknown."""
    for name, known in (
        ("padding", get_args(Padding)),
        ("background", get_args(Background)),
        ("volume", get_args(Volume)),
    ):
        check_choice(name, getattr(recipe, name), known)
