"""What drives the position of the selection, or of a gate's samples, on the map."""

from __future__ import annotations

import numpy as np
from psygnal import Signal
from qtpy.QtWidgets import QComboBox, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from embedscope.explorer import Explanation, GateSet
from embedscope.napari_dock.widgets._buttons import text_button
from embedscope.napari_dock.widgets._pictures import PictureLabel

_SALIENCY_PX = 112
_MOST_LINES = 8
_BAR_CELLS = 10


class WhyPanel(QWidget):
    """A ranking of features, or a picture of which pixels matter.

    Parameters
    ----------
    parent : QWidget, optional
    """

    requested = Signal(str)  # name of a gate, or "" for the selection

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.of = QComboBox()
        self.of.setToolTip("The samples whose position is explained: the selection, or a gate.")
        self.button = text_button(
            "Why here?",
            "What drives the position of these samples: how far they would move on the map if a "
            "feature, or a pixel, changed by its standard deviation.",
            lambda: self.requested.emit(self.of.currentData()),
        )
        self.picture = PictureLabel(
            _SALIENCY_PX, "Bright pixels move these samples most over the map."
        )
        self.text = QLabel()
        self.text.setStyleSheet("font-family: monospace")
        # Below each other: in a narrow dock the lines beside the picture would be broken.
        shown = QVBoxLayout()
        shown.addWidget(self.picture)
        shown.addWidget(self.text)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        asking = QHBoxLayout()
        asking.addWidget(self.of, 1)
        asking.addWidget(self.button)
        layout.addLayout(asking)
        layout.addLayout(shown)
        layout.addStretch(1)
        self.show_gates(GateSet())
        self.show_explanation(None)

    def show_gates(self, gates: GateSet) -> None:
        """Offer these gates, and the selection."""
        chosen = self.of.currentData()
        self.of.clear()
        self.of.addItem("the selection", "")
        for gate in gates:
            self.of.addItem(gate.name, gate.name)
        self.of.setCurrentIndex(max(self.of.findData(chosen), 0))

    def show_explanation(self, explanation: Explanation | None) -> None:
        """Show it, or nothing."""
        has_picture = explanation is not None and explanation.saliency is not None
        self.picture.setVisible(has_picture)
        self.text.setVisible(explanation is not None)
        if explanation is None:
            return
        if explanation.saliency is not None:
            self.picture.show_picture(_to_picture(explanation.saliency))
        of = f"{len(explanation.rows):,} sample{'s' if len(explanation.rows) > 1 else ''}"
        self.text.setText("\n".join([f"share of what moves {of}:", *_bars(explanation)]))


def _bars(explanation: Explanation) -> list[str]:
    ranking = explanation.ranking.head(_MOST_LINES)
    names = ranking.iloc[:, 0].astype(str).str.slice(0, 12)
    width = int(names.str.len().max()) if len(names) else 0
    return [
        f"{name:<{width}} {'█' * round(_BAR_CELLS * share):<{_BAR_CELLS}} {100 * share:3.0f} %"
        for name, share in zip(names, ranking["share"], strict=True)
    ]


def _to_picture(saliency: np.ndarray) -> np.ndarray:
    """Saliency as a picture in the colours of "magma"; depth is flattened to its maximum."""
    from matplotlib import colormaps

    flat = saliency.max(axis=0) if saliency.ndim == 3 else saliency
    scaled = flat / max(float(flat.max()), 1e-12)
    return np.asarray(255 * colormaps["magma"](scaled)[..., :3]).astype(np.uint8)
