"""The entries for the columns by which a feature table is joined with the objects."""

from __future__ import annotations

from typing import Any

from psygnal import Signal
from qtpy.QtCore import QSignalBlocker
from qtpy.QtWidgets import QCheckBox, QComboBox

from embedscope.napari_dock.data._data_entries import combo
from embedscope.napari_dock.data._layer_keys import (
    AUTOMATIC,
    BY_ROW,
    TableKeys,
    found_keys,
    id_columns,
    plain_features,
)

_LABEL_TIP = (
    "The column of the layer's features that holds the label of each row's object. Automatic: by "
    "the usual names, such as index, label or ObjectNumber; else row 0 is the background, row 1 "
    "label 1."
)
_FRAME_TIP = (
    "The column of the layer's features that holds the time point of each row. No column: each "
    "row belongs to its label in all time points, as for a track."
)
_ONLY_TIP = (
    "Leave out objects that the layer's features do not name, such as those that another program "
    "has sorted out."
)


class KeysEntries:
    """Two combo boxes, which offer the columns of a layer; the choice is kept.

    Attributes
    ----------
    label, frame : QComboBox
    only_named : QCheckBox
        Whether objects without a row are left out.
    """

    changed = Signal()

    def __init__(self) -> None:
        self.label = combo([], _LABEL_TIP)
        self.frame = combo([], _FRAME_TIP)
        self.only_named = QCheckBox("Only objects in the table")
        self.only_named.setToolTip(_ONLY_TIP)
        self.only_named.toggled.connect(lambda _: self.changed.emit())
        self._layer: Any = None
        self._has_frames = False  # whether the table has a column of frames
        for box in (self.label, self.frame):
            box.currentIndexChanged.connect(self._on_chosen)
        self.offer(None)

    def offer(self, layer: Any) -> None:
        """Offer the columns of a layer.

        Parameters
        ----------
        layer : napari.layers.Labels or None
        """
        table = None if layer is None else plain_features(layer)
        keys = self.keys if layer is self._layer else AUTOMATIC
        self._layer = layer
        columns = [] if table is None else id_columns(table)
        label, frame = (
            key if key in (*columns, BY_ROW) else None for key in (keys.label, keys.frame)
        )
        keys = TableKeys(label, frame)
        found = TableKeys(BY_ROW, BY_ROW) if table is None else found_keys(table, keys)
        self._has_frames = bool(found.frame)
        for box, key, taken, by_row in (
            (self.label, keys.label, found.label, "row number"),
            (self.frame, keys.frame, found.frame, "no column"),
        ):
            named = "automatic" if key is not None else f"automatic: {taken or by_row}"
            entries = [(named, None), *((name, name) for name in columns), (by_row, BY_ROW)]
            _fill(box, entries, key)

    @property
    def keys(self) -> TableKeys:
        """The current choice."""
        is_wanted = self.only_named.isChecked() and self.is_offered
        return TableKeys(self.label.currentData(), self.frame.currentData(), is_wanted)

    @property
    def is_offered(self) -> bool:
        """Whether the layer has a table to join."""
        return self._layer is not None and plain_features(self._layer) is not None

    @property
    def has_frames(self) -> bool:
        """Whether the table or the layer may have several time points."""
        if not self.is_offered:
            return False
        return self._layer.ndim > 2 or self._has_frames or self.frame.currentData() is not None

    def _on_chosen(self, _: int) -> None:
        self.offer(self._layer)
        self.changed.emit()


def _fill(box: QComboBox, entries: list[tuple[str, str | None]], chosen: str | None) -> None:
    """Offer these entries, without emitting a signal."""
    blocker = QSignalBlocker(box)
    box.clear()
    for text, data in entries:
        box.addItem(text, data)
    box.setCurrentIndex([data for _, data in entries].index(chosen))
    blocker.unblock()
