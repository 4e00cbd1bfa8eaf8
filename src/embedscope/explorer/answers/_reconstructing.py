"""Real samples beside their reconstructions: from the position alone, and with the style code."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from embedscope._errors import InvalidInputError
from embedscope.samples import SampleId, Samples

_BLOCK_SAMPLES = 256
_FULL_COLOR = 0.25  # of the range of samples.X: the difference that gets the full colour
_BRIGHTER = np.array([255, 128, 0], np.float32)  # orange and blue differ for any colour vision
_DARKER = np.array([0, 128, 255], np.float32)


class ReconstructingMap(Protocol):
    """The part of `MapAnalysis` that reconstruction uses."""

    @property
    def has_style(self) -> bool:
        """Whether its samples have style codes."""

    @property
    def mean_error(self) -> float:
        """Mean squared error of the mean training sample as reconstruction of all of them."""

    def find_places(self, samples: Samples, rows: Any) -> npt.NDArray[np.float32]:
        """Positions of some samples, shape (n, 2)."""

    def find_codes(self, samples: Samples, rows: Any) -> npt.NDArray[np.float32]:
        """Their style codes, shape (n, n_style_components)."""

    def draw(
        self, points: npt.NDArray[np.float32], codes: npt.NDArray[np.float32] | None = None
    ) -> npt.NDArray[np.float32] | None:
        """Decoded samples; None without a decoder."""

    def as_samples_lie(
        self, drawn: npt.NDArray[np.float32], values: npt.NDArray[np.float32]
    ) -> npt.NDArray[np.float32]:
        """Decoded samples, each turned as the sample with these values lies."""


@dataclass(frozen=True, eq=False)
class SampleReconstruction:
    """One real sample, and its reconstruction.

    Attributes
    ----------
    row : int or None
        Its row among the explored samples; None for other samples.
    id : SampleId
    original, picture, typical : ndarray of shape (h, w, 3), uint8, or None
        The sample; its reconstruction from position and own style code; its reconstruction from the
        position alone. None for tables.
    difference : ndarray of shape (h, w, 3), uint8, or None
        `picture` minus `original` in two colours: orange where the reconstruction is brighter, blue
        where it is darker, black where both are equal. The colour is full from a difference of a
        quarter of the range of ``samples.X`` (0.25) on. Of the channels, and of the depth of a
        volume, the largest difference is shown. None for tables.
    sample, reconstruction : ndarray of shape sample_shape, float32
        The sample, and its reconstruction from position and own style code, in the range of
        ``samples.X``.
    error : float
        Squared error of `reconstruction`, as a share of the mean squared error of the mean training
        sample: 0 is exact, 1 no better than the mean.
    typical_error : float
        The same from the position alone. Equal to `error` on a map without style codes.
    is_held_out : bool or None
        True if the sample was held out from the fit of the decoder, False if not; None for a sample
        that the map was not trained on.
    """

    row: int | None
    id: SampleId
    original: npt.NDArray[np.uint8] | None
    picture: npt.NDArray[np.uint8] | None
    typical: npt.NDArray[np.uint8] | None
    difference: npt.NDArray[np.uint8] | None
    sample: npt.NDArray[np.float32]
    reconstruction: npt.NDArray[np.float32]
    error: float
    typical_error: float
    is_held_out: bool | None


@dataclass(frozen=True, eq=False)
class _Decoded:
    """A block of samples and their reconstructions, all of shape (k, *sample_shape)."""

    rows: npt.NDArray[np.int64]
    values: npt.NDArray[np.float32]
    typical: npt.NDArray[np.float32]
    own: npt.NDArray[np.float32]


def reconstruct(
    map_: ReconstructingMap,
    samples: Samples,
    rows: npt.NDArray[np.int64],
    positions: npt.NDArray[np.float32] | None = None,
    held_out: npt.NDArray[np.object_] | None = None,
) -> tuple[SampleReconstruction, ...]:
    """Reconstruct samples from their positions and their own style codes.

    Parameters
    ----------
    map_ : MapAnalysis
    samples : Samples
    rows : ndarray of shape (k,), int64
        Which of them.
    positions : ndarray of shape (n_samples, 2), float32, optional
        Positions of the samples, if they are explored; by default, the encoder computes them.
    held_out : ndarray of shape (n_samples,), of True, False and None, optional
        See `SampleReconstruction`; None for all by default.

    Returns
    -------
    tuple of SampleReconstruction
        In the order of `rows`.

    Raises
    ------
    InvalidInputError
        If the map has no decoder, or the picture of a sample is missing.
    """
    is_explored = positions is not None
    made: list[SampleReconstruction] = []
    for block in _decode_blocks(map_, samples, rows, positions):
        errors = _errors(block.own, block.values, map_.mean_error)
        typical_errors = _errors(block.typical, block.values, map_.mean_error)
        for number, row in enumerate(block.rows.tolist()):
            original, picture, typical, difference = _pictures(samples, block, number)
            made.append(
                SampleReconstruction(
                    row=row if is_explored else None,
                    id=samples.identities[row],
                    original=original,
                    picture=picture,
                    typical=typical,
                    difference=difference,
                    sample=block.values[number],
                    reconstruction=block.own[number],
                    error=float(errors[number]),
                    typical_error=float(typical_errors[number]),
                    is_held_out=None if held_out is None else held_out[row],
                )
            )
    return tuple(made)


def may_be_rows(given: Any) -> bool:
    """Whether an array has at most one axis, so that it cannot be samples."""
    try:
        return np.ndim(given) <= 1
    except ValueError:  # lists of unequal length
        return False


def check_rows(rows: npt.ArrayLike, n_samples: int) -> npt.NDArray[np.int64]:
    """Check rows, and keep their order.

    Parameters
    ----------
    rows : int array, or bool array of shape (n_samples,)
    n_samples : int

    Raises
    ------
    InvalidInputError
        If they are neither integers in 0..n_samples-1 nor a mask of the samples.
    """
    given = np.asarray(rows)
    if given.dtype.kind == "b" and given.shape == (n_samples,):
        return np.flatnonzero(given)
    if given.size == 0:
        return np.zeros(0, dtype=np.int64)
    are_rows = given.dtype.kind in "iu" and given.ndim == 1
    if not (are_rows and 0 <= int(given.min()) <= int(given.max()) < n_samples):
        raise InvalidInputError(
            f"samples must be rows in 0..{n_samples - 1}, a mask of {n_samples}, or samples like "
            f"the present ones; got {rows!r:.200}. Look rows up by identity."
        )
    return given.astype(np.int64)


def thin_rows(rows: npt.NDArray[np.int64], n_most: Any) -> npt.NDArray[np.int64]:
    """At most `n_most` of the rows, evenly spaced; all of them for None.

    Raises
    ------
    InvalidInputError
        If `n_most` is no integer of at least 1.
    """
    if n_most is None:
        return rows
    if not isinstance(n_most, int | np.integer) or n_most < 1:
        raise InvalidInputError(
            f"n_most must be an int of at least 1, or None; got {n_most!r}. Leave it out for all."
        )
    n_kept = min(len(rows), int(n_most))
    return rows[np.linspace(0, len(rows) - 1, n_kept).astype(np.int64)]


def draw_difference(difference: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    """A signed difference as a picture; see `SampleReconstruction`.

    Parameters
    ----------
    difference : ndarray of shape ([z,] h, w, channels), float32
        Reconstruction minus sample, in units of ``samples.X``.

    Returns
    -------
    ndarray of shape (h, w, 3), uint8
    """
    shown = _largest(difference, axis=-1)
    if shown.ndim == 3:
        shown = _largest(shown, axis=0)
    shares = np.clip(np.nan_to_num(shown) / _FULL_COLOR, -1.0, 1.0)[..., np.newaxis]
    colored = np.maximum(shares, 0) * _BRIGHTER + np.maximum(-shares, 0) * _DARKER
    return np.asarray(np.rint(colored), dtype=np.uint8)


def _decode_blocks(
    map_: ReconstructingMap,
    samples: Samples,
    rows: npt.NDArray[np.int64],
    positions: npt.NDArray[np.float32] | None,
) -> Iterator[_Decoded]:
    for start in range(0, len(rows), _BLOCK_SAMPLES):
        block = rows[start : start + _BLOCK_SAMPLES]
        values = samples.inputs(block)
        places = map_.find_places(samples, block) if positions is None else positions[block]
        typical = map_.draw(places)
        if typical is None:
            raise InvalidInputError(
                "The map must have a decoder to reconstruct samples; got one without. Train again "
                "with reconstruction=True."
            )
        typical = map_.as_samples_lie(typical, values)
        own = map_.draw(places, map_.find_codes(samples, block)) if map_.has_style else None
        if own is not None:
            own = map_.as_samples_lie(own, values)
        yield _Decoded(block, values, typical, typical if own is None else own)


def _errors(
    drawn: npt.NDArray[np.float32], truth: npt.NDArray[np.float32], mean_error: float
) -> npt.NDArray[np.float64]:
    """Mean squared error of each sample over that of the mean sample."""
    squares = np.square(drawn - truth, dtype=np.float64).reshape(len(truth), -1).mean(axis=1)
    shares = np.zeros(len(squares))
    with np.errstate(divide="ignore"):  # if all samples are equal, any error is infinite
        np.divide(squares, mean_error, out=shares, where=squares > 0)
    return shares


def _pictures(
    samples: Samples, block: _Decoded, number: int
) -> tuple[npt.NDArray[np.uint8] | None, ...]:
    """Original, reconstruction, typical and difference; four times None for tables."""
    if not samples.is_image:
        return (None,) * 4
    shown = (block.values[number], block.own[number], block.typical[number])
    return (*map(samples.to_picture, shown), draw_difference(shown[1] - shown[0]))


def _largest(values: npt.NDArray[np.float32], axis: int) -> npt.NDArray[np.float32]:
    """The values that are farthest from zero along an axis, with their signs."""
    chosen = np.expand_dims(np.abs(values).argmax(axis=axis), axis)
    return np.take_along_axis(values, chosen, axis=axis).squeeze(axis)
