"""Objects of QuPath: tables of measurements, and GeoJSON with outlines.

A table names the image and the object of each row ("Image", "Object ID"); GeoJSON has a feature for
each object, with its outline in pixels and its measurements
(https://qupath.readthedocs.io/en/stable/docs/advanced/exporting_measurements.html,
exporting_annotations.html).
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from embedscope._errors import InvalidInputError
from embedscope.samples.common._samples import LeftOut, Samples
from embedscope.samples.images._labels import samples_from_labels
from embedscope.samples.reading._files import image_axes_by_shape, stem_of
from embedscope.samples.reading._needed import existing
from embedscope.samples.reading._opening import open_image_file
from embedscope.samples.reading._polygons import Outline, draw_labels
from embedscope.samples.reading._table_files import read_table_file
from embedscope.samples.tables._columns import checked_frame
from embedscope.samples.tables._known_columns import names_problem
from embedscope.samples.tables._table import samples_from_table

if TYPE_CHECKING:
    import pandas as pd

OUTLINES = (".geojson", ".json")
_NAME, _IMAGE = "Object ID", "Image"


def samples_from_qupath(
    path: str | os.PathLike[str],
    *,
    image: str | os.PathLike[str] | None = None,
    size: int | None = None,
    columns: Sequence[str] | None = None,
    standardise: bool = True,
    source: str | None = None,
    **options: Any,
) -> Samples:
    """Make a sample of every object that QuPath detected.

    Parameters
    ----------
    path : str or path
        A table of measurements (.tsv, .txt or .csv) or .geojson.
    image : str or path, optional
        The image of a GeoJSON file: the objects are then cut from it, by their outlines.
    size : int, optional
        Side of a crop in pixels; see `samples_from_labels`.
    columns : sequence of str, optional
        Without an image, the columns to learn from; all measurements if None.
    standardise : bool
        Without an image, as in `samples_from_table`.
    source : str, optional
        Name of the source. If None, that of the column "Image", or of the file.
    **options
        With an image, further ones of `samples_from_labels`.

    Returns
    -------
    Samples
        Rows are identified by the column "Object ID". Where there is none, and where objects are
        cut from an image, they are numbered from 1, in their order; the feature "Object ID" holds
        the names there are. Annotations of a GeoJSON file are left out where it has other objects:
        they are the regions in which these were detected.

    Raises
    ------
    InvalidInputError
        If the file cannot be read, or holds no object.
    """
    file = existing(path, "path")
    has_outlines = file.suffix.lower() in OUTLINES
    if image is not None and not has_outlines:
        raise InvalidInputError(
            f"path must be GeoJSON, which has outlines, where image is given; got {str(file)!r}. "
            "Export the objects as GeoJSON."
        )
    n_regions = 0
    if has_outlines:
        frame, outlines, n_regions = _read_geojson(file)
        if image is not None:
            cut = _cut(frame, outlines, image, size, source, options)
            return _without_regions(cut, n_regions)
    else:
        frame = checked_frame(read_table_file(file))
    has_names = _has_names(frame)
    # `samples_from_table` takes the column "source" for sources only beside a column "label".
    labels = frame[_NAME] if has_names else np.arange(1, len(frame) + 1)
    frame = frame.assign(label=labels)
    if _IMAGE in frame.columns and source is None:
        frame = frame.assign(source=frame[_IMAGE].map(str))
    samples = samples_from_table(
        frame,
        columns=columns,
        standardise=standardise,
        source=source or (file.stem if _IMAGE not in frame.columns else "table"),
        label_column="label",
    )
    return _without_regions(samples if has_names else _numbered(samples, frame), n_regions)


def _has_names(frame: pd.DataFrame) -> bool:
    """Whether "Object ID" tells objects apart; up to QuPath 0.3 GeoJSON has their kind there."""
    if _NAME not in frame.columns or names_problem(frame[_NAME]):
        return False
    within = [name for name in (_IMAGE, _NAME) if name in frame.columns]
    return not frame.duplicated(within).any()


def _without_regions(samples: Samples, n_regions: int) -> Samples:
    """Say how many annotations are left out."""
    if not n_regions:
        return samples
    note = LeftOut(f"{n_regions:,} annotations", "regions around the other objects of the file")
    return replace(samples, left_out=(*samples.left_out, note))


def _numbered(samples: Samples, frame: pd.DataFrame) -> Samples:
    """Say that the objects are numbered."""
    what = _NAME if _NAME in frame.columns else "rows"
    note = LeftOut(what, "objects are numbered from 1 in the order of the file, their labels")
    return replace(samples, left_out=(*samples.left_out, note))


def _cut(
    frame: pd.DataFrame,
    outlines: list[list[Outline]],
    image: str | os.PathLike[str],
    size: int | None,
    source: str | None,
    options: dict[str, Any],
) -> Samples:
    opened = open_image_file(image, "image")
    shape, axes = opened.shape, options.pop("image_axes", None) or opened.axes
    if axes.replace("c", "") != "yx":
        axes = {2: "yx", 3: "yxc" if shape[-1] <= 4 else "cyx"}.get(len(shape), "")
    if not axes:
        raise InvalidInputError(
            f"image must be one plane, with or without channels; got shape {shape}. Name its axes "
            "with image_axes, for example 'cyx'."
        )
    plane = (shape[axes.index("y")], shape[axes.index("x")])
    # QuPath counts from the corner of the first pixel, whose centre is at 0 here.
    labels = draw_labels([[part - 0.5 for part in parts] for parts in outlines], plane)
    samples = samples_from_labels(
        opened.image,
        labels,
        size,
        axes="yx",
        image_axes=axes or image_axes_by_shape(shape, plane, "yx"),
        pixel_size=options.pop("pixel_size", None) or opened.steps("yx"),
        source=source or stem_of(opened.path),
        image_path=opened.path,
        **options,
    )
    rows = samples.identities.label - 1
    new = [name for name in frame.columns if name not in samples.features.columns]
    samples = samples.with_features(**{name: frame[name].to_numpy()[rows] for name in new})
    lost = np.setdiff1d(np.arange(len(frame)), rows)
    if len(lost):
        numbers = ", ".join(map(str, lost[:5] + 1)) + (", ..." if len(lost) > 5 else "")
        note = LeftOut(f"{len(lost):,} objects", f"no pixel of their own (numbers {numbers})")
        samples = replace(samples, left_out=(*samples.left_out, note))
    return _numbered(samples, frame)


def _read_geojson(file: Path) -> tuple[pd.DataFrame, list[list[Outline]], int]:
    """The measurements of the objects, and their outlines as y and x.

    Annotations are objects only where there is nothing else: a file of all objects has the regions
    in which cells were detected too. The last value is how many are left out.
    """
    import pandas as pd

    try:
        held = json.loads(file.read_text(encoding="utf-8"))
        found = held["features"] if isinstance(held, dict) else held
        drawn = [each for each in found if each["geometry"]["type"] in _RINGS]
        objects = [each for each in drawn if not _is_annotation(each)] or drawn
        rows = [_row_of(each) for each in objects]
        outlines = [_outlines_of(each["geometry"]) for each in objects]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InvalidInputError(
            f"path must be GeoJSON of QuPath; got {str(file)!r}, which cannot be read: "
            f"{error!r}. Export it again."
        ) from error
    if not rows:
        raise InvalidInputError(
            f"path must hold at least one object with an outline; got none in {str(file)!r}. "
            "Export detections or annotations."
        )
    return checked_frame(pd.DataFrame(rows)), outlines, len(drawn) - len(objects)


def _is_annotation(each: dict[str, Any]) -> bool:
    kind = (each.get("properties") or {}).get("objectType")
    return kind == "annotation" or each.get("id") == "PathAnnotationObject"  # up to QuPath 0.3


def _row_of(each: dict[str, Any]) -> dict[str, Any]:
    properties = each.get("properties") or {}
    measured = properties.get("measurements") or {}
    if isinstance(measured, list):  # up to QuPath 0.3
        measured = {one["name"]: one["value"] for one in measured}
    kind = properties.get("classification") or {}
    row = {
        _NAME: each.get("id"),
        "Name": properties.get("name"),
        "Classification": kind.get("name") or ": ".join(kind.get("names", [])) or None,
    }
    return {key: value for key, value in row.items() if value is not None} | measured


def _first_ring(coordinates: Any) -> list[Any]:
    """The outline of a polygon, without its holes."""
    return [coordinates[0]]


def _first_rings(coordinates: Any) -> list[Any]:
    """The outlines of several polygons."""
    return [polygon[0] for polygon in coordinates]


_RINGS = {"Polygon": _first_ring, "MultiPolygon": _first_rings}


def _outlines_of(geometry: dict[str, Any]) -> list[Outline]:
    rings = _RINGS[geometry["type"]](geometry["coordinates"])
    return [np.asarray(ring, np.float64)[:, 1::-1] for ring in rings]
