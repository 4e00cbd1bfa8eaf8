"""Samples from OME-Zarr 0.4 and 0.5: an image with its labels inside, or a plate of such images."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from embedscope._errors import InvalidInputError
from embedscope.samples.common._samples import Samples
from embedscope.samples.reading._files import samples_from_files, stem_of
from embedscope.samples.reading._manifest import samples_from_manifest
from embedscope.samples.reading._needed import existing, needed


def is_ome_zarr(group: Any) -> bool:
    """Whether a zarr group is an image or a plate of OME-Zarr."""
    described = _described(group)
    return "multiscales" in described or "plate" in described


def samples_from_ome_zarr(
    path: str | os.PathLike[str],
    size: int | None = None,
    *,
    labels: str | None = None,
    source: str | None = None,
    **options: Any,
) -> Samples:
    """Make a sample of every object in the labels that an OME-Zarr holds.

    Parameters
    ----------
    path : str or path
        The group of an image, or of a plate.
    size : int, optional
        Side of a crop in pixels; see `samples_from_labels`.
    labels : str, optional
        Name of the labels, such as "nuclei"; may be None if there is only one.
    source : str, optional
        Name of the source; the name of the group without its ending if None. In a plate each field
        is a source of its own, such as "A/1/0".
    **options
        Further ones of `samples_from_files`; of a plate, of `samples_from_manifest`.

    Returns
    -------
    Samples
        Of a plate, with the features "well" and "field".

    Raises
    ------
    InvalidInputError
        If it is no OME-Zarr, has no labels, or they must be named.
    """
    folder = existing(path, "path")
    zarr = needed("zarr", "images")
    group: Any = zarr.open_group(folder, mode="r")
    described = _described(group)
    if "plate" in described:
        return _samples_of_plate(folder, group, described["plate"], size, labels, options)
    if "multiscales" not in described:
        raise InvalidInputError(
            f"path must be an image or a plate of OME-Zarr; got {str(folder)!r}, a group without "
            "multiscales. Give the path of the group of the image."
        )
    name = _labels_of(group, labels, folder)
    return samples_from_files(
        folder, folder / "labels" / name, size, source=source or stem_of(str(folder)), **options
    )


def _samples_of_plate(
    folder: Path,
    plate: Any,
    described: Any,
    size: int | None,
    labels: str | None,
    options: dict[str, Any],
) -> Samples:
    import pandas as pd

    rows = []
    for well in described["wells"]:
        for field in _described(plate[well["path"]])["well"]["images"]:
            place = f"{well['path']}/{field['path']}"
            name = _labels_of(plate[place], labels, folder / place)
            rows.append((place, f"{place}/labels/{name}", place, well["path"], field["path"]))
    frame = pd.DataFrame(rows, columns=["image", "labels", "source", "well", "field"])
    return samples_from_manifest(frame, size, folder=folder, **options)


def _labels_of(image: Any, name: str | None, place: Path) -> str:
    held = _described(image["labels"]).get("labels", []) if "labels" in image else []
    if not held:
        raise InvalidInputError(
            f"path must be OME-Zarr with labels inside; got none in {str(place)!r}. Give the path "
            "of the labels: read(image, labels)."
        )
    if name is None and len(held) == 1:
        return str(held[0])
    if name is None or name not in held:
        raise InvalidInputError(
            f"labels must be one of {sorted(held)}, which {str(place)!r} holds; got {name!r}. "
            "Name one."
        )
    return name


def _described(group: Any) -> dict[str, Any]:
    attributes = dict(group.attrs)
    described: dict[str, Any] = attributes.get("ome", attributes)
    return described
