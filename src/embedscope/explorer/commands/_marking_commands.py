"""Commands for selection, gates, colours, and undo."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from embedscope._errors import InvalidInputError, InvalidTypeError
from embedscope.explorer.coloring._colors import ColorBy
from embedscope.explorer.commands._command import command
from embedscope.explorer.commands._explorer_state import ExplorerState
from embedscope.explorer.marks._events import Hovered
from embedscope.explorer.marks._gates import Gate, gate_counts
from embedscope.explorer.marks._marks import Marks
from embedscope.explorer.marks._regions import in_polygon, in_rectangle
from embedscope.samples import Identities, SampleId

if TYPE_CHECKING:
    import pandas as pd


class MarkingCommands(ExplorerState):
    """Select, gate, colour, and undo. See `Explorer`."""

    @command
    def select_polygon(self, polygon: Any, mode: str = "replace", *, origin: str = "") -> None:
        """Select the samples within a polygon on the map.

        Parameters
        ----------
        polygon : array-like of shape (n_points, 2)
            Corners in map coordinates, at least three.
        mode : {"replace", "add", "subtract", "invert"}, default="replace"
        origin : str
            The view that selects.

        Raises
        ------
        InvalidInputError
            If there are fewer than three corners, a coordinate is not finite, or there is no such
            mode.
        """
        hits = in_polygon(self._state.shown.positions, polygon)
        self._select(hits, mode, origin, "lasso")

    @command
    def select_rectangle(
        self, corner: Any, opposite: Any, mode: str = "replace", *, origin: str = ""
    ) -> None:
        """Select the samples within a rectangle on the map; see `select_polygon`.

        Parameters
        ----------
        corner, opposite : array-like of shape (2,)
        mode : {"replace", "add", "subtract", "invert"}, default="replace"
        origin : str

        Raises
        ------
        InvalidInputError
            If a corner is not a finite pair of numbers, or there is no such mode.
        """
        hits = in_rectangle(self._state.shown.positions, corner, opposite)
        self._select(hits, mode, origin, "rectangle")

    @command
    def select_nearest(
        self, point: Any, within: float = np.inf, mode: str = "replace", *, origin: str = ""
    ) -> None:
        """Select the sample nearest to a point of the map.

        Parameters
        ----------
        point : array-like of shape (2,)
        within : float, default=inf
            Farthest distance in map units; nothing is hit beyond it.
        mode : {"replace", "add", "subtract", "invert"}, default="replace"
        origin : str

        Raises
        ------
        InvalidInputError
            If the point is not a finite pair of numbers, or there is no such mode.
        """
        row = self.nearest(point, within)
        self._select(self._mask([] if row is None else [row]), mode, origin, "click")

    @command
    def select_rows(self, rows: Any, mode: str = "replace", *, origin: str = "") -> None:
        """Select samples by their row numbers in ``explorer.samples``.

        Parameters
        ----------
        rows : array-like of int
        mode : {"replace", "add", "subtract", "invert"}, default="replace"
        origin : str

        Raises
        ------
        InvalidInputError
            If there is no such row, or there is no such mode.
        """
        self._select(self._mask(rows), mode, origin, "selection")

    @command
    def select_ids(
        self, ids: Sequence[SampleId], mode: str = "replace", *, origin: str = ""
    ) -> None:
        """Select samples by their identities.

        Parameters
        ----------
        ids : sequence of SampleId, or of tuples (source, frame, label)
        mode : {"replace", "add", "subtract", "invert"}, default="replace"
        origin : str

        Raises
        ------
        InvalidInputError
            If there is no such sample, or an entry is no identity.
        """
        identities = self._need_samples().identities
        rows = [identities.row(_checked_id(sample_id)) for sample_id in _listed(ids)]
        self._select(self._mask(rows), mode, origin, "selection")

    @command
    def select_gate(self, name: str, mode: str = "replace", *, origin: str = "") -> None:
        """Select the samples of a gate.

        Parameters
        ----------
        name : str
        mode : {"replace", "add", "subtract", "invert"}, default="replace"
        origin : str

        Raises
        ------
        InvalidInputError
            If there is no gate of this name, or there is no such mode.
        """
        self.gates[name]  # a clear error if there is none
        self._select(self._memberships()[name], mode, origin, f"gate {name}")

    @command
    def clear_selection(self, *, origin: str = "") -> None:
        """Select nothing."""
        none = np.zeros_like(self._state.marks.selected)
        self._select(none, "replace", origin, "clearing")

    @command
    def invert_selection(self, *, origin: str = "") -> None:
        """Select the samples that were not selected."""
        everything = np.ones_like(self._state.marks.selected)
        self._select(everything, "invert", origin, "inversion")

    def _select(self, hits: np.ndarray, mode: str, origin: str, what: str) -> None:
        self._change(marks=self._state.marks.select(hits, mode, origin, what))
        self._say(f"{len(self.selection):,} of {len(hits):,} samples selected")

    @command
    def hover(self, row: int | None, *, origin: str = "") -> None:
        """Set the sample under the pointer, or none.

        Parameters
        ----------
        row : int or None
        origin : str

        Raises
        ------
        InvalidInputError
            If there is no such row.
        """
        if row is not None:
            self._mask([row])  # a clear error if there is none
        if row != self._state.hovered.row:
            self._change(hovered=Hovered(None if row is None else int(row), origin))

    def nearest(self, point: Any, within: float = np.inf) -> int | None:
        """Row of the sample nearest to a point of the map that is shown, or None.

        Parameters
        ----------
        point : array-like of shape (2,)
        within : float, default=inf
            Farthest distance in map units.

        Returns
        -------
        int or None

        Raises
        ------
        InvalidInputError
            If the point is not a finite pair of numbers.
        """
        rows, distances = self._queries.places(self._state.shown).nearest(point)
        return int(rows[0]) if len(rows) and distances[0] <= within else None

    @command
    def undo(self) -> None:
        """Undo the last change of the selection or the gates; nothing if there is none."""
        what = self.history.undo
        self._change(marks=self._state.marks.undo())
        self._say(f"Undone: {what}" if what else "Nothing to undo")

    @command
    def redo(self) -> None:
        """Redo the change that was undone last; nothing if there is none."""
        what = self.history.redo
        self._change(marks=self._state.marks.redo())
        self._say(f"Redone: {what}" if what else "Nothing to redo")

    @command
    def add_gate(self, polygon: Any, name: str | None = None, color: str | None = None) -> Gate:
        """Add a polygon on the map as a gate.

        Parameters
        ----------
        polygon : array-like of shape (n_points, 2)
            Corners in map coordinates, at least three.
        name, color : str, optional
            By default the next free name and colour; a colour is "#rrggbb".

        Returns
        -------
        Gate

        Raises
        ------
        InvalidInputError
            If there are fewer than three corners, a coordinate is not finite, a gate has this name
            already, or the colour is not "#rrggbb".
        """
        return self._with_new_gate(self._state.marks.add_polygon(polygon, name, color))

    @command
    def combine_gates(
        self,
        operation: str,
        members: Sequence[str],
        name: str | None = None,
        color: str | None = None,
    ) -> Gate:
        """Add a combination of gates as a gate; it changes with them.

        Parameters
        ----------
        operation : {"union", "intersection", "difference"}
            The difference is the first gate without all the others.
        members : sequence of str
            Names of gates, at least two.
        name, color : str, optional

        Returns
        -------
        Gate

        Raises
        ------
        InvalidInputError
            If there is no such operation, there are fewer than two different members, there is no
            gate of a name, or the name or the colour breaks a rule of `add_gate`.
        """
        marks = self._state.marks.add_combination(operation, members, name, color)
        return self._with_new_gate(marks)

    def _with_new_gate(self, marks: Marks) -> Gate:
        self._change(marks=marks)
        gate = marks.gates.gates[-1]
        self._say_gate(gate.name)
        return gate

    @command
    def edit_gate(self, name: str, /, **changes: Any) -> None:
        """Change a gate's name, color or polygon.

        Parameters
        ----------
        name : str
            Its present name.
        **changes
            ``name``, ``color`` or ``polygon``.

        Raises
        ------
        InvalidInputError
            If there is no gate of this name, a change is of something else, or a new value breaks a
            rule of `add_gate`.
        """
        renamed = changes.get("name", name)
        color_by = self._state.color_by
        if color_by.kind == "gate" and color_by.name == name:
            color_by = replace(color_by, name=renamed)
        self._change(marks=self._state.marks.edit_gate(name, changes), color_by=color_by)
        self._say_gate(renamed)

    @command
    def remove_gate(self, name: str) -> None:
        """Remove a gate; its samples stay.

        Parameters
        ----------
        name : str

        Raises
        ------
        InvalidInputError
            If there is no gate of this name, or a combination needs it.
        """
        self._change(marks=self._state.marks.remove_gate(name))
        self._say(f"Removed {name}; its samples stay")

    def _say_gate(self, name: str) -> None:
        inside = self._memberships()[name]
        self._say(f"{name}: {int(inside.sum()):,} of {len(inside):,} samples")

    @command
    def gate_counts(self) -> pd.DataFrame:
        """How many samples each gate holds, for each source and frame.

        Returns
        -------
        DataFrame
            Columns gate, source, frame, count, share; the share is of all samples of that source
            and frame.
        """
        samples = self._state.samples
        identities = Identities((), [], [], []) if samples is None else samples.identities
        return gate_counts(self._memberships(), identities)

    @command
    def color(self, by: ColorBy | str) -> None:
        """Colour the points.

        Parameters
        ----------
        by : ColorBy or str
            A name stands for the feature of that name.

        Raises
        ------
        InvalidTypeError
            If it is neither.
        InvalidInputError
            If there is no such feature or gate.
        """
        chosen = ColorBy("feature", by) if isinstance(by, str) else by
        if not isinstance(chosen, ColorBy):
            raise InvalidTypeError(
                f"by must be a ColorBy or the name of a feature; got {type(by).__name__}. Use "
                "ColorBy() for no colours."
            )
        self._become(self._colored(replace(self._state, color_by=chosen)))


def _listed(ids: Any) -> list[Any]:
    if isinstance(ids, str) or not isinstance(ids, Iterable):
        raise InvalidTypeError(
            f"ids must be a sequence of identities; got {type(ids).__name__}. Put a single one in "
            "a list."
        )
    return list(ids)


def _checked_id(sample_id: Any) -> SampleId:
    if not isinstance(sample_id, tuple | list) or len(sample_id) != len(SampleId._fields):
        raise InvalidInputError(
            f"ids must be triples of source, frame and label; got {sample_id!r:.100}. Take them "
            "from samples.identities."
        )
    return SampleId(*sample_id)
