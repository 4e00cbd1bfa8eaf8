"""Samples from SpatialData: labels or shapes, the image under them, and the annotating table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from embedscope._errors import InvalidInputError
from embedscope.samples.common._samples import LeftOut, Samples
from embedscope.samples.identity._arrays import finest_level
from embedscope.samples.images._labels import samples_from_labels
from embedscope.samples.reading._files import with_table
from embedscope.samples.reading._needed import existing, is_path, needed
from embedscope.samples.reading._polygons import Outline, circle, draw_labels

if TYPE_CHECKING:
    import pandas as pd

FloatArray = npt.NDArray[np.float64]


def is_spatial(data: Any) -> bool:
    """Whether an object is SpatialData."""
    return all(hasattr(data, name) for name in ("images", "labels", "shapes", "tables"))


def samples_from_spatialdata(
    data: Any,
    element: str | None = None,
    size: int | None = None,
    *,
    image: str | None = None,
    table: str | None = None,
    coordinate_system: str = "global",
    source: str | None = None,
    **options: Any,
) -> Samples:
    """Make a sample of every object of SpatialData.

    Parameters
    ----------
    data : SpatialData or path
        In memory, or the zarr folder.
    element : str, optional
        The labels, or the shapes (polygons and circles, which are drawn onto the image); may be
        None if there is only one.
    size : int, optional
        Side of a crop in pixels; see `samples_from_labels`.
    image : str, optional
        The image to cut from; may be None if there is only one.
    table : str, optional
        The table whose columns become features. If None, the one that annotates the element, if
        there is one.
    coordinate_system : str
        The world; its unit should be the micrometre, since pixel sizes are taken from it.
    source : str, optional
        Name of the source; that of the element if None.
    **options
        Further ones of `samples_from_labels`.

    Returns
    -------
    Samples
        Their label is that of the instance key. Shapes with an index of names are numbered from 1;
        the feature "name" holds the names. `left_out` says which rows of the table have no object,
        which objects have no row, and which shapes have no pixel.

    Raises
    ------
    InvalidInputError
        If an element is not there or must be named, or image and labels do not fit.
    """
    spatialdata = needed("spatialdata", "spatialdata")
    folder = existing(data, "data") if is_path(data) else None
    sdata = data if folder is None else spatialdata.read_zarr(folder)
    folder = folder or (Path(sdata.path) if getattr(sdata, "path", None) else None)
    chosen = _chosen(element, {**sdata.labels, **sdata.shapes}, "element")
    picture = _chosen(image, sdata.images, "image")
    levels = _levels(sdata.images[picture])
    affine = _affine(sdata.images[picture], coordinate_system)
    names: pd.Index[Any] | None = None
    if chosen in sdata.labels:
        own = _affine(sdata.labels[chosen], coordinate_system)
        if not np.allclose(own, affine):
            raise InvalidInputError(
                f"image and labels must lie on the same pixels; got other transformations of "
                f"{picture!r} and {chosen!r} in {coordinate_system!r}. Resample one of them, or "
                "give the image that was segmented."
            )
        labels: Any = _levels(sdata.labels[chosen])
        labels_path = _path_of(folder, "labels", chosen)
    else:
        labels, names = _drawn(sdata.shapes[chosen], levels, affine, coordinate_system)
        labels_path = None
    half = np.eye(3)
    half[:-1, -1] = 0.5  # SpatialData counts from the corner of the first pixel
    samples = samples_from_labels(
        levels if len(levels) > 1 else levels[0],
        labels if not isinstance(labels, list) or len(labels) > 1 else labels[0],
        size,
        axes="yx",
        image_axes="cyx",
        source=source or chosen,
        channel_names=options.pop("channel_names", None) or _channel_names(sdata.images[picture]),
        affine=affine @ half,
        image_path=_path_of(folder, "images", picture),
        labels_path=labels_path,
        **options,
    )
    if names is not None:
        samples = _named(samples, names)
    return _annotated(samples, sdata, chosen, table, names)


def _chosen(name: str | None, held: Mapping[str, Any], what: str) -> str:
    if name is None and len(held) == 1:
        return next(iter(held))
    if name is None or name not in held:
        raise InvalidInputError(
            f"{what} must be one of {sorted(held)}; got {name!r}. Name the one to use."
        )
    return name


def _path_of(folder: Path | None, kind: str, name: str) -> str | None:
    place = None if folder is None else folder.resolve() / kind / name
    return str(place) if place is not None and place.exists() else None


def _levels(element: Any) -> list[Any]:
    """The arrays of an element, finest first."""
    if hasattr(element, "children"):
        return [next(iter(level.data_vars.values())).data for level in element.children.values()]
    return [element.data]


def _channel_names(element: Any) -> list[str]:
    finest = element
    if hasattr(element, "children"):
        finest = next(iter(next(iter(element.children.values())).data_vars.values()))
    return [str(name) for name in finest.coords["c"].to_numpy()]


def _affine(element: Any, coordinate_system: str) -> FloatArray:
    """From y and x in pixels of an element to the world, counted from the corner of a pixel."""
    transformations = needed("spatialdata.transformations", "spatialdata")
    known = transformations.get_transformation(element, get_all=True)
    if coordinate_system not in known:
        raise InvalidInputError(
            f"coordinate_system must be one of {sorted(known)}; got {coordinate_system!r}. Choose "
            "one."
        )
    matrix = known[coordinate_system].to_affine_matrix(("y", "x"), ("y", "x"))
    return np.asarray(matrix, np.float64)


def _drawn(
    shapes: Any, levels: list[Any], affine: FloatArray, coordinate_system: str
) -> tuple[npt.NDArray[np.int32], pd.Index[Any]]:
    """Shapes as labels 1, 2, 3 on the pixels of an image, and their names."""
    to_pixels = np.linalg.inv(affine) @ _affine(shapes, coordinate_system)
    plane = tuple(map(int, finest_level(levels).shape[-2:]))
    outlines = [
        [part @ to_pixels[:2, :2].T + to_pixels[:2, 2] - 0.5 for part in parts]
        for parts in _outlines(shapes)
    ]
    return draw_labels(outlines, (plane[0], plane[1])), shapes.index


def _named(samples: Samples, names: pd.Index[Any]) -> Samples:
    """Samples with the names of their shapes; says which shapes are too small or hidden."""
    rows = samples.identities.label - 1
    samples = samples.with_features(name=np.asarray(names)[rows])
    lost = names[np.setdiff1d(np.arange(len(names)), rows)]
    if not len(lost):
        return samples
    shown = ", ".join(map(str, lost[:5])) + (", ..." if len(lost) > 5 else "")
    note = LeftOut(f"{len(lost):,} shapes", f"no pixel of their own ({shown})")
    return replace(samples, left_out=(*samples.left_out, note))


def _outlines(shapes: Any) -> list[list[Outline]]:
    """The outline of each shape as y and x: of circles, polygons and several polygons."""
    outlines = []
    for row, shape in enumerate(shapes.geometry):
        if shape.geom_type == "Point":
            outlines.append([circle(shape.y, shape.x, float(shapes["radius"].iloc[row]))])
            continue
        polygons = getattr(shape, "geoms", [shape])
        outlines.append([np.asarray(one.exterior.coords)[:, 1::-1] for one in polygons])
    return outlines


def _annotated(
    samples: Samples,
    sdata: Any,
    element: str,
    table: str | None,
    names: pd.Index[Any] | None,
) -> Samples:
    """Samples with the columns of the table that annotates the element."""
    import pandas as pd

    if table is None:
        found = [name for name, each in sdata.tables.items() if element in _regions(each)]
        if len(found) > 1:
            raise InvalidInputError(
                f"table must be named where several annotate {element!r}; got None, and {found}. "
                "Choose one."
            )
        if not found:
            return samples
        table = found[0]
    chosen = sdata.tables[_chosen(table, sdata.tables, "table")]
    keys = chosen.uns.get("spatialdata_attrs", {})
    if element not in _regions(chosen):
        raise InvalidInputError(
            f"table must annotate {element!r}; got {table!r}, which annotates "
            f"{sorted(_regions(chosen))}. Choose another table, or None."
        )
    rows = chosen[(chosen.obs[keys["region_key"]] == element).to_numpy()]
    instances = rows.obs[keys["instance_key"]]
    if names is not None:
        numbers = pd.Series(np.arange(1, len(names) + 1), index=names)
        instances = numbers.reindex(instances)
        unknown = instances.isna().to_numpy()
        if unknown.any():
            lost = list(instances.index[unknown][:5])
            note = LeftOut(f"{int(unknown.sum()):,} rows of the table", f"no such shape: {lost}")
            samples = replace(samples, left_out=(*samples.left_out, note))
            rows, instances = rows[~unknown], instances[~unknown]
    frame = rows.to_df().join(
        rows.obs.drop(columns=[keys["region_key"], keys["instance_key"]]), rsuffix=" of obs"
    )
    frame = frame.reset_index(drop=True).assign(label=np.asarray(instances).astype(np.int64))
    return samples if frame.shape[1] == 1 else with_table(samples, frame, "label")


def _regions(table: Any) -> set[str]:
    held = table.uns.get("spatialdata_attrs", {}).get("region") or ()
    return {held} if isinstance(held, str) else set(held)
