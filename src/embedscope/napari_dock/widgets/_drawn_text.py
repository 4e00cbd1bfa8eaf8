"""Captions and descriptions of decoded samples, with their support."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from embedscope.explorer import Reconstruction, depth_in_words, name_of, names_of_rows
from embedscope.samples import Samples

_WELL_SUPPORTED, _UNSUPPORTED = 0.2, 0.01
_LARGEST_VALUES = 6


def caption_of(drawn: Reconstruction, samples: Samples) -> str:
    """A caption for a decoded sample."""
    if not drawn.decoded:
        return "The nearest real sample (no decoder yet)"
    if drawn.style_of is None:
        return "Typical sample here"
    name = name_of(samples, drawn.style_of)
    if drawn.style == "own":
        return f"This sample, from its own code ({name})"
    if drawn.style == "carried":
        return f"Carried here from {name}"
    return f"Another: code of {name}"


def caption_of_path(path: Sequence[Reconstruction], samples: Samples) -> str:
    """A caption for a path of decoded samples, with the sample whose style code they have."""
    carried = path[0].style_of
    if carried is None or not path[0].decoded:
        return "path on the map"
    return f"{name_of(samples, carried)} carried along a path"


def is_unsupported(drawn: Reconstruction) -> bool:
    """Whether there are no data near the point that was decoded."""
    return drawn.support < _UNSUPPORTED


def describe(drawn: Reconstruction, samples: Samples) -> list[str]:
    """Lines with the support and, for a table, the largest values and the nearest samples."""
    support = f"support {100 * drawn.support:.0f} %"
    if is_unsupported(drawn):
        support += ": far from all data, an extrapolation"
    elif drawn.support < _WELL_SUPPORTED:
        support += ": few samples near"
    if samples.is_image:
        shown = depth_in_words(samples)
        return [support, f"picture: {shown}"] if shown else [support]
    nearest = ", ".join(names_of_rows(samples, drawn.neighbor_rows))
    return [support, _values(drawn, samples), f"Nearest real samples: {nearest}."]


def _values(drawn: Reconstruction, samples: Samples) -> str:
    """The features with the largest absolute values, as scaled for training, with their spread."""
    values = np.asarray(drawn.sample, dtype=np.float64)
    names = samples.feature_names
    said = []
    for k in np.argsort(-np.abs(values))[:_LARGEST_VALUES]:
        name = names[k] if k < len(names) else k
        spread = "" if drawn.spread is None else f" ± {float(drawn.spread[k]):.2g}"
        said.append(f"{name} {values[k]:.3g}{spread}")
    return ", ".join(said)
