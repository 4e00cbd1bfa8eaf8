"""The combo boxes and lists with check marks of the data panel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QComboBox, QListWidget, QListWidgetItem

_ROWS_SHOWN = 3


def combo(entries: Sequence[tuple[str, Any]], tooltip: str) -> QComboBox:
    """A combo box with the smallest possible width.

    Parameters
    ----------
    entries : sequence of (str, object)
        The text that is shown, and its data.
    tooltip : str

    Returns
    -------
    QComboBox
    """
    made = QComboBox()
    made.setToolTip(tooltip)
    made.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    for text, data in entries:
        made.addItem(text, data)
    return made


def check_list(tooltip: str) -> QListWidget:
    """A list of entries with check boxes, three lines high.

    Parameters
    ----------
    tooltip : str

    Returns
    -------
    QListWidget
    """
    made = QListWidget()
    made.setToolTip(tooltip)
    height = made.fontMetrics().height() + 2
    made.setFixedHeight(_ROWS_SHOWN * height + 6)
    return made


def fill_checks(several: QListWidget, entries: Sequence[tuple[str, Any, bool]]) -> None:
    """Replace the entries by these.

    Parameters
    ----------
    several : QListWidget
    entries : sequence of (str, object, bool)
        The text that is shown, its data, and whether it is checked.
    """
    several.clear()
    for text, data, is_checked in entries:
        item = QListWidgetItem(text)
        item.setData(Qt.ItemDataRole.UserRole, data)
        item.setCheckState(Qt.CheckState.Checked if is_checked else Qt.CheckState.Unchecked)
        several.addItem(item)


def checked(several: QListWidget) -> list[Any]:
    """The data of the checked entries."""
    items = (several.item(place) for place in range(several.count()))
    return [
        item.data(Qt.ItemDataRole.UserRole)
        for item in items
        if item is not None and item.checkState() == Qt.CheckState.Checked
    ]
