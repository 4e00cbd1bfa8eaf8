"""The style code to decode with: none, that of one sample, or that of a neighbour.

A style code is a short vector of the properties that the position on the map does not determine.
Without one, the decoder gives the typical sample of a point.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from embedscope._errors import InvalidInputError
from embedscope.explorer.answers._places import PlaceIndex
from embedscope.samples import SampleId, Samples

RANDOM = "random"

_N_NEIGHBORS = 15  # nearest real samples, of which one gives its code

CodeOf = Callable[[Samples, int], npt.NDArray[np.float32]]


@dataclass(frozen=True, eq=False)
class Styles:
    """The style codes for k points.

    Attributes
    ----------
    codes : ndarray of shape (k, n_style_components), float32, or None
        None for typical samples.
    kinds : tuple of str
        For each point "typical", "own", "carried" or "random".
    samples : tuple of SampleId or None
        For each point the sample of the code.
    """

    codes: npt.NDArray[np.float32] | None
    kinds: tuple[str, ...]
    samples: tuple[SampleId | None, ...]


ChooseStyles = Callable[[npt.NDArray[np.float64]], Styles]


def choose_typical(points: npt.NDArray[np.float64]) -> Styles:
    """No code at any point."""
    return Styles(None, ("typical",) * len(points), (None,) * len(points))


@dataclass(frozen=True, eq=False)
class StyleOfSample:
    """The code of one sample at every point.

    Parameters
    ----------
    identity : SampleId
    code : ndarray of shape (n_style_components,), float32
    home : ndarray of shape (2,), float
        Position of the sample.
    at_home : float
        Up to this distance from `home`, in map units, a point counts as its own position.
    """

    identity: SampleId
    code: npt.NDArray[np.float32]
    home: npt.NDArray[Any]
    at_home: float

    def __call__(self, points: npt.NDArray[np.float64]) -> Styles:
        distances = np.linalg.norm(points - self.home, axis=1)
        kinds = tuple("own" if near else "carried" for near in distances <= self.at_home)
        codes = np.repeat(self.code[np.newaxis], len(points), axis=0)
        return Styles(codes, kinds, (self.identity,) * len(points))


@dataclass(frozen=True, eq=False)
class StyleOfNeighbor:
    """At each point the code of one of the nearest real samples, chosen at random.

    Parameters
    ----------
    code_of : callable
        ``code_of(samples, row)`` gives the code of one sample.
    places : PlaceIndex
    samples : Samples
        Those without a picture have no code, and are left out.
    rng : numpy.random.Generator
    not_again : SampleId or None
        The sample whose code is taken only if there is no other.
    """

    code_of: CodeOf
    places: PlaceIndex
    samples: Samples
    rng: np.random.Generator
    not_again: SampleId | None = None

    def __call__(self, points: npt.NDArray[np.float64]) -> Styles:
        rows = [self._choose(point) for point in points]
        codes = np.stack([self.code_of(self.samples, row) for row in rows])
        identities = self.samples.identities
        return Styles(codes, ("random",) * len(rows), tuple(identities[row] for row in rows))

    def _choose(self, point: npt.NDArray[np.float64]) -> int:
        identities, absent = self.samples.identities, self.samples.absent
        near, _ = self.places.nearest(point, _N_NEIGHBORS)
        there = [int(row) for row in near if identities[row].source not in absent]
        if not there:
            raise InvalidInputError(
                'style must be None where no sample near the point has a picture; got "random". '
                "Attach the images that the samples were cut from."
            )
        others = [row for row in there if identities[row] != self.not_again]
        return int(self.rng.choice(others or there))


def find_row(style: Any, samples: Samples, *, may_be_random: bool = False) -> int:
    """Row of the sample whose style code to use.

    Parameters
    ----------
    style : SampleId
        Or a tuple (source, frame, label).
    samples : Samples
    may_be_random : bool, default=False
        Whether "random" is allowed, for the error.

    Raises
    ------
    InvalidInputError
        If it is no identity, or there is no such sample.
    """
    if not isinstance(style, tuple | list) or len(style) != 3:
        choices = f'None, "{RANDOM}"' if may_be_random else "None"
        raise InvalidInputError(
            f"style must be {choices} or the identity of a sample; got {style!r:.200}. Take one of "
            "samples.identities."
        )
    source, frame, label = style
    if not _is_whole(frame) or not (_is_whole(label) or (isinstance(label, str) and label)):
        row = -1
    else:
        row = int(samples.identities.rows(source, [label], frame)[0])
    if row < 0:
        raise InvalidInputError(
            f"style must be of one of these {len(samples):,} samples; got {tuple(style)!r:.200}. "
            "Take one of samples.identities."
        )
    return row


def _is_whole(value: Any) -> bool:
    return isinstance(value, int | np.integer) and 0 <= int(value) < 2**63
