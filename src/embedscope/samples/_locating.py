"""Where in their label images the rows of a table stand, which the table itself does not say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from embedscope._errors import InvalidInputError
from embedscope.samples._field import open_field
from embedscope.samples._objects import find_objects
from embedscope.samples._samples import Samples


def locate_objects(samples: Samples) -> Samples:
    """Return the same samples, each with the middle and the extent of its object.

    Parameters
    ----------
    samples : Samples
        Of one source, which holds the labels.

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
    field = open_field(source.labels, source.labels, source.axes, source.axes)
    n_axes = len(source.spatial_axes)
    centroids = np.full((len(samples), n_axes), np.nan)
    boxes = np.zeros((len(samples), 2 * n_axes), np.int64)
    objects = find_objects(field)
    rows = samples.identities.rows(source.name, objects.label.astype(np.int64), objects.frame)
    known = rows >= 0
    centroids[rows[known]] = objects.centroids[known]
    boxes[rows[known]] = objects.bounding_boxes[known]
    return replace(samples, centroids=centroids, bounding_boxes=boxes)
