"""Checks that the intensities of a later image are comparable to those of the first ones."""

from __future__ import annotations

from typing import Any

import numpy as np

from embedscope._errors import InvalidInputError
from embedscope.samples.common._samples import LeftOut, Samples
from embedscope.samples.identity._arrays import finest_level


def check_intensities(
    samples: Samples, pixels: Any, name: str, *, are_interpolated: bool = False
) -> tuple[LeftOut, ...]:
    """Raise if an image has another range of numbers than those the scale was measured on.

    Parameters
    ----------
    samples : Samples
        The earlier samples.
    pixels : array
        The later image.
    name : str
        Name of its source.
    are_interpolated : bool
        The pictures are interpolated or averaged, so their dtype is not that of their image.

    Returns
    -------
    tuple of LeftOut
        A warning where integers follow floats, or floats follow integers: a filtered image may
        still be on the same scale.

    Raises
    ------
    InvalidInputError
        If both are integers of different sizes, such as a 16-bit image and its 8-bit export.
    """
    known = _dtypes(samples, are_interpolated=are_interpolated)
    now = np.dtype(pixels.dtype)
    if not known or any(_are_alike(now, each) for each in known):
        return ()
    first = known[0]
    if now.kind in "ui" and all(each.kind in "ui" for each in known):
        raise InvalidInputError(
            f"image must have the dtype of the first one, {first}, whose intensities the scale was "
            f"measured on; got {now}. Take the image as the microscope wrote it; or, if its "
            f"numbers mean the same, convert it with image.astype(numpy.{first})."
        )
    reason = f"are {now}, but the scale was measured on {first}: check that they are comparable"
    return (LeftOut(f"intensities of {name}", reason),)


def _dtypes(samples: Samples, *, are_interpolated: bool) -> list[np.dtype[Any]]:
    """Dtypes of the images that samples were cut from; of the pictures, if images are missing."""
    images = [source.image for source in samples.sources.values() if source.image is not None]
    if images:
        return [np.dtype(finest_level(image).dtype) for image in images]
    return [] if samples.images is None or are_interpolated else [samples.images.dtype]


def _are_alike(one: np.dtype[Any], other: np.dtype[Any]) -> bool:
    both_fractions = one.kind == other.kind == "f"
    return both_fractions or (one.kind, one.itemsize) == (other.kind, other.itemsize)
