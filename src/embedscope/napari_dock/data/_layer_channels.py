"""Matches image layers to the channels of existing samples: by name, never by order."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from embedscope._errors import InvalidInputError
from embedscope.samples import LeftOut
from embedscope.samples.images import RGB_NAMES

_SUFFIX = re.compile(r" \[\d+\]$")  # napari appends it if a name is taken
_WORD = re.compile(r"[^\W_]+")


def matched_channels(
    channels: Sequence[str], images: Sequence[Any]
) -> tuple[tuple[Any, ...], tuple[LeftOut, ...]]:
    """Put layers in the order of the channels.

    Names are compared unchanged; then without napari's " [1]"; then without the words that all
    names of an image share: "DAPI day 2" and "GFP day 2" match "DAPI" and "GFP" of another image.

    Parameters
    ----------
    channels : sequence of str
        Names of the channels of the existing samples.
    images : sequence of napari.layers.Image
        One for each channel, or one with colours.

    Returns
    -------
    images : tuple of napari.layers.Image
    notes : tuple of LeftOut
        For each layer that is matched to a channel of another name.

    Raises
    ------
    InvalidInputError
        If the layers are not these channels, or the names are ambiguous.
    """
    if len(images) == 1 and images[0].rgb:
        # Names that colours got in earlier versions, with alpha.
        numbered = tuple(f"channel {k}" for k in range(len(channels)))
        if tuple(channels) not in (RGB_NAMES, numbered):
            raise _differ(channels, images, "one layer with colours")
        return tuple(images), ()
    if not images or len(images) != len(channels):
        raise _differ(channels, images)
    names = [str(layer.name) for layer in images]
    for plain in (list, _without_suffix, _without_common):
        wanted, given = plain(channels), plain(names)
        if len(set(wanted)) == len(wanted) and set(wanted) == set(given):
            order = [given.index(name) for name in wanted]
            return tuple(images[k] for k in order), _notes(channels, [names[k] for k in order])
    raise _differ(channels, images)


def _without_suffix(names: Sequence[str]) -> list[str]:
    return [_SUFFIX.sub("", name) for name in names]


def _without_common(names: Sequence[str]) -> list[str]:
    """The words in which the names differ; none for a single name."""
    words = [_WORD.findall(name) for name in names]
    while all(words) and len({each[0] for each in words}) == 1:
        words = [each[1:] for each in words]
    while all(words) and len({each[-1] for each in words}) == 1:
        words = [each[:-1] for each in words]
    return [" ".join(each) for each in words]


def _notes(channels: Sequence[str], names: Sequence[str]) -> tuple[LeftOut, ...]:
    pairs = zip(channels, _without_suffix(channels), names, _without_suffix(names), strict=True)
    return tuple(
        LeftOut(f"name of the layer {name!r}", f"was taken for the channel {channel!r}")
        for channel, plain_channel, name, plain_name in pairs
        if plain_channel != plain_name
    )


def _differ(channels: Sequence[str], images: Sequence[Any], got: str = "") -> InvalidInputError:
    names = [str(layer.name) for layer in images]
    return InvalidInputError(
        f"image layers must be the channels of the samples on the map, {list(channels)}; got "
        f"{got or names}. Check the layers of these channels, and rename them if their names "
        "differ."
    )
