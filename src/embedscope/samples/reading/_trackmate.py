"""Spots of TrackMate: its CSV tables, with three more header rows, and its XML files.

(https://imagej.net/plugins/trackmate/trackers, https://imagej.net/plugins/trackmate/scripting)
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from embedscope._errors import InvalidInputError
from embedscope.samples.common._samples import LeftOut, Samples
from embedscope.samples.reading._needed import existing
from embedscope.samples.reading._table_files import read_table_file
from embedscope.samples.tables._table import samples_from_table

if TYPE_CHECKING:
    import pandas as pd

_ID, _FRAME, _TRACK = "ID", "FRAME", "TRACK_ID"


def samples_from_trackmate(
    path: str | os.PathLike[str],
    *,
    columns: Sequence[str] | None = None,
    standardise: bool = True,
    source: str | None = None,
) -> Samples:
    """Make a sample of every spot of TrackMate.

    Parameters
    ----------
    path : str or path
        The CSV table of spots, or the XML file.
    columns : sequence of str, optional
        The columns to learn from; all measurements if None.
    standardise : bool
        As in `samples_from_table`.
    source : str, optional
        Name of the source; the file's name without its ending if None.

    Returns
    -------
    Samples
        Identified by FRAME and ID; the feature "TRACK_ID" says which track a spot is of. Spots and
        tracks that the filters of an XML file hide are left out, as in the CSV table.

    Raises
    ------
    InvalidInputError
        If the file cannot be read, or holds no spots.
    """
    file = existing(path, "path")
    if file.suffix.lower() == ".xml":
        frame, n_filtered_out = _read_xml(file)
    else:
        frame, n_filtered_out = read_table_file(file), 0
    if _ID not in frame.columns or _FRAME not in frame.columns:
        raise InvalidInputError(
            f"path must be spots of TrackMate, with the columns {_ID} and {_FRAME}; got "
            f"{list(frame.columns)[:8]}. Export the table of spots, not that of edges or tracks."
        )
    samples = samples_from_table(
        frame,
        columns=columns,
        standardise=standardise,
        source=source or file.stem,
        label_column=_ID,
        frame_column=_FRAME,
    )
    if not n_filtered_out:
        return samples
    note = LeftOut(f"{n_filtered_out:,} spots", "the filters of TrackMate hide them")
    return replace(samples, left_out=(*samples.left_out, note))


def _read_xml(file: Path) -> tuple[pd.DataFrame, int]:
    """The spots that the filters of a session keep, as in the CSV table; how many they hide."""
    import pandas as pd

    try:
        root = ET.parse(file).getroot()
    except (ET.ParseError, OSError) as error:
        raise InvalidInputError(
            f"path must be XML of TrackMate that can be read; got {str(file)!r}: {error}. Save it "
            "again."
        ) from error
    spots = [dict(spot.attrib) for spot in root.iterfind("Model/AllSpots/SpotsInFrame/Spot")]
    rows = [spot for spot in spots if spot.get("VISIBILITY", "1") != "0"]
    if not rows:
        raise InvalidInputError(
            f"path must be XML of TrackMate with spots that its filters keep; got none of "
            f"{len(spots)} in {str(file)!r}. Save it after the detection."
        )
    frame = pd.DataFrame(rows).rename(columns={"name": "LABEL"})
    for name in frame.columns:
        if name != "LABEL":
            frame[name] = pd.to_numeric(frame[name], errors="coerce")
    kept = root.find("Model/FilteredTracks")  # missing in a file saved before the tracking
    shown = None if kept is None else {track.attrib[_TRACK] for track in kept}
    tracks = {
        int(edge.attrib[end]): int(track.attrib[_TRACK])
        for track in root.iterfind("Model/AllTracks/Track")
        if shown is None or track.attrib[_TRACK] in shown
        for edge in track.iterfind("Edge")
        for end in ("SPOT_SOURCE_ID", "SPOT_TARGET_ID")
    }
    frame[_ID], frame[_FRAME] = frame[_ID].astype(int), frame[_FRAME].astype(int)
    frame[_TRACK] = frame[_ID].map(tracks)
    return frame, len(spots) - len(rows)
