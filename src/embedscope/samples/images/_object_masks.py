"""Which pixels of each crop belong to its own object, cut from the labels as the crops were."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from embedscope.samples.common._samples import Samples
from embedscope.samples.images._crop_recipe import CropRecipe
from embedscope.samples.images._crops import Cutter
from embedscope.samples.images._locating import field_of_labels
from embedscope.samples.images._objects import find_objects


def object_masks(samples: Samples) -> npt.NDArray[np.bool_] | None:
    """Cut the mask of each sample's object.

    Parameters
    ----------
    samples : Samples

    Returns
    -------
    ndarray of shape (n_samples, [depth,] height, width), bool, or None
        All False for a sample that is no longer among the labels. None if the samples are not
        crops of labelled objects, or labels are missing.
    """
    recipe = samples.recipe
    used = {samples.identities.sources[number] for number in np.unique(samples.identities.source)}
    if not isinstance(recipe, CropRecipe) or any(
        samples.sources[name].labels is None for name in used
    ):
        return None
    masks = np.zeros((len(samples), *samples.sample_shape[:-1]), bool)
    for name in sorted(used):
        source = samples.sources[name]
        field = field_of_labels(source)
        objects = find_objects(field)
        rows = samples.identities.rows(name, objects.label.astype(np.int64), objects.frame)
        known = np.flatnonzero(rows >= 0)
        if not len(known):
            continue
        cutter = Cutter(field, objects, recipe, source.pixel_size)
        masks[rows[known]] = cutter.cut_masks(known)
    return masks
