"""The map with its tools: what dragging does, colours and their legend, point size, replay."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
from psygnal import Signal
from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QButtonGroup,
    QCheckBox,
    QComboBox,
    QHBoxLayout,
    QLabel,
    QSlider,
    QVBoxLayout,
    QWidget,
)

from embedscope.explorer import ColorBy, Coloring, LegendEntry, ViewIntents
from embedscope.napari_dock.map._gestures import Tool
from embedscope.napari_dock.map._legend import Legend
from embedscope.napari_dock.map._map_canvas import MapCanvas
from embedscope.napari_dock.map._points_menu import PointsMenu
from embedscope.napari_dock.widgets._buttons import IconButton
from embedscope.napari_dock.widgets._theme import DARK, MapColors
from embedscope.samples import Samples

_TOOLS = (
    (Tool.LASSO, "Lasso: draw around points to select them. Shift adds, Alt subtracts."),
    (Tool.RECTANGLE, "Box: select points in a rectangle. Shift adds, Alt subtracts."),
    (Tool.GATE, "Gate: draw around points to make a named gate."),
    (Tool.DECODE, "Decode: click or drag on the map to decode the sample at that point."),
    (Tool.PATH, "Path: draw a line to see how samples change along it."),
    (Tool.NAVIGATE, "Move: drag to move the map. The wheel zooms with every tool."),
)
_SPECIAL = (
    ("nothing", ColorBy()),
    ("gate", ColorBy("gate")),
    ("selection", ColorBy("selection")),
    ("source", ColorBy("source")),
    ("frame", ColorBy("frame")),
    ("trained on or added", ColorBy("training")),
    ("novelty", ColorBy("novelty")),
)
_LEAST_HEIGHT_PX = 280
_POP_OUT = "Show the map in a window of its own."
_DOCK_BACK = "Put the map back into the dock."
_NO_SAMPLES = (
    "Choose above what to embed, then press Train.\n"
    "A saved session is opened by Export > Open session."
)
_NO_MAP = "Press Train, and the map forms here."


class MapPanel(QWidget):
    """The map with its tools, colours, legend and replay.

    Parameters
    ----------
    intents : ViewIntents
    parent : QWidget, optional
    """

    colors_on_objects = Signal(bool)
    keep_requested = Signal()  # the lasso as a gate
    pop_requested = Signal()  # into a window of its own, or back
    image_box_toggled = Signal(bool)  # whether dragging in the image selects there
    novel_marked = Signal(bool)  # whether samples unlike those trained on are marked

    def __init__(self, intents: ViewIntents, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._intents = intents
        self._is_showing = False
        self._by = ColorBy()
        self._legend_entries: tuple[LegendEntry, ...] = ()
        self._colors = DARK
        self._epochs: tuple[int, ...] = ()
        self.canvas = MapCanvas()
        self.canvas.setMinimumHeight(_LEAST_HEIGHT_PX)
        self.tools = {tool: IconButton(tool.value, tip, checkable=True) for tool, tip in _TOOLS}
        self.whole = IconButton(
            "whole", "Show the whole map. So does a double-click.", self.canvas.map_view.show_all
        )
        self.keep = IconButton(
            "keep",
            "Make a gate from the lasso; its corners can be dragged.",
            self.keep_requested.emit,
        )
        self.keep.setEnabled(False)
        self.image_box = IconButton(
            "in image",
            "Box in the image: drag there to select the objects in a rectangle. Shift adds, Alt "
            "subtracts. Press again to move the image by dragging.",
            checkable=True,
        )
        self.pop = IconButton("pop", _POP_OUT, self.pop_requested.emit)
        self.more = IconButton("more", "Size and opacity of the points, and tracks.")
        self.points_menu = PointsMenu(self.canvas, self)
        self.color_by = QComboBox()
        self.on_objects = QCheckBox("in the image")
        self.legend = Legend()
        self.replay = QSlider(Qt.Orientation.Horizontal)
        self.replay_text = QLabel()
        self._others = (self.keep, self.image_box, self.whole, self.pop, self.more)
        self._set_up()
        self._lay_out()
        self.show_samples(None)
        self.show_replay(0, ())

    def show_samples(self, samples: Samples | None) -> None:
        """Offer the features of these samples as colours."""
        self._samples = samples
        self.points_menu.show_samples(samples)
        names = [] if samples is None else [str(name) for name in samples.features.columns]
        self._is_showing = True
        self.color_by.clear()
        for title, by in _SPECIAL:
            self.color_by.addItem(title, by)
        if names:
            self.color_by.insertSeparator(self.color_by.count())
        for name in names:
            self.color_by.addItem(name, ColorBy("feature", name))
        self._is_showing = False
        self.show_placed(False)

    def show_placed(self, any_placed: bool) -> None:
        """Show a hint while no sample has a position."""
        hint = _NO_SAMPLES if self._samples is None else _NO_MAP
        self.canvas.overlay.set_hint("" if any_placed else hint)

    def show_coloring(self, by: ColorBy, coloring: Coloring) -> None:
        """Colour the points, and show the legend and what is chosen."""
        self._by = by
        self._legend_entries = coloring.legend
        self._is_showing = True
        for index in range(self.color_by.count()):
            offered = self.color_by.itemData(index)
            if offered is not None and (offered.kind, offered.name) == (by.kind, by.name):
                self.color_by.setCurrentIndex(index)
        self._is_showing = False
        if len(coloring.levels) == len(self.canvas.map_view.points.positions):
            self.canvas.map_view.points.set_colors(coloring.rgba)
        self.legend.show_coloring(coloring, by)

    def show_count(self, n_selected: int, n_samples: int) -> None:
        """Show how many samples are selected."""
        self.canvas.overlay.set_count(
            f"{n_selected:,} of {n_samples:,} selected" if n_samples else ""
        )

    def show_novel(self, rows: npt.NDArray[np.int64]) -> None:
        """Mark these novel samples, which are unlike those trained on."""
        self.canvas.map_view.points.set_marked(rows)
        self.legend.show_novel(len(rows))

    def show_lasso(self, is_there: bool) -> None:
        """Enable the button that makes a gate from the lasso while there is one."""
        self.keep.setEnabled(is_there)

    def show_popped(self, is_popped_out: bool) -> None:
        """Update the button that moves the map between the dock and its own window."""
        self.pop.setToolTip(_DOCK_BACK if is_popped_out else _POP_OUT)
        self.pop.set_icon("dock" if is_popped_out else "pop", self._colors)

    def show_replay(self, n_snapshots: int, epochs: Any) -> None:
        """Offer these snapshots; the last position of the slider is the current map."""
        self._is_showing = True
        self._epochs = epochs
        self.replay.setRange(0, n_snapshots)
        self.replay.setValue(n_snapshots)
        self._replay_row.setVisible(n_snapshots > 0)
        self.replay_text.setText("now")
        self._is_showing = False

    def set_theme(self, colors: MapColors) -> None:
        """Draw icons in the colours of a theme."""
        self._colors = colors
        for button in (*self.tools.values(), *self._others):
            button.set_theme(colors)
        self.legend.set_theme(colors)

    def _set_up(self) -> None:
        self._group = QButtonGroup(self)
        for tool, button in self.tools.items():
            self._group.addButton(button)
            button.clicked.connect(lambda _=False, tool=tool: self.canvas.set_tool(tool))
        self.tools[Tool.LASSO].setChecked(True)
        self.canvas.set_tool(Tool.LASSO)
        self.more.setMenu(self.points_menu)
        self.more.setPopupMode(IconButton.ToolButtonPopupMode.InstantPopup)
        self.color_by.setToolTip("What the points are coloured by.")
        self.color_by.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self.color_by.setMinimumContentsLength(8)
        self.color_by.currentIndexChanged.connect(self._ask_for_color)
        self.on_objects.setToolTip(
            "Show the colours of the legend on the objects in the image too. To see the cells "
            "below, lower the opacity of the layer '… on the map'."
        )
        self.on_objects.toggled.connect(self.colors_on_objects.emit)
        self.image_box.toggled.connect(self.image_box_toggled.emit)
        self.legend.toggled.connect(self._toggle_class)
        self.legend.isolated.connect(self._show_alone)
        self.legend.scale.limits_chosen.connect(self._ask_for_limits)
        self.legend.scale.palette_chosen.connect(self._ask_for_palette)
        self.legend.novel_toggled.connect(self.canvas.map_view.points.set_marks_shown)
        self.legend.novel_toggled.connect(self.novel_marked.emit)
        self.replay.setToolTip("Drag to see how the map formed.")
        self.replay.valueChanged.connect(self._ask_for_snapshot)

    def _lay_out(self) -> None:
        tools = QHBoxLayout()
        tools.setSpacing(2)
        for button in self.tools.values():
            tools.addWidget(button)
        tools.addSpacing(6)
        tools.addWidget(self.keep)
        tools.addWidget(self.image_box)
        tools.addStretch(1)
        for button in (self.whole, self.pop, self.more):
            tools.addWidget(button)
        colors = QHBoxLayout()
        colors.addWidget(QLabel("Colour by"))
        colors.addWidget(self.color_by, 1)
        colors.addWidget(self.on_objects)
        self._replay_row = QWidget()
        replay = QHBoxLayout(self._replay_row)
        replay.setContentsMargins(0, 0, 0, 0)
        replay.addWidget(QLabel("Formation"))
        replay.addWidget(self.replay, 1)
        replay.addWidget(self.replay_text)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addLayout(tools)
        layout.addWidget(self.canvas, 1)
        layout.addWidget(self._replay_row)
        layout.addLayout(colors)
        layout.addWidget(self.legend)

    def _ask_for_color(self, index: int) -> None:
        by = self.color_by.itemData(index)
        if not self._is_showing and by is not None:
            self._intents.color_requested.emit(by)

    def _toggle_class(self, label: str, visible: bool) -> None:
        hidden = self._by.hidden - {label} if visible else self._by.hidden | {label}
        self._intents.color_requested.emit(replace(self._by, hidden=hidden))

    def _show_alone(self, label: str) -> None:
        others = frozenset(entry.label for entry in self._legend_entries) - {label}
        hidden = frozenset() if self._by.hidden == others else others
        self._intents.color_requested.emit(replace(self._by, hidden=hidden))

    def _ask_for_limits(self, limits: tuple[float, float] | None) -> None:
        self._intents.color_requested.emit(replace(self._by, limits=limits))

    def _ask_for_palette(self, palette: str) -> None:
        self._intents.color_requested.emit(replace(self._by, palette=palette))

    def _ask_for_snapshot(self, index: int) -> None:
        if self._is_showing:
            return
        is_now = index == self.replay.maximum()
        self.replay_text.setText("now" if is_now else f"report {self._epochs[index]}")
        self._intents.replay_requested.emit(-1 if is_now else index)
