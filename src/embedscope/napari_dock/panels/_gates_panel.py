"""The list of gates: names, colours and sample counts, with buttons to edit them."""

from __future__ import annotations

from typing import Any

from psygnal import Signal
from qtpy.QtCore import Qt
from qtpy.QtGui import QColor, QIcon, QKeySequence, QPixmap, QShortcut  # type: ignore[attr-defined]
from qtpy.QtWidgets import (
    QColorDialog,
    QComboBox,
    QHBoxLayout,
    QHeaderView,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from embedscope.explorer import GateSet, ViewIntents
from embedscope.napari_dock.widgets._buttons import IconButton
from embedscope.napari_dock.widgets._theme import MapColors

_NAME, _COUNT, _SHARE = range(3)
_COMBINATIONS = (("both", "intersection"), ("either", "union"), ("first only", "difference"))


class GatesPanel(QWidget):
    """Gates of the map.

    Parameters
    ----------
    intents : ViewIntents
    parent : QWidget, optional
    """

    activated = Signal(str)  # the gate whose corners may be dragged

    def __init__(self, intents: ViewIntents, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._intents = intents
        self._is_showing = False
        self._renamed: dict[str, str] = {}
        self.list = QTreeWidget()
        self.list.setHeaderLabels(["Gate", "samples", "share"])
        self.list.setRootIsDecorated(False)
        self.list.setSelectionMode(QTreeWidget.SelectionMode.ExtendedSelection)
        self.list.setToolTip(
            "Double-click a name to change it. The chosen gate's corners can be dragged on the "
            "map. Drag the dot in the middle of a side to add a corner; double-click a corner to "
            "remove it."
        )
        header = self.list.header()
        assert header is not None
        header.setStretchLastSection(False)
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(_NAME, QHeaderView.ResizeMode.Stretch)
        self.list.setFixedHeight(120)
        self.list.itemChanged.connect(self._rename)
        self.list.itemSelectionChanged.connect(self._activate)
        delete = QShortcut(QKeySequence("Delete"), self.list)
        delete.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        delete.activated.connect(self._remove)
        self.combination = QComboBox()
        for title, operation in _COMBINATIONS:
            self.combination.addItem(title, operation)
        self.combination.setToolTip("How the chosen gates are combined.")
        buttons = {
            "Select": (self._select, "Select the samples of the chosen gate."),
            "Colour": (self._recolor, "Choose another colour for the gate."),
            "Remove": (self._remove, "Remove the chosen gates (Delete); their samples stay."),
            "Combine": (
                self._combine,
                "Make a new gate from the chosen ones; it follows their changes.",
            ),
        }
        self.undo = IconButton("undo", "Undo", intents.undo_requested.emit)
        self.redo = IconButton("redo", "Redo", intents.redo_requested.emit)
        self.buttons = {}
        for title, (act, tooltip) in buttons.items():
            button = QPushButton(title)
            button.setToolTip(tooltip)
            button.clicked.connect(lambda _=False, act=act: act())
            self.buttons[title] = button
        self._lay_out()

    def show_gates(self, gates: GateSet, counts: Any) -> None:
        """List the gates with the number of samples in each."""
        chosen = {self._renamed.get(name, name) for name in self._chosen()}
        totals = counts.groupby("gate", sort=False)["count"].sum() if len(counts) else {}
        n_samples = _n_samples(counts)
        self._is_showing = True
        self.list.clear()
        for gate in gates:
            total = int(totals.get(gate.name, 0))
            share = f"{100 * total / n_samples:.1f} %" if n_samples else ""
            item = QTreeWidgetItem([gate.name, f"{total:,}", share])
            item.setData(_NAME, Qt.ItemDataRole.UserRole, gate.name)
            item.setFlags(item.flags() | Qt.ItemFlag.ItemIsEditable)
            item.setIcon(_NAME, _square(gate.color))
            if gate.operation is not None:
                item.setToolTip(_NAME, f"{gate.operation} of {', '.join(gate.members)}")
            self.list.addTopLevelItem(item)
            item.setSelected(gate.name in chosen)
        self._is_showing = False
        self._enable()

    @property
    def active(self) -> str:
        """The chosen gate, or "" unless exactly one is chosen."""
        chosen = self._chosen()
        return chosen[0] if len(chosen) == 1 else ""

    def choose(self, name: str) -> None:
        """Choose one gate, as a click on its line does."""
        (item,) = self.list.findItems(name, Qt.MatchFlag.MatchExactly, _NAME)
        self.list.setCurrentItem(item)

    def choose_last(self) -> None:
        """Choose the gate that was added last, if there is one."""
        last = self.list.topLevelItem(self.list.topLevelItemCount() - 1)
        if last is not None:
            self.list.setCurrentItem(last)

    def set_theme(self, colors: MapColors) -> None:
        """Draw icons in the colours of a theme."""
        for button in (self.undo, self.redo):
            button.set_theme(colors)

    def show_history(self, history: Any) -> None:
        """Show what can be undone and redone."""
        for button, title, what in (
            (self.undo, "Undo", history.undo),
            (self.redo, "Redo", history.redo),
        ):
            button.setEnabled(bool(what))
            button.setToolTip(f"{title}: {what}" if what else f"Nothing to {title.lower()}.")

    def _lay_out(self) -> None:
        first, second = QHBoxLayout(), QHBoxLayout()
        for title in ("Select", "Colour", "Remove"):
            first.addWidget(self.buttons[title])
        second.addWidget(self.combination)
        second.addWidget(self.buttons["Combine"])
        second.addStretch(1)
        second.addWidget(self.undo)
        second.addWidget(self.redo)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.list)
        layout.addLayout(first)
        layout.addLayout(second)
        self._enable()

    def _chosen(self) -> list[str]:
        return [item.data(_NAME, Qt.ItemDataRole.UserRole) for item in self.list.selectedItems()]

    def _enable(self) -> None:
        n_chosen = len(self._chosen())
        self.buttons["Select"].setEnabled(n_chosen == 1)
        self.buttons["Colour"].setEnabled(n_chosen == 1)
        self.buttons["Remove"].setEnabled(n_chosen >= 1)
        self.buttons["Combine"].setEnabled(n_chosen >= 2)

    def _activate(self) -> None:
        if self._is_showing:
            return
        self._enable()
        self.activated.emit(self.active)

    def _rename(self, item: QTreeWidgetItem, column: int) -> None:
        name = item.data(_NAME, Qt.ItemDataRole.UserRole)
        wanted = item.text(_NAME)
        if not self._is_showing and column == _NAME and wanted != name:
            self._renamed = {name: wanted}  # so that the gate stays chosen under its new name
            self._intents.gate_edit_requested.emit(name, {"name": wanted})
            self._renamed = {}

    def _select(self) -> None:
        for name in self._chosen():
            self._intents.gate_selection_requested.emit(name, "replace")

    def _recolor(self) -> None:
        (name,) = self._chosen()
        color = QColorDialog.getColor(parent=self)
        if color.isValid():
            self._intents.gate_edit_requested.emit(name, {"color": color.name()})

    def _remove(self) -> None:
        for name in reversed(self._chosen()):
            self._intents.gate_removal_requested.emit(name)

    def _combine(self) -> None:
        self._intents.combined_gate_requested.emit(
            self.combination.currentData(), self._chosen(), None
        )


def _n_samples(counts: Any) -> int:
    """Total number of samples, from the counts and shares of one gate."""
    if not len(counts):
        return 0
    of_one = counts[(counts["gate"] == counts["gate"].iloc[0]) & (counts["share"] > 0)]
    return round((of_one["count"] / of_one["share"]).sum()) if len(of_one) else 0


def _square(color: str) -> QIcon:
    pixmap = QPixmap(12, 12)
    pixmap.fill(QColor(color))
    icon = QIcon(pixmap)
    icon.addPixmap(pixmap, QIcon.Mode.Selected)  # otherwise Qt tints it in the selected line
    return icon
