"""How samples were made, so that tomorrow's image can be treated the same way.

A recipe holds settings only, as plain numbers and names: it can be stored as JSON. The functions
that follow a recipe stand beside the public function that writes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, ClassVar, Literal

from embedscope._errors import InvalidInputError

Padding = Literal["reflect", "zero"]
Background = Literal["keep", "zero", "median"]
Volume = Literal["project", "volume"]


@dataclass(frozen=True)
class Recipe:
    """What all recipes share: they go to a dictionary of JSON types and back."""

    kind: ClassVar[str] = ""

    def to_dict(self) -> dict[str, Any]:
        """Return the settings and the recipe's kind, in types that JSON knows."""
        return {"kind": self.kind} | asdict(self)

    @staticmethod
    def from_dict(stored: Mapping[str, Any]) -> Recipe:
        """Make the recipe that `to_dict` (and JSON, which turns tuples to lists) wrote.

        Raises
        ------
        InvalidInputError
            If the kind is unknown, or settings are missing or unknown.
        """
        known = {recipe.kind: recipe for recipe in Recipe.__subclasses__()}
        recipe = known.get(stored.get("kind", ""))
        if recipe is None:
            raise InvalidInputError(
                f"recipe must be of a kind in {sorted(known)}; got {stored.get('kind')!r}. It may "
                "come from a later version of embedscope."
            )
        settings = {name: value for name, value in stored.items() if name != "kind"}
        names = {field.name for field in fields(recipe)}
        if names != settings.keys():
            raise InvalidInputError(
                f"recipe must have the settings {sorted(names)}; got {sorted(settings)}. It may "
                "come from another version of embedscope."
            )
        return recipe(**{name: _hashable(value) for name, value in settings.items()})


@dataclass(frozen=True)
class CropRecipe(Recipe):
    """Crops around labelled objects.

    Attributes
    ----------
    shape : tuple of int
        Crop's height and width in pixels, or depth, height and width of a 3D image.
    axes, image_axes : str
        Axes of the labels and of the image, such as "tzyx" and "tzyxc".
    pixel_size : tuple of float or None
        Micrometres a pixel along each spatial axis, if known.
    padding, background, volume : str
        As `samples_from_labels`.
    align : bool
        Whether crops are turned upright.
    percentiles : tuple of float
        The percentiles, over all crops, that become 0 and 1.
    features : bool
        Whether objects are measured too.
    """

    kind: ClassVar[str] = "labels"
    shape: tuple[int, ...]
    axes: str
    image_axes: str
    pixel_size: tuple[float, ...] | None = None
    padding: Padding = "reflect"
    background: Background = "keep"
    align: bool = False
    volume: Volume = "project"
    percentiles: tuple[float, float] = (0.1, 99.9)
    features: bool = True


@dataclass(frozen=True)
class PatchRecipe(Recipe):
    """A grid of patches.

    Attributes
    ----------
    size, step : int
        Side of a patch and distance between neighbours, in pixels.
    axes, image_axes : str
        Axes of the image without and with channels.
    volume : str
        As `samples_from_patches`.
    percentiles : tuple of float
        The percentiles, over all patches, that become 0 and 1.
    """

    kind: ClassVar[str] = "patches"
    size: int
    step: int
    axes: str
    image_axes: str
    volume: Volume = "project"
    percentiles: tuple[float, float] = (0.1, 99.9)


@dataclass(frozen=True)
class TableRecipe(Recipe):
    """Columns of a table.

    Attributes
    ----------
    columns : tuple of str
        The columns that were used, in order.
    means, deviations : tuple of float or None
        Mean and standard deviation of each column that become 0 and 1; None if columns were taken
        as they are.
    label_column, frame_column : str or None
        Where labels and frames stand; None for the table's index, and for frame 0.
    """

    kind: ClassVar[str] = "table"
    columns: tuple[str, ...]
    means: tuple[float, ...] | None = None
    deviations: tuple[float, ...] | None = None
    label_column: str | None = None
    frame_column: str | None = None


@dataclass(frozen=True)
class ArrayRecipe(Recipe):
    """An array, taken as it is.

    Attributes
    ----------
    shape : tuple of int
        Shape of one sample as given.
    """

    kind: ClassVar[str] = "array"
    shape: tuple[int, ...]


def _hashable(value: Any) -> Any:
    return tuple(_hashable(item) for item in value) if isinstance(value, list | tuple) else value
