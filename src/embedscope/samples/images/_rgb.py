"""RGB images: three channels that are one picture, whose hues mean something, as in histology."""

from __future__ import annotations

from dataclasses import replace

from embedscope._errors import InvalidInputError
from embedscope.samples.common._samples import LeftOut, NotLearned
from embedscope.samples.images._field import Field

RGB_NAMES = ("red", "green", "blue")


def as_rgb(field: Field) -> Field:
    """The field, read as an RGB picture without its alpha channel.

    Raises
    ------
    InvalidInputError
        If it has neither three nor four channels.
    """
    check_rgb("image", field.n_channels)
    return replace(field, is_rgb=True)


def check_rgb(name: str, n_channels: int) -> None:
    """Raise unless there are so many channels as an RGB picture has, with or without alpha.

    Raises
    ------
    InvalidInputError
    """
    if n_channels not in (3, 4):
        raise InvalidInputError(
            f"{name} must have the channels red, green and blue, and perhaps alpha, for rgb=True; "
            f"got {n_channels}. Leave rgb out, or put the channels where they are expected."
        )


def alpha_notes(field: Field, name: str) -> tuple[LeftOut, ...]:
    """What to say of the alpha channel of a source, if it has one."""
    return alpha_note(name) if field.is_rgb and field.n_stored == 4 else ()


def alpha_note(name: str) -> tuple[LeftOut, ...]:
    """What to say of the alpha channel of a source."""
    return (NotLearned(f"alpha of {name}", "it is opacity, which says nothing of the object"),)
