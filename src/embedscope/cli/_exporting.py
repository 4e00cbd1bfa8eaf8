"""`embedscope export`: the gates of a session for other programs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from embedscope._errors import InvalidInputError
from embedscope._wording import counted
from embedscope.cli._placing import check_session
from embedscope.cli._progress import Progress
from embedscope.explorer import Explorer
from embedscope.explorer.export import (
    cytometry_files,
    gate_label_files,
    sources_without_pixels,
)

_FILES = (".fcs", ".tif", ".tiff")


def export(session: Path, out: Path, *, overwrite: bool, progress: Progress) -> tuple[str, ...]:
    """Write the gates of a session: with the map as FCS, or as label images.

    Parameters
    ----------
    session : Path
        Its folder.
    out : Path
        Ends in .fcs for FCS, with Gating-ML beside it; in .tif, .tiff or .zarr for label images, or
        lies in the folder ``labels`` of an OME-Zarr image.
    overwrite : bool
        Replace files that are there. An OME-Zarr is never replaced.
    progress : Progress

    Returns
    -------
    tuple of str
        What was left out, each with the reason.

    Raises
    ------
    InvalidInputError
        If there is no session, no gate or no image, or `out` has another ending or is there.
    """
    check_session(session)
    _check_ending(out)
    with progress.step(f"Opening {session}"):
        explorer = Explorer.open(session)
    if not explorer.gates:
        raise InvalidInputError(
            f"session must have gates; got {str(session)!r}, which has none. Draw one in "
            "`embedscope explore`, and save the session."
        )
    write = _write_fcs if out.suffix.lower() == ".fcs" else _write_labels
    with progress.step(f"Writing {counted(len(explorer.gates), 'gate')}"):
        files, left_out = write(explorer, out, overwrite=overwrite)
    for file in files:
        progress.say(str(file))
    return left_out


def _write_fcs(
    explorer: Explorer, out: Path, *, overwrite: bool
) -> tuple[list[Path], tuple[str, ...]]:
    _check_new(cytometry_files(out), overwrite=overwrite)
    files = explorer.to_fcs(out)
    n_absent = int(np.isnan(explorer.embedding.positions).any(axis=1).sum())
    reason = f"{counted(n_absent, 'sample')}: no position on the map"
    return files, (reason,) if n_absent else ()


def _write_labels(
    explorer: Explorer, out: Path, *, overwrite: bool
) -> tuple[list[Path], tuple[str, ...]]:
    samples = explorer.samples
    assert samples is not None  # a session holds samples
    without = sources_without_pixels(samples)
    files = gate_label_files(out, [name for name in samples.sources if name not in without])
    if out.suffix.lower() in _FILES:  # a folder is never replaced
        _check_new(files, overwrite=overwrite)
    files = explorer.save_gate_labels(out)
    return files, tuple(f"{name}: {reason}" for name, reason in without.items())


def _check_ending(out: Path) -> None:
    is_in_labels = out.absolute().parent.name == "labels" and not out.suffix
    if not is_in_labels and out.suffix.lower() not in (*_FILES, ".zarr"):
        raise InvalidInputError(
            f"out must end in .fcs, for flow cytometry, or in .tif, .tiff or .zarr, for label "
            f"images; got {str(out)!r}. Choose one."
        )


def _check_new(files: Sequence[Path], *, overwrite: bool) -> None:
    held = [file for file in files if file.exists()]
    if held and not overwrite:
        raise InvalidInputError(
            f"out must not exist; got {str(held[0])!r}. Give another name, or --overwrite."
        )
