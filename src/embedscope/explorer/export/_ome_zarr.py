"""Gates as OME-Zarr labels: a pyramid with the name and the colour of each class.

References
----------
Moore, J. et al. OME-NGFF: a next-generation file format for expanding bioimaging data-access
strategies. Nature Methods 18 (2021). https://doi.org/10.1038/s41592-021-01326-w, and
https://ngff.openmicroscopy.org/0.5/#labels-md
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import numpy as np

from embedscope._errors import InvalidInputError
from embedscope.explorer.export._exports import require_export
from embedscope.explorer.export._gate_image import GateImage
from embedscope.explorer.export._new_folders import new_folder

_CHUNK = 1024
_SMALLEST = 512  # the coarsest level is at most so wide and high
_FORMATS: dict[str, Literal[2, 3]] = {"0.4": 2, "0.5": 3}  # of zarr, by the version of OME-Zarr


@contextmanager
def new_ome_zarr(folder: Path, image: GateImage) -> Iterator[None]:
    """Write the gates of one source as OME-Zarr labels, and move them to their place at the end.

    Parameters
    ----------
    folder : Path
        A new folder. In the folder ``labels`` of an OME-Zarr image, the labels get the version of
        that image; elsewhere they are of version 0.5.
    image : GateImage

    Yields
    ------
    None
        All is written, beside its place. If the block raises, it is removed.

    Raises
    ------
    InvalidInputError
        If the folder exists, or the image is of an unknown version.
    MissingDependencyError
        If zarr is missing.
    """
    require_export("zarr", "save_gate_labels", "images")
    import zarr

    parent = _image_above(folder)
    version = "0.5" if parent is None else _version_of(parent, folder)
    with new_folder(folder) as written:
        group = zarr.create_group(written, zarr_format=_FORMATS[version])
        n_levels = _write_levels(group, image)
        about = _metadata(image, n_levels, version, is_inside=parent is not None)
        group.attrs.update({"ome": {"version": version, **about}} if version == "0.5" else about)
        yield


def list_in_image(folders: Sequence[Path]) -> None:
    """Add labels to the list of the OME-Zarr image in whose folder ``labels`` they lie.

    Parameters
    ----------
    folders : sequence of Path
        In one folder. Nothing is done if that is not in an OME-Zarr image.
    """
    parent = _image_above(folders[0])
    if parent is not None:
        _add_to_list(parent, [each.name for each in folders], _version_of(parent, folders[0]))


def _write_levels(group: Any, image: GateImage) -> int:
    """Write the image, then each level from the one before; every second pixel is kept."""
    shape, number = image.shape, 0
    finest = _create(group, "0", shape, image)
    for box, classes in image.blocks():
        finest[box] = classes
    while max(shape[-2:]) > _SMALLEST:
        finer, number = group[str(number)], number + 1
        shape = (*shape[:-2], *(-(-side // 2) for side in shape[-2:]))
        coarser = _create(group, str(number), shape, image)
        for plane in np.ndindex(shape[:-2]):
            for row in range(0, shape[-2], _CHUNK):
                part = finer[(*plane, slice(2 * row, 2 * (row + _CHUNK)))]
                coarser[(*plane, slice(row, row + _CHUNK))] = part[::2, ::2]
    return number + 1


def _create(group: Any, name: str, shape: tuple[int, ...], image: GateImage) -> Any:
    is_new = group.metadata.zarr_format == 3
    return group.create_array(
        name,
        shape=shape,
        chunks=(*(1 for _ in shape[:-2]), *(min(_CHUNK, side) for side in shape[-2:])),
        dtype=image.dtype,
        fill_value=0,
        dimension_names=list(image.axes) if is_new else None,
        chunk_key_encoding=None if is_new else {"name": "v2", "separator": "/"},
    )


def _metadata(image: GateImage, n_levels: int, version: str, *, is_inside: bool) -> dict[str, Any]:
    scale, translation, unit = _placement(image)
    is_plane = [axis in "yx" for axis in image.axes]
    levels = [
        {
            "path": str(level),
            "coordinateTransformations": [
                {"type": "scale", "scale": np.where(is_plane, scale * 2**level, scale).tolist()},
                {"type": "translation", "translation": translation.tolist()},
            ],
        }
        for level in range(n_levels)
    ]
    axes = [
        {"name": "t", "type": "time"}
        if axis == "t"
        else {"name": axis, "type": "space", **({"unit": unit} if unit else {})}
        for axis in image.axes
    ]
    numbered = list(enumerate(zip(image.names, image.colors, strict=True), start=1))
    about = {
        "colors": [
            {"label-value": number, "rgba": [*bytes.fromhex(color[1:]), 255]}
            for number, (_, color) in numbered
        ],
        "properties": [{"label-value": number, "class": name} for number, (name, _) in numbered],
        **({"source": {"image": "../../"}} if is_inside else {}),
    }
    if version == "0.5":
        return {
            "multiscales": [{"name": "gates", "axes": axes, "datasets": levels}],
            "image-label": about,
        }
    return {
        "multiscales": [{"version": version, "name": "gates", "axes": axes, "datasets": levels}],
        "image-label": {"version": version, **about},
    }


def _placement(image: GateImage) -> tuple[Any, Any, str | None]:
    """Size of a pixel along each axis, place of the first one, and their unit if it is known.

    OME-Zarr has no rotation: of a rotated image, only the size of its pixels is kept.
    """
    affine, axes = image.source.affine, image.axes
    spatial = np.array([axis != "t" for axis in axes])
    if affine is None:
        scale = np.ones(len(axes))
        if image.pixel_size is not None:
            scale[spatial] = image.pixel_size
        return scale, np.zeros(len(axes)), None if image.pixel_size is None else "micrometer"
    linear = affine[:-1, :-1]
    scale = np.linalg.norm(linear, axis=0)
    is_upright = np.allclose(linear, np.diag(scale))
    translation = affine[:-1, -1] if is_upright else np.zeros(len(axes))
    is_micrometer = image.pixel_size is not None and np.allclose(scale[spatial], image.pixel_size)
    return scale, translation, "micrometer" if is_micrometer else None


def _image_above(folder: Path) -> Path | None:
    """The OME-Zarr image in whose labels the folder lies."""
    parent = folder.absolute().parent
    is_image = any((parent.parent / name).is_file() for name in ("zarr.json", ".zgroup"))
    return parent.parent if parent.name == "labels" and is_image else None


def _version_of(image: Path, folder: Path) -> str:
    import zarr

    attributes = dict(zarr.open_group(image, mode="r").attrs)
    ome: Any = attributes.get("ome", {})
    series: Any = attributes.get("multiscales", [{}])
    version = str(ome.get("version") or series[0].get("version"))
    if version not in _FORMATS:
        raise InvalidInputError(
            f"path must lie in OME-Zarr 0.4 or 0.5, or in no OME-Zarr; got {str(folder)!r} in an "
            f"image of version {version}. Choose a place outside of it."
        )
    return version


def _add_to_list(image: Path, names: list[str], version: str) -> None:
    import zarr

    group = zarr.open_group(image, mode="a").require_group("labels")
    if version == "0.4":
        held: Any = group.attrs.get("labels", [])
        group.attrs["labels"] = [*held, *names]
    else:
        ome: Any = group.attrs.get("ome", {})
        group.attrs["ome"] = {
            **ome,
            "version": version,
            "labels": [*ome.get("labels", []), *names],
        }
