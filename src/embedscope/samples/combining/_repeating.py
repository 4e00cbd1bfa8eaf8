"""Samples of any data that a user has, and of new data in the same way as others."""

from __future__ import annotations

from typing import Any

from embedscope._errors import InvalidInputError
from embedscope.samples.combining._joining import check_alike, share_scale
from embedscope.samples.common._learned import share_learned_scale
from embedscope.samples.common._samples import Samples
from embedscope.samples.tables._annotated import is_annotated
from embedscope.samples.tables._array_samples import samples_from_array
from embedscope.samples.tables._table import samples_from_table


def as_samples(data: Any) -> Samples:
    """Return samples unchanged, and make samples of a table or an array.

    Parameters
    ----------
    data : Samples, pandas.DataFrame, AnnData or array
        For images with labels use `samples_from_labels`, which takes both.

    Returns
    -------
    Samples
        Made by `samples_from_table` or `samples_from_array`, with their defaults.

    Raises
    ------
    InvalidInputError
        If the data are none of these, or cannot be used.
    """
    import pandas as pd

    if isinstance(data, Samples):
        return data
    if isinstance(data, pd.DataFrame) or is_annotated(data):
        return samples_from_table(data)
    return samples_from_array(data)


def samples_like(known: Samples, data: Any) -> Samples:
    """Return samples that a network trained on `known` can read.

    Parameters
    ----------
    known : Samples
    data : Samples, pandas.DataFrame or array
        A table or an array is read with `Samples.same_way`, with the columns and scale of `known`.
        Its source gets a name that `known` does not use.

    Returns
    -------
    Samples

    Raises
    ------
    InvalidInputError
        If the data are of another kind, or samples have another scale: their numbers would mean
        something else to the network.
    """
    if not isinstance(data, Samples):
        return known.same_way(data, source=_free_name(known.recipe.kind, known))
    check_alike([known, data])
    if not (share_scale([known, data]) and share_learned_scale([known, data])):
        raise InvalidInputError(
            "samples must be on the scale of those trained on; got samples that were scaled or "
            "standardised separately. Make them with same_way of the samples trained on."
        )
    return data


def _free_name(name: str, known: Samples) -> str:
    numbered = (f"{name} {number}" for number in range(2, len(known.sources) + 3))
    return next(each for each in (name, *numbered) if each not in known.sources)
