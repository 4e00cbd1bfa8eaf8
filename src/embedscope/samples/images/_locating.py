"""The positions of a table's rows in their label image, which the table does not hold."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from embedscope._errors import InvalidInputError
from embedscope.samples.common._matching import KnownObjects
from embedscope.samples.common._samples import Samples
from embedscope.samples.identity._source import Source
from embedscope.samples.images._field import Field, open_field
from embedscope.samples.images._objects import Objects, find_objects


def objects_of(source: Source) -> Objects:
    """Find the objects in the labels of a source, which must have them."""
    return find_objects(field_of_labels(source))


def known_objects(source: Source, objects: Objects | None = None) -> KnownObjects:
    """The identities in the labels of a source, which must have them.

    Parameters
    ----------
    source : Source
    objects : Objects, optional
        The result of `objects_of`; computed if None.
    """
    found = objects_of(source) if objects is None else objects
    labels = found.label.astype(np.int64)
    return KnownObjects(source.name, found.frame, labels, field_of_labels(source).n_frames)


def locate_objects(samples: Samples, objects: Objects | None = None) -> Samples:
    """Return the samples with the middle and the extent of each object.

    Parameters
    ----------
    samples : Samples
        Samples of one source, which holds the labels.
    objects : Objects, optional
        The result of `objects_of`; computed if None.

    Returns
    -------
    Samples
        With `centroids` and `bounding_boxes`. Samples without a pixel have a centroid of NaN and
        an empty box.

    Raises
    ------
    InvalidInputError
        If there are several sources, or there are no labels.
    """
    sources = list(samples.sources.values())
    if len(sources) != 1 or sources[0].labels is None:
        raise InvalidInputError(
            f"samples must be of one source with labels; got {[each.name for each in sources]}. "
            "Locate the samples of each source before they are joined."
        )
    (source,) = sources
    found = objects_of(source) if objects is None else objects
    n_axes = len(source.spatial_axes)
    centroids = np.full((len(samples), n_axes), np.nan)
    boxes = np.zeros((len(samples), 2 * n_axes), np.int64)
    rows = samples.identities.rows(source.name, found.label.astype(np.int64), found.frame)
    known = rows >= 0
    centroids[rows[known]] = found.middles[known]
    boxes[rows[known]] = found.bounding_boxes[known]
    return replace(samples, centroids=centroids, bounding_boxes=boxes)


def field_of_labels(source: Source) -> Field:
    """The labels of a source, as image and labels."""
    return open_field(source.labels, source.labels, source.axes, source.axes)
