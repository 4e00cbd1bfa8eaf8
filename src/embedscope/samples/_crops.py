"""Cut one crop around every labelled object.

A crop belongs to an object through the object's label id, never through its place in a table: ids
may have gaps, be large, or come in any order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from embedscope._errors import InvalidInputError
from embedscope.samples._geometry import Shape, measure_shapes
from embedscope.samples._sampling import (
    Padding,
    covers,
    gather,
    interpolate,
    turned_grid,
    upright_grid,
)

Background = Literal["keep", "zero", "median"]
Array = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class Crops:
    """Crops of equal size and who they are.

    Attributes
    ----------
    images : ndarray of shape (n_objects, size, size, n_channels)
        One crop per object, in the image's dtype, or float32 if the crops were aligned.
    label_ids : ndarray of shape (n_objects,)
        The label id of each crop, in the dtype of the label image.
    bounding_boxes : ndarray of shape (n_objects, 4), int64
        The object's own extent in the image, in pixels: first row, first column, and one past the
        last row and column.
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

    A crop is centred on the object's centroid, rounded to a whole pixel unless it is aligned. What
    sticks out of a crop smaller than the object is cut off.

    Parameters
    ----------
    image : array of shape (height, width) or (height, width, n_channels)
        The pixels, of any real dtype.
    labels : integer array of shape (height, width)
        The object that each pixel belongs to; 0 is background. Ids may have gaps.
    size : int
        Height and width of a crop in pixels, at least 1.
    label_ids : array of int of shape (n_objects,), optional
        Crop these objects only, in this order. All, by rising id, if None.
    padding : {"reflect", "zero"}
        What stands beyond the border of the image: its mirror image about the outermost pixels, or
        zeros.
    background : {"keep", "zero", "median"}
        What becomes of the pixels that are not the object's, neighbours included: kept, set to
        zero, or set to the median of the image's unlabelled pixels, channel by channel.
    align : bool
        Turn each crop so that the object's longest axis stands upright and its heavier end is
        below. Pixels are then interpolated linearly.

    Returns
    -------
    Crops
        The crops, the label id of each, and the objects' bounding boxes.

    Raises
    ------
    InvalidInputError
        If shapes do not match, labels are not integers of 0 or more, no object is labelled, a
        requested id is not in the label image, or an option is unknown.

    Notes
    -----
    A round object has no longest axis: its angle, and so its aligned crop, is arbitrary.
    """
    pixels = _checked_image(image)
    label_image = _checked_labels(labels, pixels.shape)
    _check_options(size, padding, background)
    shapes = measure_shapes(label_image)
    chosen = _chosen_shapes(shapes, label_ids)

    dtype = np.dtype(np.float32) if align else pixels.dtype
    images = np.empty((len(chosen), size, size, pixels.shape[2]), dtype=dtype)
    fill = _background_values(pixels, label_image, background).astype(dtype)
    for crop, shape in zip(images, chosen, strict=True):
        if align:
            grid = turned_grid(shape.centroid, shape.axis, size)
            crop[...] = interpolate(pixels, grid, padding)
        else:
            grid = upright_grid(shape.centroid, size)
            crop[...] = gather(pixels, grid, padding)
        if background != "keep":
            crop[~covers(label_image, shape.label_id, grid)] = fill
    return Crops(
        images=images,
        label_ids=np.array([shape.label_id for shape in chosen], dtype=label_image.dtype),
        bounding_boxes=np.array([shape.bounding_box for shape in chosen], dtype=np.int64),
    )


def _checked_image(image: npt.ArrayLike) -> Array:
    pixels = np.asarray(image)
    if pixels.ndim not in (2, 3) or pixels.size == 0 or pixels.dtype.kind not in "uif":
        raise InvalidInputError(
            "image must be a non-empty array of real numbers of shape (height, width) or (height, "
            f"width, n_channels); got shape {pixels.shape} and dtype {pixels.dtype}. Pass one 2D "
            "image with the channels last."
        )
    return pixels if pixels.ndim == 3 else pixels[..., np.newaxis]


def _checked_labels(labels: npt.ArrayLike, image_shape: tuple[int, ...]) -> Array:
    label_image = np.asarray(labels)
    if label_image.dtype.kind not in "ui":
        raise InvalidInputError(
            f"labels must be an array of integers; got dtype {label_image.dtype}. Number the "
            "objects first, for example with scipy.ndimage.label."
        )
    if label_image.shape != image_shape[:2]:
        raise InvalidInputError(
            f"labels must have the image's height and width; got shape {label_image.shape} for an "
            f"image of {image_shape[0]} x {image_shape[1]} pixels. Pass the label image that was "
            "made from this image, at the same scale."
        )
    if label_image.min() < 0:
        raise InvalidInputError(
            f"labels must be 0 (background) or larger; got {label_image.min()}. Set pixels to "
            "ignore to 0."
        )
    if not label_image.any():
        raise InvalidInputError(
            "labels must mark at least one object; got 0 in every pixel. Segment the image first."
        )
    return label_image


def _check_options(size: object, padding: str, background: str) -> None:
    if not isinstance(size, int | np.integer) or isinstance(size, bool) or size < 1:
        raise InvalidInputError(
            f"size must be an int of at least 1; got {size!r}. Give the crop's side in pixels."
        )
    for name, value, known in (
        ("padding", padding, get_args(Padding)),
        ("background", background, get_args(Background)),
    ):
        if value not in known:
            raise InvalidInputError(f"{name} must be one of {known}; got {value!r}. Choose one.")


def _chosen_shapes(shapes: list[Shape], label_ids: npt.ArrayLike | None) -> list[Shape]:
    """The shapes of the requested ids, in the order of the request."""
    if label_ids is None:
        return shapes
    ids = np.ravel(label_ids)
    if ids.dtype.kind not in "ui":
        raise InvalidInputError(
            f"label_ids must be integers, at least one; got {ids.size} of dtype {ids.dtype}. Use "
            "ids that stand in the label image."
        )
    by_id = {shape.label_id: shape for shape in shapes}
    wanted = [int(label_id) for label_id in ids]
    missing = sorted(set(wanted) - by_id.keys())
    if missing:
        raise InvalidInputError(
            f"label_ids must all be in the label image; got {len(missing)} that are not, the first "
            f"{missing[:3]}. Use ids that stand in the label image."
        )
    return [by_id[label_id] for label_id in wanted]


def _background_values(pixels: Array, label_image: Array, background: Background) -> Array:
    """One value per channel for the pixels that are not the object's."""
    outside = pixels[label_image == 0]
    if background != "median" or len(outside) == 0:
        return np.zeros(pixels.shape[2])
    return np.asarray(np.median(outside, axis=0))
