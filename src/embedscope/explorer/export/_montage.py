"""Pictures side by side in one image: those of some samples, or decoded ones of a grid."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from embedscope._errors import InvalidInputError
from embedscope.core.storage import as_path, replace_file

if TYPE_CHECKING:
    from embedscope.samples import Display, Samples

Picture = npt.NDArray[np.uint8]

MOST_CELLS = 100

_CELL_PX = 64  # smaller pictures are enlarged to at least this, by a whole factor
_GAP_PX = 2
_UNSUPPORTED = 0.01  # support of a decoded picture that no sample is near
_BACKGROUND = 255  # white, like pages and slides


def draw_montage(
    samples: Samples,
    rows: npt.ArrayLike,
    *,
    most: int = MOST_CELLS,
    display: Display | None = None,
) -> Picture:
    """Arrange the pictures of some samples in a grid that is as square as possible.

    Parameters
    ----------
    samples : Samples
        Pictures, not a table.
    rows : int array
        Which samples, in reading order. Samples without a picture (``samples.absent``) are left
        out.
    most : int, default=100
        At most so many pictures, taken evenly from the first row to the last.
    display : Display, optional
        Limits and colours of the channels; see `Samples.thumbnail`.

    Returns
    -------
    ndarray of shape (height, width, 3), uint8
        Pictures of less than 64 pixels are enlarged by a whole factor, without interpolation.

    Raises
    ------
    InvalidInputError
        If the samples are no pictures, there is no row, a row does not exist, all pictures are
        missing, or the display does not fit.
    """
    chosen = _evenly(_checked(samples, rows, most), most)
    pictures = np.stack([samples.thumbnail(int(row), display=display) for row in chosen])
    return _tiled(_enlarged(pictures))


def write_montage(
    path: str | os.PathLike[str],
    samples: Samples,
    rows: npt.ArrayLike,
    *,
    most: int = MOST_CELLS,
    display: Display | None = None,
) -> Path:
    """Write a montage as a PNG file.

    Parameters
    ----------
    path : str or path
        File; an existing one is replaced in one step.
    samples, rows, most, display
        As in `draw_montage`.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    InvalidInputError
        As `draw_montage`. Nothing is written then.
    """
    return _write(path, draw_montage(samples, rows, most=most, display=display))


def draw_grid_picture(
    samples: Samples,
    decoded: npt.NDArray[np.float32],
    support: npt.NDArray[np.float64],
    *,
    display: Display | None = None,
) -> Picture:
    """The decoded pictures of a grid, as they lie on the map: x to the right, y upwards.

    Parameters
    ----------
    samples : Samples
        Those that the map was trained on.
    decoded : ndarray of shape (n * n, *sample_shape), float32
        Row by row from the lower left corner, as `MapGrid.samples`.
    support : ndarray of shape (n * n,), float64
        In 0..1. Pictures without support are left out.
    display : Display, optional
        Limits and colours of the channels; see `Samples.thumbnail`.

    Returns
    -------
    ndarray of shape (height, width, 3), uint8

    Raises
    ------
    InvalidInputError
        If the samples are no pictures, or the display does not fit.
    """
    if not samples.is_image:
        raise InvalidInputError(
            "samples must be pictures to draw a grid of them; got samples of a table. Make them of "
            "an image, with samples_from_labels."
        )
    drawn = [samples.to_picture(each, display=display) for each in decoded]
    pictures = _enlarged(np.stack(drawn))
    pictures[support < _UNSUPPORTED] = _BACKGROUND
    side = math.isqrt(len(pictures))
    upright = pictures.reshape(side, side, *pictures.shape[1:])[::-1]
    return _tiled(upright.reshape(pictures.shape))


def write_grid_picture(
    path: str | os.PathLike[str],
    samples: Samples,
    decoded: npt.NDArray[np.float32],
    support: npt.NDArray[np.float64],
    *,
    display: Display | None = None,
) -> Path:
    """Write the picture of `draw_grid_picture` as a PNG file; see `write_montage`."""
    return _write(path, draw_grid_picture(samples, decoded, support, display=display))


def _write(path: str | os.PathLike[str], picture: Picture) -> Path:
    from matplotlib.image import imsave

    file = as_path(path)
    with replace_file(file) as written:
        imsave(written, picture, format="png")
    return file


def _enlarged(pictures: Picture) -> Picture:
    factor = max(1, math.ceil(_CELL_PX / max(pictures.shape[1:3])))
    return pictures.repeat(factor, axis=1).repeat(factor, axis=2)


def _checked(samples: Samples, rows: npt.ArrayLike, most: int) -> npt.NDArray[np.int64]:
    if not samples.is_image:
        raise InvalidInputError(
            "samples must be pictures to draw a montage; got samples of a table. Make them of an "
            "image, with samples_from_labels."
        )
    wanted = np.asarray(rows)
    if wanted.ndim != 1 or len(wanted) == 0 or wanted.dtype.kind not in "ui":
        raise InvalidInputError(
            f"rows must be row numbers, at least one; got shape {wanted.shape} and dtype "
            f"{wanted.dtype}. Choose a gate or a selection that holds samples."
        )
    if most < 1:
        raise InvalidInputError(f"most must be at least 1; got {most}. Raise it.")
    if not 0 <= wanted.min() <= wanted.max() < len(samples):
        raise InvalidInputError(
            f"rows must be in 0..{len(samples) - 1}; got {wanted.min()}..{wanted.max()}. Look rows "
            "up by identity."
        )
    return _present(samples, wanted.astype(np.int64))


def _present(samples: Samples, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """The rows with a picture."""
    is_absent = np.array([name in samples.absent for name in samples.identities.sources])
    present: npt.NDArray[np.int64] = rows[~is_absent[samples.identities.source[rows]]]
    if len(present) == 0:
        raise InvalidInputError(
            f"rows must be of samples with a picture; got {len(rows)} without, of "
            f"{', '.join(map(repr, samples.absent))}. Attach the images first."
        )
    return present


def _evenly(rows: npt.NDArray[np.int64], most: int) -> npt.NDArray[np.int64]:
    """At most `most` of the rows, evenly spaced from the first to the last."""
    if len(rows) <= most:
        return rows
    return rows[np.linspace(0, len(rows) - 1, most).round().astype(np.intp)]


def _tiled(pictures: Picture) -> Picture:
    """Pictures of one size in a grid, with gaps between them and around."""
    n_pictures, height, width, _ = pictures.shape
    n_columns = math.ceil(math.sqrt(n_pictures))
    n_lines = math.ceil(n_pictures / n_columns)
    step_y, step_x = height + _GAP_PX, width + _GAP_PX
    sheet = np.full(
        (n_lines * step_y + _GAP_PX, n_columns * step_x + _GAP_PX, 3), _BACKGROUND, np.uint8
    )
    for number, picture in enumerate(pictures):
        top = _GAP_PX + number // n_columns * step_y
        left = _GAP_PX + number % n_columns * step_x
        sheet[top : top + height, left : left + width] = picture
    return sheet
