"""Who is under the pointer: a small card in a corner of the map."""

from __future__ import annotations

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QFrame, QHBoxLayout, QLabel, QWidget

from embedscope.napari_dock._pictures import PictureLabel
from embedscope.napari_dock._theme import MapColors
from embedscope.napari_dock._who import name_of_row
from embedscope.samples import Samples

_PICTURE_PX, _MARGIN_PX, _MOST_VALUES = 64, 8, 3


class HoverCard(QFrame):
    """Picture, identity and some values of a sample; hidden while there is none.

    Parameters
    ----------
    parent : QWidget
        The map; the mouse reaches it through the card.
    """

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.picture = PictureLabel(_PICTURE_PX, "")
        self.text = QLabel()
        layout = QHBoxLayout(self)
        layout.setContentsMargins(6, 6, 8, 6)
        layout.addWidget(self.picture)
        layout.addWidget(self.text)
        self.hide()

    def set_theme(self, colors: MapColors) -> None:
        """Draw in the colours of a theme."""
        behind, ink = (",".join(map(str, rgb)) for rgb in (colors.background, colors.ink))
        self.setStyleSheet(
            f"HoverCard {{ background: rgba({behind}, 225); border-radius: 5px;"
            f" border: 1px solid rgba({ink}, 60); }}"
            f"HoverCard QLabel {{ background: transparent; color: rgb({ink}); }}"
        )

    def show_sample(self, samples: Samples | None, row: int | None, color_by: str) -> None:
        """Show a sample, or hide.

        Parameters
        ----------
        samples : Samples or None
        row : int or None
        color_by : str
            Feature that the map is coloured by, which is listed first.
        """
        if samples is None or row is None or row >= len(samples):
            self.hide()
            return
        self.picture.setVisible(samples.is_image)
        if samples.is_image:
            self.picture.show_picture(samples.thumbnail(row))
        self.text.setText("\n".join([name_of_row(samples, row), *_values(samples, row, color_by)]))
        self.adjustSize()
        self.move(_MARGIN_PX, _MARGIN_PX)
        self.show()
        self.raise_()


def _values(samples: Samples, row: int, color_by: str) -> list[str]:
    names = [str(name) for name in samples.features.columns]
    first = [color_by] if color_by in names else []
    chosen = [*first, *(name for name in names if name not in first)][:_MOST_VALUES]
    return [f"{name}: {_as_text(samples.features[name].iloc[row])}" for name in chosen]


def _as_text(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
