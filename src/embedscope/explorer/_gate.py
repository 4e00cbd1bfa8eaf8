"""One gate: a named, coloured region of the map."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from embedscope._errors import InvalidInputError
from embedscope.explorer._regions import check_polygon

OPERATIONS = ("union", "intersection", "difference")

_LONGEST_NAME = 200
_COLOR = re.compile(r"#[0-9a-f]{6}")


@dataclass(frozen=True, eq=False)
class Gate:
    """One gate: a polygon on the map, or a combination of other gates.

    Attributes
    ----------
    name : str
        Unique in its set.
    color : str
        "#rrggbb", or "" for a colour that the set chooses when the gate is added.
    polygon : ndarray of shape (n_corners, 2), float64, read-only, or None
        Corners in map coordinates; see `in_polygon` for what is inside.
    operation : {"union", "intersection", "difference"} or None
        How the members combine; "difference" is the first without all others.
    members : tuple of str
        Names of two or more gates.

    Raises
    ------
    InvalidInputError
        If a part breaks its rule, or the gate is neither a polygon nor a combination, or both.
    """

    name: str
    color: str = ""
    polygon: npt.NDArray[np.float64] | None = None
    operation: str | None = None
    members: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_gate_name(self.name)
        object.__setattr__(self, "color", _checked_color(self.color))
        if (self.polygon is None) == (self.operation is None):
            raise InvalidInputError(
                f"a gate must be either a polygon or a combination; got "
                f"{'neither' if self.polygon is None else 'both'} for {self.name!r}. Give polygon, "
                "or operation and members."
            )
        if self.polygon is not None:
            object.__setattr__(self, "polygon", check_polygon(self.polygon))
        object.__setattr__(self, "members", _checked_members(self))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Gate) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def _key(self) -> tuple[Any, ...]:
        # + 0.0 makes one zero of -0.0 and 0.0, which are equal but differ in their bytes.
        corners = None if self.polygon is None else (self.polygon + 0.0).tobytes()
        return self.name, self.color, corners, self.operation, self.members

    def to_dict(self) -> dict[str, Any]:
        """The gate for JSON: numbers survive exactly."""
        return {
            "name": self.name,
            "color": self.color,
            "polygon": None if self.polygon is None else self.polygon.tolist(),
            "operation": self.operation,
            "members": list(self.members),
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Gate:
        """The gate that `to_dict` described.

        Raises
        ------
        InvalidInputError
            If an entry is missing, or breaks a rule of the class.
        """
        try:
            return cls(**{key: stored[key] for key in cls.__dataclass_fields__})
        except (KeyError, TypeError) as error:
            raise InvalidInputError(
                f"a stored gate must have name, color, polygon, operation and members; got "
                f"{stored!r:.200}. Write gates with to_dict."
            ) from error


def check_gate_name(name: Any) -> None:
    """Raise unless `name` can name a gate, in a table's column as well."""
    if not isinstance(name, str) or not 0 < len(name) <= _LONGEST_NAME:
        raise InvalidInputError(
            f"name must be a text of 1 to {_LONGEST_NAME} characters; got {name!r:.60}. "
            "Name what the gate holds."
        )
    if name != name.strip() or not name.isprintable():
        raise InvalidInputError(
            f"name must be one line without spaces around it; got {name!r}. Use name.strip()."
        )


def _checked_color(color: Any) -> str:
    lowered = color.lower() if isinstance(color, str) else ""
    if color == "" or _COLOR.fullmatch(lowered):
        return lowered
    raise InvalidInputError(
        f"color must be '#rrggbb'; got {color!r}. Translate a colour's name with "
        "matplotlib.colors.to_hex."
    )


def _checked_members(gate: Gate) -> tuple[str, ...]:
    given: Any = gate.members
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise InvalidInputError(
            f"members must be a sequence of names; got {given!r:.100}. Put them in a tuple."
        )
    members = tuple(gate.members)
    if gate.operation is None:
        if members:
            raise InvalidInputError(
                f"members must be empty for a polygon; got {members}. Give an operation instead."
            )
        return members
    if gate.operation not in OPERATIONS:
        raise InvalidInputError(
            f"operation must be one of {', '.join(OPERATIONS)}; got {gate.operation!r}. "
            "Use 'intersection' for samples that are in every member."
        )
    if len(members) < 2 or len(set(members)) < len(members):
        raise InvalidInputError(
            f"members must be two or more different gates; got {members}. Name each gate once."
        )
    return members
