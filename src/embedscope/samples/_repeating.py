"""Make samples of new data the way others were made."""

from __future__ import annotations

from typing import Any

from embedscope._errors import InvalidInputError
from embedscope.samples._array_samples import array_same_way
from embedscope.samples._object_samples import labels_same_way
from embedscope.samples._patches import patches_same_way
from embedscope.samples._recipes import ArrayRecipe, CropRecipe, PatchRecipe, TableRecipe
from embedscope.samples._samples import Samples
from embedscope.samples._table import table_same_way


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
