"""RGB images: three channels that are one picture, whose hues mean something, as in histology."""

from __future__ import annotations

from dataclasses import replace

from embedscope._errors import InvalidInputError
from embedscope.samples.common._samples import LeftOut
from embedscope.samples.images._field import Field

RGB_NAMES = ("red", "green", "blue")


def as_rgb(field: Field) -> Field:
    """The field, read as an RGB picture without its alpha channel.

    Raises
    ------
    InvalidInputError
        If it has neither three nor four channels.
    """
    if field.n_channels not in (3, 4):
        raise InvalidInputError(
            "image must have the channels red, green and blue, and perhaps alpha, for rgb=True; "
            f"got {field.n_channels}. Leave rgb out, or name the axes in image_axes."
        )
    return replace(field, is_rgb=True)


def alpha_notes(field: Field, name: str) -> tuple[LeftOut, ...]:
    """What to say of the alpha channel of a source, if it has one."""
    if not (field.is_rgb and field.n_stored == 4):
        return ()
    return (LeftOut(f"alpha of {name}", "it is opacity, which says nothing of the object"),)
