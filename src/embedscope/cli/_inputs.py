"""From paths on the command line to samples; `embedscope.samples.read` does the reading."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from embedscope._errors import InvalidInputError
from embedscope.samples import CropRecipe, Samples, SamplesPart, read
from embedscope.samples.reading import (
    ImageFile,
    axes_of_pair,
    is_manifest,
    open_image_file,
    read_table_file,
    with_table,
)

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Cutting:
    """How crops are cut from images; see `samples_from_labels`.

    Attributes
    ----------
    size : int or None
    size_um : float or None
    drawn_px : int or None
    pixel_size : float or None
    axes, image_axes : str or None
    background : str
    align : bool
    volume : str
    scale_within : str or None
        Of a manifest; see `samples_from_manifest`.
    rgb : bool or None
    """

    size: int | None = None
    size_um: float | None = None
    drawn_px: int | None = None
    pixel_size: float | None = None
    axes: str | None = None
    image_axes: str | None = None
    background: str = "keep"
    align: bool = False
    volume: str = "project"
    scale_within: str | None = None
    rgb: bool | None = None


def read_inputs(paths: list[Path], cutting: Cutting) -> Samples:
    """Read an image and its labels, or one file of any other kind.

    Options that nobody gave are left out, since tables have none of them.
    """
    usual = asdict(Cutting())
    options = {name: value for name, value in asdict(cutting).items() if value != usual[name]}
    return read(*paths, **options)


def read_pair_like(
    known: Samples,
    image: Path,
    labels: Path,
    n_rows: int,
    source: str | None = None,
    group: Any = None,
    pixel_size: float | None = None,
    table: Path | None = None,
) -> Iterator[Callable[[], SamplesPart]]:
    """Cut crops as those of `known` were cut, so many objects at a time.

    If `known` learn from features, all objects are cut and measured together, and a table of them
    is joined.
    """
    pixels, ids = open_image_file(image, "image"), open_image_file(labels, "labels")
    recipe = known.recipe
    if not isinstance(recipe, CropRecipe):
        raise InvalidInputError(
            f"data must be of the kind that the session was trained on, {recipe.kind}; got an "
            "image and its labels. Give such a file."
        )
    axes, image_axes = axes_of_pair(pixels, ids)
    if axes is None or len(axes) == len(recipe.axes):  # as at the training, unless the file says
        is_stated = pixels.axes.replace("c", "", 1) == recipe.axes
        axes, image_axes = None, pixels.axes if is_stated else None
    options: dict[str, Any] = {
        "group": group,
        "axes": axes,
        "image_axes": image_axes,
        "pixel_size": pixel_size or _pixel_size(known, recipe, pixels, axes or recipe.axes),
        "source": source or image.stem,
        "image_path": pixels.path,
        "labels_path": ids.path,
    }
    if known.learned is None or known.learned.kind != "columns":
        return known.parts_same_way(pixels.image, ids.image, n_rows=n_rows, **options)

    def whole() -> SamplesPart:
        made = known.learning_from(None).same_way(pixels.image, ids.image, **options)
        joined = made if table is None else with_table(made, table)
        taught = joined.learning_like(known)
        return SamplesPart(taught, taught.left_out)

    return iter([whole])


def _pixel_size(
    known: Samples, recipe: CropRecipe, image: ImageFile, axes: str
) -> tuple[float, ...] | None:
    """What a file states, if the session was trained with what its own files state.

    If the user gave it then, it is that of all files.
    """
    path = next(iter(known.sources.values())).image_path
    if path is None or recipe.pixel_size is None:
        return None
    try:
        trained = open_image_file(path).steps(recipe.axes)
    except InvalidInputError:  # the image is not there any more
        trained = None if recipe.size_um is None else recipe.pixel_size
    if trained == recipe.pixel_size:
        return image.steps(axes)
    return None if recipe.size_um is None else recipe.pixel_size


def manifest_of(path: Path) -> pd.DataFrame | None:
    """The table of a manifest; None for any other file."""
    if path.suffix.lower() not in (".csv", ".tsv"):
        return None
    table = read_table_file(path)
    return table if is_manifest(table) else None
