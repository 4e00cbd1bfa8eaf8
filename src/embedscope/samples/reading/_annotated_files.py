"""Samples from AnnData, in memory or in a file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from embedscope._errors import InvalidInputError
from embedscope.samples.common._samples import NotLearned, Samples
from embedscope.samples.reading._needed import is_path
from embedscope.samples.reading._table_files import open_annotated
from embedscope.samples.tables._annotated import is_annotated, values_of, with_identities
from embedscope.samples.tables._table import samples_from_table

if TYPE_CHECKING:
    import pandas as pd


def samples_from_anndata(
    data: Any,
    *,
    layer: str | None = None,
    obsm: str | None = None,
    columns: Sequence[str] | None = None,
    standardise: bool | None = None,
    source: str = "table",
) -> Samples:
    """Make a sample of every observation of an AnnData object.

    Parameters
    ----------
    data : AnnData or path
        In memory, backed, or a file, .h5ad or zarr. A backed X is read only if it is learned from.
    layer : str, optional
        The layer to learn from instead of X.
    obsm : str, optional
        What to learn from instead of X, such as "X_pca".
    columns : sequence of str, optional
        The columns to learn from, of X, of the layer, of obsm ("X_pca_1" and so on) or of obs. All
        of X, of the layer or of obsm if None.
    standardise : bool, optional
        Whether to scale each column to mean 0 and standard deviation 1. If None, those of obsm stay
        as they are, since the lengths of principal components matter.
    source : str
        The name of this source, part of every sample's identity.

    Returns
    -------
    Samples
        Observations with the columns of obs as features; see `samples_from_table`.

    Raises
    ------
    InvalidInputError
        If the file cannot be read, or there is no such layer, obsm or column.
    """
    adata = open_annotated(data) if is_path(data) else data
    if not is_annotated(adata):
        raise InvalidInputError(
            f"data must be AnnData or the path of a file of it; got {type(adata).__name__}. Use "
            "read for other data."
        )
    if layer is not None and obsm is not None:
        raise InvalidInputError(
            f"layer must be None where obsm is given; got {layer!r} and {obsm!r}. Give one of them."
        )
    standard = (obsm is None) if standardise is None else standardise
    if layer is None and obsm is None:
        return samples_from_table(adata, columns=columns, standardise=standard, source=source)
    values = _layer_of(adata, layer) if layer is not None else _obsm_of(adata, str(obsm))
    frame = with_identities(values, adata)
    names = [str(name) for name in values.columns] if columns is None else columns
    samples = samples_from_table(frame, columns=names, standardise=standard, source=source)
    where = f"layer {layer!r}" if layer is not None else f"obsm {obsm!r}"
    note = NotLearned("X", f"learned from {where} instead")
    return replace(samples, left_out=(*samples.left_out, note))


def _layer_of(adata: Any, layer: str | None) -> pd.DataFrame:
    if layer not in adata.layers:
        raise InvalidInputError(
            f"layer must be one of {sorted(adata.layers)}; got {layer!r}. Choose one."
        )
    return values_of(adata, adata.layers[layer])


def _obsm_of(adata: Any, key: str) -> pd.DataFrame:
    import pandas as pd

    if key not in adata.obsm:
        raise InvalidInputError(
            f"obsm must be one of {sorted(adata.obsm)}; got {key!r}. Choose one, or compute it "
            "first."
        )
    held = adata.obsm[key]
    if isinstance(held, pd.DataFrame):
        return held
    values = held.toarray() if hasattr(held, "toarray") else np.asarray(held)
    names = [f"{key}_{number}" for number in range(1, values.shape[1] + 1)]
    return pd.DataFrame(values, index=adata.obs_names, columns=names)
