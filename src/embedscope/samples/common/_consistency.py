"""Checks that the parts of samples fit together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from embedscope._errors import InvalidInputError
from embedscope.samples.identity._labels import is_background, is_text
from embedscope.samples.identity._source import has_background

if TYPE_CHECKING:
    from embedscope.samples.common._samples import Samples


def check_contents(samples: Samples) -> None:
    """Raise if samples hold both images and a table, or neither."""
    if (samples.images is None) == (samples.table is None):
        raise InvalidInputError(
            "samples must hold either images or a table; got both or neither. Give one of them."
        )


def check_lengths(samples: Samples) -> None:
    """Raise if a part does not have one row for each identity."""
    names = ("images", "table", "features", "bounding_boxes", "centroids")
    held = {name: getattr(samples, name) for name in names}
    if samples.learned is not None:
        held["learned"] = samples.learned.values
    n_rows = len(samples.identities)
    wrong = {n: len(v) for n, v in held.items() if v is not None and len(v) != n_rows}
    if wrong:
        raise InvalidInputError(
            f"samples must have {n_rows} rows of everything, as identities; got {wrong}. Give one "
            "row for each identity."
        )


def check_sources(samples: Samples) -> None:
    """Raise if a source is unknown, or the background is among objects."""
    named = samples.identities.sources
    missing = set(named) - samples.sources.keys()
    if missing:
        raise InvalidInputError(
            f"sources must hold all sources of identities; got none for {sorted(missing)}. Add a "
            "Source for each."
        )
    unknown = samples.absent.keys() - samples.sources.keys()
    if unknown:
        raise InvalidInputError(f"absent must name sources; got {sorted(unknown)}. Leave them out.")
    pixels = np.array([has_background(samples.sources[name]) for name in named], bool)
    labels = samples.identities.label
    # Points of a layer have axes, and their numbers as labels.
    placed = pixels | np.array([bool(samples.sources[name].axes) for name in named], bool)
    if is_text(labels) and placed[samples.identities.source].any():
        raise InvalidInputError(
            f"labels must be whole numbers for objects, patches and points; got text, the first "
            f"{labels[0]!r}. Number the samples of all sources, and keep the text as a feature."
        )
    if (pixels[samples.identities.source] & is_background(labels)).any():
        raise InvalidInputError(
            "labels must be larger than 0 for objects and patches; got 0, which is the background. "
            "Leave the background out."
        )
