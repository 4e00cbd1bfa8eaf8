"""How samples were made, so that a later image can be treated in the same way.

A recipe holds only settings, as plain numbers and names, so it can be stored as JSON. Each kind of
samples has its own recipe, in the module of its `Kind` or next to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, fields
from typing import Any, ClassVar

from embedscope._errors import InvalidInputError


@dataclass(frozen=True)
class Recipe:
    """Settings of one kind of samples; can be stored as a dictionary of JSON types."""

    kind: ClassVar[str] = ""

    @property
    def crops_told(self) -> str:
        """The size of pictures that are cut from images, in words; "" for other samples."""
        return ""

    @property
    def is_rgb(self) -> bool:
        """Whether the channels are those of an RGB picture, which are scaled together."""
        return False

    def to_dict(self) -> dict[str, Any]:
        """Return the settings and the recipe's kind, in types of JSON."""
        return {"kind": self.kind} | asdict(self)

    @staticmethod
    def from_dict(stored: Mapping[str, Any]) -> Recipe:
        """Return the recipe of `to_dict`, also after JSON has turned its tuples into lists.

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
        # Earlier versions did not have every setting that has a default.
        needed = {each.name for each in fields(recipe) if each.default is MISSING}
        if not needed <= settings.keys() <= names:
            raise InvalidInputError(
                f"recipe must have the settings {sorted(names)}; got {sorted(settings)}. It may "
                "come from another version of embedscope."
            )
        return recipe(**{name: _hashable(value) for name, value in settings.items()})


def _hashable(value: Any) -> Any:
    return tuple(_hashable(item) for item in value) if isinstance(value, list | tuple) else value
