"""The form of the training parameters, made from their descriptions."""

from __future__ import annotations

from typing import Any

from magicgui.widgets import create_widget
from psygnal import Signal
from qtpy.QtWidgets import QFormLayout, QVBoxLayout, QWidget
from superqt import QCollapsible

from embedscope.training import ParameterField, TrainingParameters, parameter_fields

_WIDGETS = {"int": int, "float": float, "bool": bool, "choice": str, "text": str}


class ParameterForm(QWidget):
    """Every parameter of a run: the short set open, the rest under "Advanced".

    Emits ``changed`` with the name and the value that the user has set; `show_parameters` emits
    nothing.

    Parameters
    ----------
    parent : QWidget, optional
    """

    changed = Signal(dict)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        self._is_showing = False
        self._entries: dict[str, Any] = {}
        fields = parameter_fields()
        basic = self._rows([field for field in fields if field.is_basic])
        others = self._rows([field for field in fields if not field.is_basic])
        self.advanced = QCollapsible("Advanced")
        self.advanced.setToolTip("All other parameters, with sensible defaults.")
        self.advanced.addWidget(others)
        layout.addWidget(basic)
        layout.addWidget(self.advanced)
        layout.addStretch(1)

    def show_parameters(self, parameters: TrainingParameters) -> None:
        """Put values into the form.

        Parameters
        ----------
        parameters : TrainingParameters
        """
        self._is_showing = True
        try:
            for name, value in parameters.to_dict().items():
                self._entries[name].value = value
        finally:
            self._is_showing = False

    def values(self) -> dict[str, Any]:
        """The values in the form, by the parameters' names."""
        return {name: entry.value for name, entry in self._entries.items()}

    def _rows(self, fields: list[ParameterField]) -> QWidget:
        rows = QWidget()
        form = QFormLayout(rows)
        form.setContentsMargins(0, 0, 0, 0)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        for described in fields:
            entry: Any = create_widget(
                described.default,
                annotation=_WIDGETS[described.kind],
                name=described.name,
                label=described.label,
                options=_options(described),
            )
            entry.changed.connect(lambda value, name=described.name: self._tell(name, value))
            self._entries[described.name] = entry
            if described.kind == "bool":  # has its label beside the box
                form.addRow("", entry.native)
            else:
                form.addRow(described.label, entry.native)
        return rows

    def _tell(self, name: str, value: Any) -> None:
        if not self._is_showing:
            self.changed.emit({name: value})


def _options(described: ParameterField) -> dict[str, Any]:
    """Bounds, steps and choices as magicgui names them."""
    unit = f" ({described.unit})" if described.unit else ""
    options: dict[str, Any] = {"tooltip": f"{described.tooltip}{unit}"}
    if described.kind in ("int", "float"):
        options |= {"min": described.minimum, "max": described.maximum, "step": described.step}
    if described.kind == "choice":
        options |= {"choices": list(described.choices)}
    return options
