"""Masks and tracks of the Cell Tracking Challenge.

A folder holds a label image for each time point, man_track000.tif or mask000.tif, and man_track.txt
or res_track.txt with a row "L B E P" for each track: its label, first and last frame, and the label
of its parent, 0 if it has none (https://celltrackingchallenge.net/datasets/).
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from embedscope._errors import InvalidInputError
from embedscope.samples.common._samples import LeftOut, Samples
from embedscope.samples.reading._files import samples_from_files
from embedscope.samples.reading._needed import existing
from embedscope.samples.reading._stacks import numbers_of

_TABLES = {"man_track.txt": "man_track*.tif", "res_track.txt": "mask*.tif"}
_IMAGES = "t*.tif"


def is_tracks(path: Path) -> bool:
    """Whether a folder holds masks and tracks of the Cell Tracking Challenge."""
    return any((path / name).is_file() for name in _TABLES)


def samples_from_tracks(
    images: str | os.PathLike[str],
    masks: str | os.PathLike[str],
    size: int | None = None,
    *,
    source: str | None = None,
    **options: Any,
) -> Samples:
    """Make a sample of every cell in every frame of the Cell Tracking Challenge.

    Parameters
    ----------
    images : str or path
        The folder with t000.tif and so on, such as "01".
    masks : str or path
        The folder with man_track.txt or res_track.txt and the label images, such as "01_GT/TRA" or
        "01_RES".
    size : int, optional
        Side of a crop in pixels; see `samples_from_labels`.
    source : str, optional
        Name of the source; the name of the folder of images if None.
    **options
        Further ones of `samples_from_labels`.

    Returns
    -------
    Samples
        The label of a cell is its track. The features "track begin", "track end" and "parent track"
        are those of the table. `left_out` says which tracks have no pixel, and which no row.

    Raises
    ------
    InvalidInputError
        If a folder does not hold such files, or the frames of images and masks differ.
    """
    folder, home = existing(images, "images"), existing(masks, "masks")
    name = next((each for each in _TABLES if (home / each).is_file()), None)
    if name is None:
        raise InvalidInputError(
            f"masks must be a folder with {' or '.join(_TABLES)}; got {str(home)!r}. Give for "
            "example '01_GT/TRA' or '01_RES'."
        )
    _check_frames(folder, home, _TABLES[name])
    tracks = _read_tracks(home / name)
    samples = samples_from_files(
        folder / _IMAGES, home / _TABLES[name], size, source=source or folder.name, **options
    )
    return _with_tracks(samples, tracks, name)


def _check_frames(folder: Path, home: Path, masks: str) -> None:
    frames = [
        sorted(numbers_of(list(place.glob(pattern))))
        for place, pattern in ((folder, _IMAGES), (home, masks))
    ]
    if not frames[1] or frames[0] != frames[1]:
        different = sorted(set(frames[0]) ^ set(frames[1]))
        raise InvalidInputError(
            f"masks must be of the same frames as images; got {len(frames[0])} images and "
            f"{len(frames[1])} masks, which differ in frames {different[:5]}. Give the folders of "
            "one sequence."
        )


def _read_tracks(file: Path) -> npt.NDArray[np.int64]:
    try:
        tracks = np.loadtxt(file, dtype=np.int64, ndmin=2)
    except ValueError as error:
        raise InvalidInputError(
            f"{file.name} must hold four whole numbers in each row, L B E P; got {error}. Correct "
            f"{str(file)!r}."
        ) from error
    if tracks.shape[1:] != (4,) or len(np.unique(tracks[:, 0])) < len(tracks):
        raise InvalidInputError(
            f"{file.name} must have a row L B E P for each track, and each label once; got shape "
            f"{tracks.shape}. Correct {str(file)!r}."
        )
    return tracks[np.argsort(tracks[:, 0])]


def _with_tracks(samples: Samples, tracks: npt.NDArray[np.int64], name: str) -> Samples:
    labels = samples.identities.label
    place = np.minimum(np.searchsorted(tracks[:, 0], labels), len(tracks) - 1)
    known = tracks[place, 0] == labels
    columns = {
        title: np.where(known, tracks[place, number], np.nan)
        for number, title in ((1, "track begin"), (2, "track end"), (3, "parent track"))
    }
    notes = []
    for lost, reason in (
        (np.setdiff1d(tracks[:, 0], labels), "no pixel in any frame"),
        (np.unique(labels[~known]), f"no row in {name}"),
    ):
        if len(lost):
            shown = ", ".join(map(str, lost[:5])) + (", ..." if len(lost) > 5 else "")
            notes.append(LeftOut(f"{len(lost):,} tracks", f"{reason} (labels {shown})"))
    made = samples.with_features(**columns)
    return replace(made, left_out=(*made.left_out, *notes))
