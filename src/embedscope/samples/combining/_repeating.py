"""Samples of what a user has at hand, and of new data the way others were made."""

from __future__ import annotations

from typing import Any

from embedscope._errors import InvalidInputError
from embedscope.samples.combining._joining import check_alike, share_scale
from embedscope.samples.common._samples import Samples
from embedscope.samples.tables._array_samples import samples_from_array
from embedscope.samples.tables._table import samples_from_table


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
