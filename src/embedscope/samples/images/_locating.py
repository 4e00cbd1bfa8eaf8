"""Where in their label images the rows of a table stand, which the table itself does not say."""

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
    """Find the objects in the labels of a source, which must be at hand."""
    return find_objects(_field_of(source))


def known_objects(source: Source, objects: Objects | None = None) -> KnownObjects:
    """Who is in the labels of a source, which must be at hand.

    Parameters
    ----------
    source : Source
    objects : Objects, optional
        What `objects_of` found there; looked for if left out.
    """
    found = objects_of(source) if objects is None else objects
    labels = found.label.astype(np.int64)
    return KnownObjects(source.name, found.frame, labels, _field_of(source).n_frames)


def locate_objects(samples: Samples, objects: Objects | None = None) -> Samples:
    """Return the same samples, each with the middle and the extent of its object.

    Parameters
    ----------
    samples : Samples
        Of one source, which holds the labels.
    objects : Objects, optional
        What `objects_of` found there; looked for if left out.

    Returns
    -------
    Samples
        With `centroids` and `bounding_boxes`. Samples without a pixel have NaN for a centroid and
        an empty box.

    Raises
    ------
    InvalidInputError
        If there are several sources, or the labels are not at hand.
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


def _field_of(source: Source) -> Field:
    return open_field(source.labels, source.labels, source.axes, source.axes)
