"""Annotated tables on disk. A table is written completely or not at all."""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from embedscope.core.storage import as_path, replace_file
from embedscope.explorer.export._annotated import safe_names
from embedscope.explorer.export._new_folders import new_folder

if TYPE_CHECKING:
    from anndata import AnnData

    from embedscope.samples import Identities


def element_names(identities: Identities) -> dict[tuple[str, int], str]:
    """Names for the labels elements that a SpatialData table annotates.

    Parameters
    ----------
    identities : Identities
        Of n samples.

    Returns
    -------
    dict of (str, int) to str
        By source and frame: the name of the source, with ``_`` for characters that SpatialData does
        not allow. If a source has the same label in several frames, ``_t`` and the frame number
        follow.
    """
    table = identities.to_frame()
    again = table[table.duplicated(["source", "label"])]
    come_back = set(again["source"])
    names = dict(
        zip(identities.sources, safe_names(list(identities.sources), reserved=()), strict=True)
    )
    pairs = table[["source", "frame"]].drop_duplicates().itertuples(index=False)
    return {
        (source, frame): f"{names[source]}_t{frame}" if source in come_back else names[source]
        for source, frame in pairs
    }


def write_h5ad(path: str | os.PathLike[str], table: AnnData) -> Path:
    """Write a table as an .h5ad file.

    Parameters
    ----------
    path : str or path
        File; an existing one is replaced.
    table : AnnData

    Returns
    -------
    Path
        The file.
    """
    file = as_path(path)
    with replace_file(file) as written:
        table.write_h5ad(written)
    return file


def write_zarr(path: str | os.PathLike[str], table: AnnData) -> Path:
    """Write a table as a zarr folder, the format of SpatialData tables.

    Parameters
    ----------
    path : str or path
        A new folder: an existing one may hold more than a table.
    table : AnnData

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    InvalidInputError
        If the folder exists.
    """
    folder = as_path(path)
    with new_folder(folder) as written, warnings.catch_warnings():
        # About defaults of anndata, which all readers support.
        warnings.filterwarnings("ignore", message=".*zarr v[23]", category=UserWarning)
        table.write_zarr(written)
    return folder
