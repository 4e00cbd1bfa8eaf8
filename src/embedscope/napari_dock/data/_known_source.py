"""What is known of a source, but not by its layers: those opened from files hold pixels alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from embedscope.samples import Samples, Source
from embedscope.samples.identity import finest_level, read

_ROWS_AT_ONCE = 1024  # of an image that may be too large for the memory


def known_options(samples: Samples, source: str) -> dict[str, Any]:
    """Options of `Samples.same_way` for the images of a source on the map.

    Parameters
    ----------
    samples : Samples
        On the map.
    source : str

    Returns
    -------
    dict of str to Any
        The path of its labels, and where they are known, the size of its pixels and the group that
        its intensities are scaled within.
    """
    known, groups = samples.sources[source], samples.groups
    options: dict[str, Any] = {}
    if known.kind == "labels":
        options["labels_path"] = known.labels_path
        if known.pixel_size is not None:
            options["pixel_size"] = known.pixel_size
    rows = _rows(samples, source)
    if groups is not None and groups.column != "source" and len(rows):
        options["group"] = samples.column(groups.column)[rows[0]]
    return options


def with_features_before(samples: Samples, before: Samples) -> Samples:
    """Samples of one source that are cut again, with the features that they had before.

    Parameters
    ----------
    samples : Samples
        Cut and measured again.
    before : Samples
        On the map.

    Returns
    -------
    Samples
        Further columns are those of a manifest or its tables. A new object has the value that all
        objects of the source share, or none.
    """
    (source,) = samples.sources
    own = before.features.iloc[_rows(before, source)]
    ids = samples.identities
    rows = before.identities.rows(source, ids.label, ids.frame)
    new = [name for name in own.columns if name not in samples.features.columns]
    columns = {}
    for name in new:
        is_shared = own[name].nunique(dropna=False) == 1
        columns[str(name)] = (
            own[name].iloc[np.zeros(len(samples), np.intp)]
            if is_shared
            else before.features[name].reindex(rows)  # -1 is in no index
        )
    return samples.with_features(**columns)


def with_file_before(samples: Samples, before: Samples) -> Samples:
    """Samples of one source that are cut again, in the file of their image if it is the same.

    The layers of the channels are one array, but the file may have the channels first.

    Parameters
    ----------
    samples : Samples
        Cut again.
    before : Samples
        On the map.
    """
    (source,) = samples.sources.values()
    known = before.sources[source.name]
    if source.image_path is not None or known.image_path is None or not _is_same(source, known):
        return samples
    of_file = replace(
        source, image=known.image, image_axes=known.image_axes, image_path=known.image_path
    )
    return replace(samples, sources={source.name: of_file})


def _is_same(one: Source, other: Source) -> bool:
    """Whether two sources have the same image, whose axes may have another order."""
    if other.image is None or sorted(one.image_axes) != sorted(other.image_axes):
        return False
    image, its = finest_level(one.image), finest_level(other.image)
    order = [other.image_axes.index(axis) for axis in one.image_axes]
    if tuple(its.shape[place] for place in order) != tuple(image.shape):
        return False
    rows = one.image_axes.index("y")
    for start in range(0, image.shape[rows], _ROWS_AT_ONCE):
        box = [slice(0, side) for side in image.shape]
        box[rows] = slice(start, min(start + _ROWS_AT_ONCE, image.shape[rows]))
        its_box = tuple(box[order.index(place)] for place in range(len(box)))
        part = read(its, its_box).transpose(order)
        if not np.array_equal(read(image, tuple(box)), part):
            return False
    return True


def _rows(samples: Samples, source: str) -> Any:
    return np.flatnonzero(samples.column("source") == source)
