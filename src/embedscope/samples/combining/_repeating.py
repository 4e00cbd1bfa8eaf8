"""Samples of what a user has at hand, and of new data the way others were made."""

from __future__ import annotations

from typing import Any

from embedscope._errors import InvalidInputError
from embedscope.samples.combining._joining import check_alike, share_scale
from embedscope.samples.common._recipes import ArrayRecipe, CropRecipe, PatchRecipe, TableRecipe
from embedscope.samples.common._samples import Samples
from embedscope.samples.images._object_samples import labels_same_way
from embedscope.samples.images._patches import patches_same_way
from embedscope.samples.tables._array_samples import array_same_way, samples_from_array
from embedscope.samples.tables._table import samples_from_table, table_same_way


def as_samples(data: Any) -> Samples:
    """Return samples as they are, and make samples of a table or an array.

    Parameters
    ----------
    data : Samples, pandas.DataFrame or array
        Images with labels need `samples_from_labels`, which asks for both.

    Returns
    -------
    Samples
        As `samples_from_table` or `samples_from_array` makes them with their defaults.

    Raises
    ------
    InvalidInputError
        If the data are none of these, or cannot be used.
    """
    import pandas as pd

    if isinstance(data, Samples):
        return data
    if isinstance(data, pd.DataFrame):
        return samples_from_table(data)
    return samples_from_array(data)


def samples_like(known: Samples, data: Any) -> Samples:
    """Return samples that a network which has learned `known` can read.

    Parameters
    ----------
    known : Samples
    data : Samples, pandas.DataFrame or array
        A table or an array is read with `Samples.same_way`, by columns and scale of `known`, as a
        source of a name that is free there.

    Returns
    -------
    Samples

    Raises
    ------
    InvalidInputError
        If the data are of another kind, or samples on another scale: their numbers would mean
        something else to the network.
    """
    if not isinstance(data, Samples):
        return known.same_way(data, source=_free_name(known.recipe.kind, known))
    check_alike([known, data])
    if not share_scale([known, data]):
        raise InvalidInputError(
            "samples must be on the scale of those trained on; got samples that were scaled or "
            "standardised by themselves. Make them with same_way of the samples trained on."
        )
    return data


def _free_name(name: str, known: Samples) -> str:
    numbered = (f"{name} {number}" for number in range(2, len(known.sources) + 3))
    return next(each for each in (name, *numbered) if each not in known.sources)


def repeat(samples: Samples, data: Any, labels: Any, **options: Any) -> Samples:
    """Follow the recipe of `samples` with other data; see `Samples.same_way`."""
    recipe = samples.recipe
    if isinstance(recipe, CropRecipe):
        if labels is None:
            raise InvalidInputError(
                "labels must be given, since these samples are labelled objects; got None. Pass "
                "the labels of the image."
            )
        return labels_same_way(samples, recipe, data, labels, **options)
    if labels is not None:
        raise InvalidInputError(
            f"labels must be None for samples from {recipe.kind}; got an array. Leave it out."
        )
    if isinstance(recipe, PatchRecipe):
        return patches_same_way(samples, recipe, data, **options)
    if isinstance(recipe, TableRecipe):
        return table_same_way(recipe, data, **options)
    if isinstance(recipe, ArrayRecipe):
        return array_same_way(samples, recipe, data, **options)
    raise InvalidInputError(
        f"recipe must be one that can be repeated; got {type(recipe).__name__}. Make the samples "
        "with one of the samples_from functions."
    )
