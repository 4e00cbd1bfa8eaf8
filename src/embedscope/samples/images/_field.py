"""An opened image with its labels: its axes, and how a region of it is read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from embedscope._errors import InvalidInputError
from embedscope.samples.identity._arrays import chunk_sides, finest_level, read

Array = npt.NDArray[Any]
Box = tuple[slice, ...]

AXES = ("yx", "zyx", "tyx", "tzyx")
"""Axes that labels may have."""

LARGEST_WHOLE = 2**53
"""Up to here a float of 64 bits holds every whole number."""


@dataclass(frozen=True, eq=False)
class Field:
    """An image and its labels, read one region of one frame at a time.

    Attributes
    ----------
    image : array
        The finest level, with `image_axes`.
    labels : array or None
        The finest level, with `axes`.
    axes, image_axes : str
        One of `AXES`, and the same with "c" at any index if there are channels.
    is_rgb : bool
        Whether the channels are red, green and blue; a fourth, alpha, is not read.
    """

    image: Any
    labels: Any
    axes: str
    image_axes: str
    is_rgb: bool = False

    @property
    def n_frames(self) -> int:
        """Number of time points; 1 without a time axis."""
        return self._side("t") if "t" in self.axes else 1

    @property
    def n_channels(self) -> int:
        """Number of channels that are read; 1 without a channel axis."""
        return 3 if self.is_rgb else self.n_stored

    @property
    def n_stored(self) -> int:
        """Number of channels of the image; 1 without a channel axis."""
        return self._side("c") if "c" in self.image_axes else 1

    @property
    def spatial_axes(self) -> str:
        """The axes without time: "yx" or "zyx"."""
        return self.axes.replace("t", "")

    @property
    def shape(self) -> tuple[int, ...]:
        """Length of each spatial axis in pixels."""
        return tuple(self._side(axis) for axis in self.spatial_axes)

    def read_image(self, frame: int, box: Box) -> Array:
        """Read pixels of one frame in the box's shape, with channels last, also if there is one."""
        where = dict(zip(self.spatial_axes, box, strict=True))
        where |= {"t": frame, "c": slice(self.n_channels)}  # type: ignore[dict-item]  # an int drops the axis
        pixels = read(self.image, tuple(where[axis] for axis in self.image_axes))
        if "c" not in self.image_axes:
            return pixels[..., np.newaxis]
        return np.moveaxis(pixels, self.image_axes.replace("t", "").index("c"), -1)

    def read_labels(self, frame: int, box: Box) -> Array:
        """Read labels of one frame in the box's shape, as integers.

        Raises
        ------
        InvalidInputError
            If a label is no whole number.
        """
        labels = read(self.labels, (frame, *box) if "t" in self.axes else box)
        return _whole_labels(labels) if labels.dtype.kind == "f" else labels

    def image_chunks(self) -> tuple[int, ...]:
        """Side of an image chunk along each spatial axis."""
        sides = dict(zip(self.image_axes, chunk_sides(self.image), strict=True))
        return tuple(sides[axis] for axis in self.spatial_axes)

    def label_chunks(self) -> tuple[int, ...]:
        """Side of a label chunk along each spatial axis."""
        sides = dict(zip(self.axes, chunk_sides(self.labels), strict=True))
        return tuple(sides[axis] for axis in self.spatial_axes)

    def _side(self, axis: str) -> int:
        return int(self.image.shape[self.image_axes.index(axis)])


def open_field(
    image: Any, labels: Any, axes: str | None = None, image_axes: str | None = None
) -> Field:
    """Open an image with its labels; reads no pixels.

    Parameters
    ----------
    image, labels : array or pyramid
        As `samples_from_labels`.
    axes, image_axes : str, optional
        As `samples_from_labels`.

    Raises
    ------
    InvalidInputError
        If axes are unknown, ambiguous or do not fit, shapes differ, an array is empty, labels are
        not integers or pixels are not real numbers.
    """
    label_image = finest_level(labels, "labels")
    pixels = finest_level(image, "image")
    check_image(pixels)
    check_labels(label_image)
    axes = _label_axes(label_image.ndim, axes)
    image_axes = _image_axes(pixels.ndim, axes, image_axes)
    field = Field(pixels, label_image, axes, image_axes)
    expected = tuple(field._side(axis) for axis in axes)
    if tuple(label_image.shape) != expected:
        raise InvalidInputError(
            f"labels must have the image's height and width (and depth and frames); got shape "
            f"{tuple(label_image.shape)} for an image of {' x '.join(map(str, expected))} pixels "
            f"({axes}; image axes {image_axes!r}). Pass the label image that was made from this "
            "image, at the same scale, and image_axes if the channels are not last."
        )
    return field


def open_image(image: Any, image_axes: str | None = None) -> Field:
    """Open an image without labels; reads no pixels.

    Parameters
    ----------
    image : array or pyramid
        As `samples_from_patches`.
    image_axes : str, optional
        "yx" for 2 axes; for 3, "yxc" if the last has at most 4 entries.

    Raises
    ------
    InvalidInputError
        If axes are unknown, ambiguous or do not fit, or pixels are not real numbers.
    """
    pixels = finest_level(image, "image")
    check_image(pixels)
    if image_axes is None:
        guesses = {2: "yx", 3: "yxc" if pixels.shape[-1] <= 4 else "", 5: "tzyxc"}
        image_axes = guesses.get(pixels.ndim, "")
        if not image_axes:
            raise InvalidInputError(
                f"image_axes must be given for an image of shape {tuple(pixels.shape)}; got None. "
                "Name every axis, for example 'tyx', 'zyx', 'cyx' or 'tyxc'."
            )
    axes = image_axes.replace("c", "")
    return Field(pixels, None, axes, _image_axes(pixels.ndim, _known_axes(axes), image_axes))


def check_image(pixels: Any) -> None:
    """Raise if an image is empty or not of real numbers."""
    if pixels.ndim < 2 or 0 in pixels.shape or pixels.dtype.kind not in "uif":
        raise InvalidInputError(
            "image must be a non-empty array of real numbers with at least a height and a width; "
            f"got shape {tuple(pixels.shape)} and dtype {pixels.dtype}. Convert it first."
        )


def check_labels(label_image: Any) -> None:
    """Raise if labels are no numbers; whether floats are whole is known when they are read."""
    if label_image.dtype.kind not in "uif":
        raise InvalidInputError(
            f"labels must be an array of whole numbers; got dtype {label_image.dtype}. Number the "
            "objects first, for example with scipy.ndimage.label."
        )


def _whole_labels(labels: Array) -> npt.NDArray[np.int64]:
    """Labels of dtype float as integers: ImageJ has no other kind for more than 65,535 objects."""
    wrong = ~(np.abs(labels) <= LARGEST_WHOLE) | (labels != np.floor(labels))
    if wrong.any():
        raise InvalidInputError(
            f"labels must be whole numbers of at most 2**53; got {labels[wrong][0]}, in an image "
            f"of dtype {labels.dtype}. Pass the image that holds the number of each object, not "
            "one of probabilities or intensities."
        )
    return labels.astype(np.int64)


def _label_axes(n_axes: int, axes: str | None) -> str:
    if axes is None:
        if n_axes == 3:
            raise InvalidInputError(
                "axes must be given for labels of 3 dimensions; got None. Pass axes='tyx' for a "
                "time series or axes='zyx' for a volume."
            )
        if n_axes not in (2, 4):
            raise InvalidInputError(
                f"labels must have 2 to 4 axes, of time, depth, height and width; got {n_axes}. "
                "Labels have no channels: pass labels[:, 0] of an OME-Zarr array with the axes t, "
                "c, z, y and x, and its image with image_axes='tczyx'; or labels[0, 0, 0], one "
                "plane."
            )
        axes = {2: "yx", 4: "tzyx"}[n_axes]
    if len(_known_axes(axes)) != n_axes:
        raise InvalidInputError(
            f"axes must name every axis of the labels; got {axes!r} for {n_axes} dimensions. Use "
            f"one of {AXES}."
        )
    return axes


def _known_axes(axes: str) -> str:
    if axes not in AXES:
        without = str(axes).replace("c", "")
        remedy = (
            f"Give axes={without!r} and image_axes={axes!r}."
            if without in AXES
            else "Reorder the array with numpy.transpose if its axes come in another order."
        )
        raise InvalidInputError(
            f"axes must be one of {AXES} (image_axes may add 'c'); got {axes!r}. {remedy}"
        )
    return axes


def _image_axes(n_axes: int, axes: str, image_axes: str | None) -> str:
    if image_axes is None:
        image_axes = axes if n_axes == len(axes) else axes + "c"
    if image_axes.replace("c", "", 1) != axes or len(image_axes) != n_axes:
        raise InvalidInputError(
            f"image_axes must be the labels' axes {axes!r}, with or without 'c', one for each of "
            f"the image's {n_axes} dimensions; got {image_axes!r}. Put 'c' where the channels are, "
            "for example 'cyx'."
        )
    return image_axes
