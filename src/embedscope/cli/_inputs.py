"""From paths on the command line to samples, and to blocks of rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from embedscope._errors import EmbedscopeError, InvalidInputError, MissingDependencyError
from embedscope.samples import (
    Samples,
    SamplesPart,
    join_samples,
    samples_from_array,
    samples_from_labels,
    samples_from_table,
)

if TYPE_CHECKING:
    import pandas as pd

TABLES = (".csv", ".tsv", ".parquet", ".h5ad")
ARRAYS = (".npy", ".zarr")
IMAGES = (".npy", ".npz", ".tif", ".tiff", ".zarr")
_SEPARATORS = {".csv": ",", ".tsv": "\t"}
_PATHS = ("image", "labels")  # the columns that make a table a manifest


@dataclass(frozen=True)
class Cutting:
    """How crops are cut from images; see `samples_from_labels`.

    Attributes
    ----------
    size : int or None
    size_um : float or None
    pixel_size : float or None
    axes, image_axes : str or None
    background : str
    align : bool
    volume : str
    """

    size: int | None = None
    size_um: float | None = None
    pixel_size: float | None = None
    axes: str | None = None
    image_axes: str | None = None
    background: str = "keep"
    align: bool = False
    volume: str = "project"


@dataclass(frozen=True)
class LeftOutFile:
    """A row of a manifest that could not be read, and why."""

    source: str
    reason: str


# -- samples to train on, or to place at once -----------------------------------------------------


def read_pair(image: Path, labels: Path, cutting: Cutting, source: str | None = None) -> Samples:
    """Cut a crop around every object of a label image."""
    pixels, ids = open_image(image), open_image(labels)
    return samples_from_labels(
        pixels,
        ids,
        cutting.size,
        size_um=cutting.size_um,
        pixel_size=cutting.pixel_size,
        axes=cutting.axes,
        image_axes=cutting.image_axes or image_axes_of(pixels, ids, cutting.axes),
        background=cutting.background,  # type: ignore[arg-type]  # checked there
        align=cutting.align,
        volume=cutting.volume,  # type: ignore[arg-type]  # checked there
        source=source or image.stem,
        image_path=str(image.resolve()),
        labels_path=str(labels.resolve()),
    )


def read_pair_like(
    known: Samples, image: Path, labels: Path, n_rows: int, source: str | None = None
) -> Iterator[Callable[[], SamplesPart]]:
    """Cut crops as those of `known` were cut, so many objects at a time."""
    name = source or image.stem
    paths = {"image_path": str(image.resolve()), "labels_path": str(labels.resolve())}
    return known.parts_same_way(
        open_image(image), open_image(labels), n_rows=n_rows, source=name, **paths
    )


def read_rows(path: Path) -> Samples:
    """Read the rows of a table or an array."""
    if path.suffix.lower() in ARRAYS:
        return samples_from_array(open_array(path))
    if path.suffix.lower() == ".h5ad":
        return samples_from_table(open_annotated(path))
    return samples_from_table(read_table(path))


def read_manifest(frame: pd.DataFrame, folder: Path, cutting: Cutting) -> ManifestSamples:
    """Cut crops from every pair of images that a manifest lists.

    Parameters
    ----------
    frame : DataFrame
        Columns ``image`` and ``labels`` hold paths, relative to `folder`; ``source`` a name for
        each pair, by default the image's. All others become features.
    folder : Path
    cutting : Cutting

    Returns
    -------
    ManifestSamples

    Raises
    ------
    InvalidInputError
        If no pair could be read.
    """
    parts: list[Samples] = []
    left_out: list[LeftOutFile] = []
    for name, image, labels, features in manifest_rows(frame, folder):
        try:
            read = read_pair(image, labels, cutting, name)
        except (EmbedscopeError, OSError, ValueError) as error:
            left_out.append(LeftOutFile(name, str(error)))
            continue
        parts.append(read.with_features(**{key: [value] * len(read) for key, value in features}))
        if cutting.size is None and cutting.size_um is None:  # the others as large as the first
            cutting = replace(cutting, size=read.sample_shape[-2])
    if not parts:
        first = f" The first of them: {left_out[0].reason}" if left_out else ""
        raise InvalidInputError(
            f"manifest must list at least one pair of images that can be read; got {len(frame)} "
            f"that cannot.{first}"
        )
    return ManifestSamples(join_samples(parts), tuple(left_out))


@dataclass(frozen=True, eq=False)
class ManifestSamples:
    """The samples of a manifest, and the pairs of images that were left out."""

    samples: Samples
    left_out: tuple[LeftOutFile, ...]


def is_manifest(frame: pd.DataFrame) -> bool:
    """Whether a table lists images rather than samples."""
    return all(name in frame.columns for name in _PATHS)


def manifest_rows(
    frame: pd.DataFrame, folder: Path
) -> Iterator[tuple[str, Path, Path, list[tuple[str, Any]]]]:
    """Name, image, labels and features of each row of a manifest."""
    stems = frame["image"].map(lambda path: Path(str(path)).stem)
    names = frame["source"] if "source" in frame.columns else stems
    if names.duplicated().any():
        twice = names[names.duplicated()].iloc[0]
        raise InvalidInputError(
            f"source must be another name for each row of a manifest; got {twice!r} twice. Add a "
            "column source with a name for each image."
        )
    others = [name for name in frame.columns if name not in (*_PATHS, "source")]
    for number, name in enumerate(names):
        row = frame.iloc[number]
        features = [(str(other), row[other]) for other in others]
        yield str(name), folder / str(row["image"]), folder / str(row["labels"]), features


# -- files ----------------------------------------------------------------------------------------


def open_image(path: Path) -> Any:
    """Open an image by the kind that its name tells, lazily where the kind allows it.

    Raises
    ------
    InvalidInputError
        If it is of another kind, or cannot be read.
    """
    from embedscope.explorer.session import open_file

    check_there(path, "image")
    try:
        image, _ = open_file(str(path), lambda shape, dtype: "")
    except Exception as error:  # whatever a damaged file makes its reader raise
        raise InvalidInputError(
            f"image must be one of {', '.join(IMAGES)} that can be read; got {str(path)!r}: "
            f"{error}. Save it as TIFF or OME-Zarr."
        ) from error
    return image


def image_axes_of(image: Any, labels: Any, axes: str | None) -> str | None:
    """The axes of an image, by the shape of its labels; None where channels are last or absent.

    Raises
    ------
    InvalidInputError
        If the channels may be on several axes.
    """
    shape, inner = _shape_of(image), _shape_of(labels)
    if len(shape) != len(inner) + 1:
        return None
    fits = [axis for axis in range(len(shape)) if shape[:axis] + shape[axis + 1 :] == inner]
    if len(fits) != 1:
        return None
    names = axes or {2: "yx"}.get(len(inner))
    return None if names is None else names[: fits[0]] + "c" + names[fits[0] :]


def _shape_of(image: Any) -> tuple[int, ...]:
    finest = image[0] if isinstance(image, list) else image
    return tuple(map(int, finest.shape))


def open_array(path: Path) -> Any:
    """Open an array of numbers lazily, samples first.

    Raises
    ------
    InvalidInputError
        If it cannot be read, or is no array of numbers.
    """
    check_there(path, "data")
    try:
        if path.suffix.lower() == ".zarr":
            zarr = needed("zarr", "images")
            opened = zarr.open_array(str(path), mode="r")
        else:
            opened = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise InvalidInputError(
            f"data must be an .npy file of numbers or a zarr array; got {str(path)!r}, which "
            f"cannot be read: {error} Save the array with numpy.save."
        ) from error
    if opened.dtype.kind not in "biuf" or opened.ndim < 2:
        raise InvalidInputError(
            f"data must be numbers, samples first; got {opened.dtype} of shape {opened.shape}. "
            "Give an array of at least two axes."
        )
    return opened


def read_table(path: Path) -> pd.DataFrame:
    """Read a table whole.

    Raises
    ------
    InvalidInputError
        If it cannot be read.
    """
    import pandas as pd

    check_there(path, "data")
    try:
        if path.suffix.lower() == ".parquet":
            needed("pyarrow", "export")
            return pd.read_parquet(path)
        return pd.read_csv(path, sep=_SEPARATORS[path.suffix.lower()])
    except (OSError, ValueError) as error:
        raise unreadable(path, error) from error


def open_annotated(path: Path) -> Any:
    """Open an AnnData file; its X stays on disk until rows are asked for."""
    check_there(path, "data")
    anndata = needed("anndata", "export")
    try:
        return anndata.read_h5ad(path, backed="r")
    except (OSError, ValueError, KeyError) as error:
        raise unreadable(path, error) from error


def needed(package: str, extra: str) -> Any:
    """Import an optional package.

    Raises
    ------
    MissingDependencyError
        If it cannot be imported, with what to install.
    """
    try:
        return import_module(package)
    except ImportError as error:
        raise MissingDependencyError(
            f"{package} must be installed for this kind of file; got {error}. Run: pip install "
            f'"embedscope[{extra}]"'
        ) from error


def unreadable(path: Path, error: Exception) -> InvalidInputError:
    return InvalidInputError(
        f"data must be one of {', '.join(TABLES)} that can be read; got {str(path)!r}: {error}. "
        "Save the table again."
    )


def check_there(path: Path, what: str) -> None:
    """Raise unless there is a file or folder; a member of an archive is looked for later.

    Raises
    ------
    InvalidInputError
        If there is none.
    """
    if not path.exists() and "::" not in str(path):
        raise InvalidInputError(
            f"{what} must be a file that exists; got {str(path)!r}. Correct the path."
        )
