"""Columns that number objects or classes, by the names that common programs give them.

Numbers of objects identify the rows, or say nothing about them. As measurements they would make a
map of the order in which objects were found. Numbers of classes would make a map of these classes,
however little the measurements tell them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from embedscope._errors import InvalidInputError
from embedscope.samples.identity._labels import text_problem
from embedscope.samples.identity._source import Source, has_background

if TYPE_CHECKING:
    import pandas as pd

# In lower case, without blanks and punctuation: "Object Number" is "objectnumber". The first that a
# table has and that differs in every row is used. From ilastik, CellProfiler, MCMICRO and
# Steinbock, Xenium, SpatialData, and TrackMate; QuPath's "Object ID" and the last ones are text.
_LABELS = (
    "label",
    "labelid",
    "labelimageoid",
    "labelimageid",
    "objectnumber",
    "objectlabel",
    "object",
    "objectid",
    "cellid",
    "celllabel",
    "nucleusid",
    "nucleiid",
    "instanceid",
    "segmentid",
    "maskid",
    "roiid",
    "spotid",
    "id",
    "imagenumber",
    "barcode",
    "cellbarcode",
    "uuid",
    "wellid",
    "well",
)
_FRAMES = ("frame", "framenumber", "frameid", "frameindex", "timestep", "imagenumber")
_OTHERS = (
    "index",
    "trackid",
    "trackindex",
    "spotsourceid",
    "spottargetid",
    "lineageid",
    "parenttrackid",
    "mothertrackid",
    "numberobjectnumber",
    "imageid",
    "fileid",
    "rowid",
)
# Of scikit-learn's data sets, scanpy and public tables of cells.
_CLASSES = (
    "target",
    "class",
    "classid",
    "classlabel",
    "classification",
    "groundtruth",
    "cluster",
    "clusterid",
    "clusterlabel",
    "leiden",
    "louvain",
)
_MOST_CLASSES = 100
# Of CellProfiler, such as Parent_Cells, and Nuclei_Parent_Cells in its database.
_OTHER_OBJECT = re.compile(
    r"(\w+_)?(parent(id)?([_ ]|$)|number_object_number$|neighbors_\w+closestobjectnumber_)",
    re.IGNORECASE,
)
# How pandas reads an index that was written, and ImageJ calls its row numbers.
_WRITTEN_INDEX = re.compile(r"Unnamed: 0|level_0| ")
# Where an object is in space and time, and how it is drawn, by the programs named.
_POSITION = re.compile(
    # CellProfiler
    r"(.+_)?(Location_(Center|CenterMassIntensity|MaxIntensity)_[XYZ]\w*"
    r"|AreaShape_(Center_[XYZ]|BoundingBox(Minimum|Maximum)_[XYZ]))"
    # QuPath, ABBA, MCMICRO
    r"|Centroid [XYZ]( .*)?|Allen CCFv\d [XYZ] mm|([XYZ]|row|column)_centroid"
    # scikit-image, as in Steinbock
    r"|(weighted_|local_)*centroid(_weighted|_local)*(-\d)+|bbox-\d"
    # TrackMate, and laptrack in small letters
    r"|(?i:position_[xyzt])|(TRACK|EDGE)_[XYZ]_LOCATION|TRACK_ST(ART|OP)|EDGE_TIME"
    r"|MANUAL_(SPOT_|EDGE_)?COLOR|VISIBILITY|ROI_N_POINTS"
    # ilastik
    r"|Center of the (object|skeleton)_\d|ObjectCenter_\d|Bounding Box M(in|ax)imum_\d"
)
# Short names are places only beside a column that tells the program: ImageJ ("Results"), btrack.
_PLACES_BESIDE = (
    (
        {"Circ.", "IntDen", "RawIntDen", "XM", "BX", "FeretX"},
        {"X", "Y", "XM", "YM", "BX", "BY", "FeretX", "FeretY", "Slice"},
    ),
    ({"generation"}, {"t", "x", "y", "z", "root", "generation"}),
)
_SIGNS = re.compile(r"[\W_]+")

COUNTED_FROM_ZERO = ("objectid", "cellid", "spotid", "id", "imagenumber")
"""Names under which 0 is an object; under others it is the background of a label image."""


class Keys(NamedTuple):
    """The columns that identify the rows of a table.

    Attributes
    ----------
    label, frame, source : str or None
        None for the table's index, for frame 0, and for one source.
    """

    label: str | None
    frame: str | None
    source: str | None


def find_keys(
    frame: pd.DataFrame, label_column: str | None, frame_column: str | None, source: str | Source
) -> Keys:
    """Return the given columns, or else those with known names.

    Raises
    ------
    InvalidInputError
        If a given column is not in the table.
    """
    for parameter, name in (("label_column", label_column), ("frame_column", frame_column)):
        if name is not None and name not in frame.columns:
            raise InvalidInputError(
                f"{parameter} must be a column of the table; got {name!r}. Choose one of "
                f"{list(frame.columns)}."
            )
    names = _source_column(frame, source)
    times = frame_column or ("frame" if "frame" in frame.columns else None)
    if label_column is None and "label" in frame.columns:
        label_column = "label"
    if label_column is not None:
        return Keys(label_column, times or _first_whole(frame, _FRAMES, (label_column,)), names)
    times = times or _first_whole(frame, _FRAMES)
    may_be_text = not (isinstance(source, Source) and has_background(source))
    within = [each for each in (times, names) if each]
    label_column = _first_different(frame, _LABELS, within, may_be_text)
    if label_column is None and frame_column is None and times != "frame":
        return Keys(_first_different(frame, _LABELS, [], may_be_text), None, names)
    return Keys(label_column, times, names)


def numbers_objects(name: str, column: pd.Series[Any]) -> bool:
    """Whether a column numbers objects, by its name and by its values."""
    plain = _plain(name)
    is_known = plain in (*_LABELS, *_FRAMES, *_OTHERS) or _OTHER_OBJECT.match(name) is not None
    # With gaps too: many spots of TrackMate are of no track.
    known = column.dropna()
    return (is_known or is_written_index(name)) and len(known) > 0 and not whole_problem(known)


def numbers_classes(name: str, column: pd.Series[Any]) -> bool:
    """Whether a column numbers classes, by its name and by its values."""
    known = column.dropna()
    if _plain(name) not in _CLASSES or len(known) == 0 or whole_problem(known):
        return False
    return known.nunique() <= min(_MOST_CLASSES, len(known) // 2)


def is_position(name: str, names: Iterable[str]) -> bool:
    """Whether a common program gives this name, among `names`, to a place or to a colour."""
    is_beside = any(
        name in places and not signs.isdisjoint(names) for signs, places in _PLACES_BESIDE
    )
    return is_beside or _POSITION.fullmatch(name) is not None


def is_written_index(name: str) -> bool:
    """Whether pandas or ImageJ gives this name to the numbers of rows."""
    return _WRITTEN_INDEX.fullmatch(name) is not None


def counts_from_zero(name: str | None) -> bool:
    """Whether label 0 in a column of this name is an object like any other."""
    return name is None or _plain(name) in COUNTED_FROM_ZERO


def with_written_index(frame: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """Make a first column that pandas wrote as the index the index again; also its name."""
    import pandas as pd

    first = str(frame.columns[0]) if len(frame.columns) > 1 else ""
    is_plain = isinstance(frame.index, pd.RangeIndex) and frame.index.start == 0
    if not is_plain or not is_written_index(first):
        return frame, ""
    values, rest = frame.iloc[:, 0], frame.iloc[:, 1:]
    if not values.is_unique or values.isna().any():
        return frame, ""
    is_text = are_names(values)
    if not is_text and whole_problem(values):
        return frame, ""
    if not is_text and np.array_equal(values, np.arange(len(frame))):
        return rest, first
    return rest.set_axis(pd.Index(values.to_numpy()), axis=0), first


def whole_problem(values: Any) -> str:
    """Why values are not whole numbers of 0 or more that can identify rows; "" if they are."""
    from pandas.api.types import is_bool_dtype, is_numeric_dtype

    if not is_numeric_dtype(values) or is_bool_dtype(values):
        return str(values.dtype)
    if values.isna().any():
        return "missing values"
    numbers: npt.NDArray[Any] = np.asarray(values)
    if numbers.dtype.kind == "f" and (numbers != np.floor(numbers)).any():
        return "fractions"
    if numbers.min() < 0:
        return str(numbers.min())
    if numbers.dtype.kind == "f" and numbers.max() > 2**53:
        return f"{numbers.max()}, which a float cannot hold exactly"
    if numbers.max() > np.iinfo(np.int64).max:
        return f"{numbers.max()}, beyond 2**63 - 1"
    return ""


def are_names(values: Any) -> bool:
    """Whether an index or a column holds text that can identify rows."""
    return not names_problem(values)


def names_problem(values: Any) -> str:
    """Why values are not text that can identify rows; "" if they are."""
    from pandas.api.types import is_object_dtype, is_string_dtype

    categories = getattr(values.dtype, "categories", None)
    if categories is not None:
        return "missing values" if values.isna().any() else names_problem(categories)
    if getattr(values, "nlevels", 1) > 1 or not (
        is_object_dtype(values) or is_string_dtype(values)
    ):
        return str(values.dtype)
    return text_problem(np.asarray(values, object))


def _source_column(frame: pd.DataFrame, source: str | Source) -> str | None:
    """The column of sources that every exported table has beside its labels."""
    if isinstance(source, Source) or not {"source", "label"} <= set(frame.columns):
        return None
    names = frame["source"]
    return "source" if all(isinstance(each, str) and each for each in names) else None


def _first_whole(
    frame: pd.DataFrame, known: tuple[str, ...], others: tuple[str, ...] = ()
) -> str | None:
    return next(
        (
            name
            for name in _named(frame, known)
            if name not in others and not whole_problem(frame[name])
        ),
        None,
    )


def _first_different(
    frame: pd.DataFrame, known: tuple[str, ...], within: list[str], may_be_text: bool
) -> str | None:
    """The first column of whole numbers, or else of text, that differ in each frame and source."""
    found = [name for name in _named(frame, known) if name not in within]
    candidates = [name for name in found if not whole_problem(frame[name])]
    if may_be_text:
        candidates += [name for name in found if are_names(frame[name])]
    differ = (name for name in candidates if not frame.duplicated([*within, name]).any())
    return next(differ, None)


def _named(frame: pd.DataFrame, known: tuple[str, ...]) -> list[str]:
    """Columns with a known name, in the order of these names."""
    plain = {str(name): _plain(str(name)) for name in frame.columns}
    return [name for wanted in known for name, each in plain.items() if each == wanted]


def _plain(name: str) -> str:
    return _SIGNS.sub("", name).lower()
