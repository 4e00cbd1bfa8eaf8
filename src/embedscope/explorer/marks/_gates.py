"""The gates of a map: polygons, combinations of them, and the samples in each.

A set of gates never changes; each edit gives a new one. So undo, sessions and a view that is still
drawing can keep theirs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from embedscope._errors import InvalidInputError
from embedscope.explorer.marks._palettes import GATE_COLORS
from embedscope.explorer.marks._regions import Mask, check_polygon, in_polygon

if TYPE_CHECKING:
    import pandas as pd

    from embedscope.samples import Identities


OPERATIONS = ("union", "intersection", "difference")

_LONGEST_NAME = 200
_COLOR = re.compile(r"#[0-9a-f]{6}")


@dataclass(frozen=True, eq=False)
class Gate:
    """One gate: a polygon on the map, or a combination of other gates.

    Attributes
    ----------
    name : str
        Unique in its `GateSet`.
    color : str
        "#rrggbb", or "" if the `GateSet` is to choose one.
    polygon : ndarray of shape (n_corners, 2), float64, read-only, or None
        Corners in map coordinates; see `in_polygon` for what is inside.
    operation : {"union", "intersection", "difference"} or None
        How the members combine; "difference" is the first gate without all others.
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
        # + 0.0 turns -0.0 into 0.0: both are equal, but their bytes differ.
        corners = None if self.polygon is None else (self.polygon + 0.0).tobytes()
        return self.name, self.color, corners, self.operation, self.members

    def to_dict(self) -> dict[str, Any]:
        """The gate for JSON; numbers stay exact."""
        return {
            "name": self.name,
            "color": self.color,
            "polygon": None if self.polygon is None else self.polygon.tolist(),
            "operation": self.operation,
            "members": list(self.members),
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Gate:
        """The gate from the result of `to_dict`.

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
    """Raise unless `name` can be the name of a gate, also in the column of a table."""
    if not isinstance(name, str) or not 0 < len(name) <= _LONGEST_NAME:
        raise InvalidInputError(
            f"name must be a text of 1 to {_LONGEST_NAME} characters; got {name!r:.60}. "
            "Choose a name for the samples in the gate."
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


__all__ = ["OPERATIONS", "Gate", "GateSet", "gate_counts"]

_COMBINE: dict[str, Callable[[Mask, Mask], Mask]] = {
    "union": np.logical_or,
    "intersection": np.logical_and,
    "difference": lambda first, other: first & ~other,
}


@dataclass(frozen=True)
class GateSet:
    """Gates in the order in which they were added. Editing gives a new set.

    Attributes
    ----------
    gates : tuple of Gate
        Each has a colour; combinations name gates of the same set, without a cycle.

    Raises
    ------
    InvalidInputError
        If two gates have the same name, a member is missing, or combinations form a cycle.
    """

    gates: tuple[Gate, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "gates", _colored(self.gates))
        _check_unique(self.names)
        for gate in self.gates:
            for member in gate.members:
                if member not in self.names:
                    raise InvalidInputError(_unknown(member, self.names))
        self._evaluation_order()

    def __len__(self) -> int:
        return len(self.gates)

    def __iter__(self) -> Iterator[Gate]:
        return iter(self.gates)

    def __contains__(self, name: object) -> bool:
        return name in self.names

    def __getitem__(self, name: str) -> Gate:
        for gate in self.gates:
            if gate.name == name:
                return gate
        raise InvalidInputError(_unknown(name, self.names))

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the gates, in order."""
        return tuple(gate.name for gate in self.gates)

    def add(self, gate: Gate) -> GateSet:
        """The set with one more gate, which gets a colour of the palette if it has none."""
        return GateSet((*self.gates, gate))

    def replace(self, gate: Gate) -> GateSet:
        """The set with `gate` instead of the gate of the same name."""
        old = self[gate.name]
        changed = gate if gate.color else replace(gate, color=old.color)
        return GateSet(tuple(changed if each is old else each for each in self.gates))

    def remove(self, name: str) -> GateSet:
        """The set without a gate.

        Raises
        ------
        InvalidInputError
            If there is no such gate, or a combination uses it.
        """
        removed = self[name]
        users = [gate.name for gate in self.gates if name in gate.members]
        if users:
            raise InvalidInputError(
                f"name must be a gate that no combination uses; got {name!r}, a member of "
                f"{', '.join(map(repr, users))}. Remove or edit its users first."
            )
        return GateSet(tuple(gate for gate in self.gates if gate is not removed))

    def rename(self, old: str, new: str) -> GateSet:
        """The set with a gate renamed, also in combinations."""
        renamed = self[old]
        return GateSet(
            tuple(
                replace(
                    gate,
                    name=new if gate is renamed else gate.name,
                    members=tuple(new if member == old else member for member in gate.members),
                )
                for gate in self.gates
            )
        )

    def memberships(self, positions: npt.NDArray[Any]) -> dict[str, Mask]:
        """Which samples each gate holds.

        Parameters
        ----------
        positions : ndarray of shape (n_samples, 2), float
            A sample without a position (NaN) is in no gate.

        Returns
        -------
        dict of str to ndarray of shape (n_samples,), bool, read-only
            In the order of the gates.
        """
        found: dict[str, Mask] = {}
        for name in self._evaluation_order():
            gate = self[name]
            if gate.operation is None:
                inside = in_polygon(positions, gate.polygon)  # type: ignore[arg-type]  # a Gate is either
            else:
                inside = reduce(_COMBINE[gate.operation], [found[each] for each in gate.members])
            inside.setflags(write=False)
            found[name] = inside
        return {name: found[name] for name in self.names}

    def _evaluation_order(self) -> list[str]:
        """Names of the gates, members before their combinations."""
        try:
            return list(
                TopologicalSorter({gate.name: gate.members for gate in self.gates}).static_order()
            )
        except CycleError as error:
            cycle = " -> ".join(map(repr, error.args[1]))
            raise InvalidInputError(
                f"members must not lead back to the gate itself; got {cycle}. Combine other gates."
            ) from error

    def to_dict(self) -> dict[str, Any]:
        """The gates for JSON; numbers stay exact."""
        return {"gates": [gate.to_dict() for gate in self.gates]}

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> GateSet:
        """The gates from the result of `to_dict`.

        Raises
        ------
        InvalidInputError
            If an entry is missing, or breaks a rule of `Gate` or of the set.
        """
        entries = stored.get("gates")
        if not isinstance(entries, Sequence) or isinstance(entries, str):
            raise InvalidInputError(
                f"stored gates must have a list 'gates'; got {stored!r:.200}. Write gates with "
                "to_dict."
            )
        return cls(tuple(Gate.from_dict(entry) for entry in entries))


def gate_counts(memberships: Mapping[str, Mask], identities: Identities | None) -> pd.DataFrame:
    """How many samples each gate holds, for each source and frame.

    Parameters
    ----------
    memberships : mapping of str to ndarray of shape (n_samples,), bool
        From `GateSet.memberships`.
    identities : Identities or None
        Of the same samples; None gives an empty table.

    Returns
    -------
    DataFrame
        A row for each gate, and each source and frame with samples, in this order; also where the
        count is 0. Columns: gate, source (str), frame, count (int64) and share (float64), of the
        samples of that source and frame, in 0..1.
    """
    import pandas as pd

    from embedscope.samples import Identities

    if identities is None:
        identities = Identities((), [], [], [])
    frames, frame_codes = np.unique(identities.frame, return_inverse=True)
    groups, group_codes, sizes = np.unique(
        identities.source * len(frames) + frame_codes, return_inverse=True, return_counts=True
    )
    counts = [
        np.bincount(group_codes[inside], minlength=len(groups)) for inside in memberships.values()
    ]
    names = np.array(identities.sources, dtype=object)[groups // len(frames)]
    count = np.array(counts, dtype=np.int64).reshape(-1)
    return pd.DataFrame(
        {
            "gate": np.repeat(np.array(list(memberships), dtype=object), len(groups)),
            "source": np.tile(names, len(memberships)),
            "frame": np.tile(frames[groups % len(frames)], len(memberships)),
            "count": count,
            "share": count / np.tile(sizes, len(memberships)),
        }
    )


def _colored(gates: Sequence[Gate]) -> tuple[Gate, ...]:
    """The gates; those without a colour get the least used one of the palette."""
    used = [gate.color for gate in gates if gate.color]
    colored = []
    for gate in gates:
        if not gate.color:
            gate = replace(gate, color=min(GATE_COLORS, key=used.count))
            used.append(gate.color)
        colored.append(gate)
    return tuple(colored)


def _check_unique(names: Sequence[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise InvalidInputError(
                f"name must differ from other gates' names; got {name!r} twice. Choose another."
            )


def _unknown(name: object, names: Sequence[str]) -> str:
    known = ", ".join(map(repr, names)) or "none"
    return f"name must be that of a gate; got {name!r}, and the gates are {known}. Add it first."
