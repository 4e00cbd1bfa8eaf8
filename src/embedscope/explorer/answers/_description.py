"""A sample in words: its name, and the values of its features."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from embedscope.samples import SampleId, Samples


@dataclass(frozen=True)
class SampleDescription:
    """A sample in words, for a hover text or a list.

    Attributes
    ----------
    name : str
        Source, label and, in a series, frame: "cells 12, frame 3".
    values : tuple of (str, str)
        Names and values of features; numbers have four significant digits.
    """

    name: str
    values: tuple[tuple[str, str], ...] = ()


def name_of(samples: Samples, identity: SampleId) -> str:
    """The name of a sample, which need not be among `samples`.

    The frame is part of it if the source is a series: its axes include time, or one of its samples
    has a frame above 0.
    """
    return _name(identity, _series(samples))


def names_of_rows(samples: Samples, rows: Iterable[int]) -> list[str]:
    """The names of the samples in these rows."""
    series = _series(samples)
    return [_name(samples.identities[int(row)], series) for row in rows]


def describe_row(samples: Samples, row: int, first: str = "") -> SampleDescription:
    """Describe the sample in a row, with the values of all features.

    Parameters
    ----------
    samples : Samples
    row : int
    first : str
        Name of the feature to list first, if there is one.
    """
    names = [str(name) for name in samples.features.columns]
    names.sort(key=lambda name: name != first)  # stable: the others keep their order
    values = tuple((name, _as_text(samples.features[name].iloc[row])) for name in names)
    return SampleDescription(name_of(samples, samples.identities[row]), values)


def _series(samples: Samples) -> set[str]:
    """The sources that have several frames."""
    identities = samples.identities
    numbers = np.unique(identities.source[identities.frame > 0])
    series = {identities.sources[number] for number in numbers}
    return series | {name for name, each in samples.sources.items() if "t" in each.axes}


def _name(identity: SampleId, series: set[str]) -> str:
    source, frame, label = identity
    return f"{source} {label}, frame {frame}" if source in series else f"{source} {label}"


def _as_text(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float | np.floating) else str(value)
