"""Decode points of the map, with the nearest real samples for comparison."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from embedscope._errors import InvalidInputError
from embedscope.explorer.answers._places import PlaceIndex
from embedscope.explorer.answers._styles import ChooseStyles, choose_typical
from embedscope.explorer.answers._support import MapSupport
from embedscope.explorer.marks._regions import check_point, check_points

if TYPE_CHECKING:
    from embedscope.explorer.answers._spread import MapSpread
    from embedscope.samples import SampleId, Samples

_MOST_STEPS = 10_000  # more pictures than a user looks at

DecodeFunction = Callable[..., npt.NDArray[Any] | None]
Turn = Callable[[npt.NDArray[Any], "Sequence[SampleId | None]"], npt.NDArray[Any]]


def as_decoded(
    pictures: npt.NDArray[Any], styles_of: Sequence[SampleId | None]
) -> npt.NDArray[Any]:
    """Decoded pictures as they are."""
    return pictures


@dataclass(frozen=True, eq=False)
class Reconstruction:
    """A decoded point of the map, and the nearest real samples.

    Attributes
    ----------
    point : ndarray of shape (2,), float64
        The point, in map units.
    sample : ndarray of shape sample_shape, float32
        The decoded sample, in the range of ``samples.X``; the nearest real one if `decoded` is
        False.
    picture : ndarray of shape (h, w, 3), uint8, or None
        The sample as a picture; None for tables.
    neighbor_rows : ndarray of shape (k,), int64
        Rows of the nearest real samples, nearest first.
    neighbor_distances : ndarray of shape (k,), float64
        Their distances in map units.
    support : float
        In 0..1: the share of the training samples that are at least as isolated as this point. Near
        0, the picture is an extrapolation.
    decoded : bool
        False if there is no decoder, or none yet.
    spread : ndarray of shape sample_shape, float32, or None
        Standard deviation of unseen samples at this point around the typical one, in the range of
        ``samples.X``, for any `style`. None if it was not measured.
    spread_picture : ndarray of shape (h, w, 3), uint8, or None
        The spread in grey, brighter where the picture is less certain: black is 0, white the 99th
        percentile over the pixels at the positions of 64 training samples. The scale is the same
        for all points of a map, so two of them can be compared. Channels are combined by the root
        of their mean variance, depth by its maximum. None for tables.
    style : {"typical", "own", "carried", "random"}
        The style code: none, which gives the typical sample of the point; that of the sample at
        this position; that of a sample from elsewhere, carried here; or that of a random real
        neighbour.
    style_of : SampleId or None
        The sample of the style code; None if `style` is "typical".
    """

    point: npt.NDArray[np.float64]
    sample: npt.NDArray[np.float32]
    picture: npt.NDArray[np.uint8] | None
    neighbor_rows: npt.NDArray[np.int64]
    neighbor_distances: npt.NDArray[np.float64]
    support: float
    decoded: bool
    spread: npt.NDArray[np.float32] | None = None
    spread_picture: npt.NDArray[np.uint8] | None = None
    style: str = "typical"
    style_of: SampleId | None = None


def decode(
    draw: DecodeFunction,
    point: npt.ArrayLike,
    places: PlaceIndex,
    support: MapSupport,
    samples: Samples,
    k: int = 5,
    *,
    styles: ChooseStyles = choose_typical,
    spread: MapSpread | None = None,
    turn: Turn = as_decoded,
) -> Reconstruction:
    """Decode a point of the map.

    Parameters
    ----------
    draw : callable
        ``draw(points)`` gives typical samples of shape (n_points, *sample_shape) for points of
        shape (n_points, 2), or None without a decoder; ``draw(points, codes)`` decodes with a style
        code for each point.
    point : array-like of shape (2,)
        Map coordinates.
    places : PlaceIndex
        Of all samples.
    support : MapSupport
        Of the training samples.
    samples : Samples
    k : int, default=5
        Nearest real samples to give, at least 1.
    styles : callable
        ``styles(points)`` gives the style codes; by default, typical samples are decoded.
    spread : MapSpread, optional
        Measures the spread of unseen samples around the typical one.
    turn : callable
        ``turn(pictures, styles_of)`` turns decoded pictures and their spreads, of shape
        (n_points, *sample_shape), with the sample of each style code, or None.

    Returns
    -------
    Reconstruction

    Raises
    ------
    InvalidInputError
        If the point is not a finite pair of numbers, or no sample has a position yet.
    """
    points = check_point(point, "point")[np.newaxis]
    return decode_points(
        draw, points, places, support, samples, k, styles=styles, spread=spread, turn=turn
    )[0]


def decode_path(
    draw: DecodeFunction,
    points: npt.ArrayLike,
    places: PlaceIndex,
    support: MapSupport,
    samples: Samples,
    n_steps: int = 12,
    k: int = 5,
    *,
    styles: ChooseStyles = choose_typical,
    spread: MapSpread | None = None,
    turn: Turn = as_decoded,
) -> tuple[Reconstruction, ...]:
    """Decode points along a path on the map, all at once.

    Parameters
    ----------
    draw, places, support, samples, k, styles, spread, turn
        As in `decode`.
    points : array-like of shape (n_points, 2)
        Corners of the path, at least two.
    n_steps : int, default=12
        Points, at least 2: the first and last corner, and points at even distances along the path
        between them.

    Returns
    -------
    tuple of Reconstruction

    Raises
    ------
    InvalidInputError
        If the points are not two or more finite pairs of numbers, there are fewer than two steps,
        or no sample has a position yet.
    """
    along = space_evenly(points, n_steps)
    return decode_points(
        draw, along, places, support, samples, k, styles=styles, spread=spread, turn=turn
    )


def space_evenly(points: npt.ArrayLike, n_steps: Any) -> npt.NDArray[np.float64]:
    """Points at even distances along a path.

    Parameters
    ----------
    points : array-like of shape (n_points, 2)
        Corners of the path, at least two.
    n_steps : int
        Points, at least 2.

    Returns
    -------
    ndarray of shape (n_steps, 2), float64
        From the first corner to the last; all equal for a path without length.
    """
    corners = check_points(points, "points")
    if len(corners) < 2:
        raise InvalidInputError(
            f"points must be at least 2 corners of a path; got {len(corners)}. Decode a single "
            "point with decode."
        )
    if not isinstance(n_steps, int | np.integer) or not 2 <= n_steps <= _MOST_STEPS:
        raise InvalidInputError(
            f"n_steps must be an int in [2, {_MOST_STEPS}], the ends of the path included; got "
            f"{n_steps!r}. Give a whole number in this range."
        )
    lengths = np.linalg.norm(np.diff(corners, axis=0), axis=1)
    moves = np.append(True, lengths > 0)  # a repeated corner adds no length
    walked = np.append(0.0, np.cumsum(lengths))[moves]
    wanted = np.linspace(0.0, walked[-1], n_steps)
    return np.stack([np.interp(wanted, walked, axis) for axis in corners[moves].T], axis=1)


def decode_points(
    draw: DecodeFunction,
    points: npt.ArrayLike,
    places: PlaceIndex,
    support: MapSupport,
    samples: Samples,
    k: int = 5,
    *,
    styles: ChooseStyles = choose_typical,
    spread: MapSpread | None = None,
    turn: Turn = as_decoded,
) -> tuple[Reconstruction, ...]:
    """Decode many points of the map, all at once.

    Parameters
    ----------
    draw, places, support, samples, k, styles, spread, turn
        As in `decode`.
    points : array-like of shape (n_points, 2)
        Map coordinates, at least one point.

    Returns
    -------
    tuple of Reconstruction

    Raises
    ------
    InvalidInputError
        If there is no point, one is no finite pair of numbers, or no sample has a position yet.
    """
    points = check_points(points, "points")
    if not len(points):
        raise InvalidInputError("points must be at least one point; got none. Give one.")
    neighbors = [places.nearest(point, k) for point in points]
    if not len(neighbors[0][0]):
        raise InvalidInputError(
            "places must hold at least one sample; got none with a position on the map. Train "
            "first, or wait for the first picture of the map."
        )
    chosen = styles(points)
    drawn = draw(points) if chosen.codes is None else draw(points, chosen.codes)
    decoded = drawn is not None
    spreads: Any = [None] * len(points)
    if drawn is None:
        drawn = samples.inputs([rows[0] for rows, _ in neighbors])
    else:
        drawn = turn(drawn, chosen.samples)
        if spread is not None:
            spreads = turn(spread(points), chosen.samples)
    return tuple(
        Reconstruction(
            point,
            np.asarray(sample, dtype=np.float32),
            samples.to_picture(sample) if samples.is_image else None,
            rows,
            distances,
            float(score),
            decoded,
            strayed,
            _picture_of(spread, strayed, samples),
            kind,
            whose,
        )
        for point, sample, (rows, distances), score, strayed, kind, whose in zip(
            points,
            drawn,
            neighbors,
            support.score(points),
            spreads,
            chosen.kinds,
            chosen.samples,
            strict=True,
        )
    )


def _picture_of(
    spread: MapSpread | None, strayed: npt.NDArray[np.float32] | None, samples: Samples
) -> npt.NDArray[np.uint8] | None:
    if spread is None or strayed is None or not samples.is_image:
        return None
    return spread.picture(strayed)
