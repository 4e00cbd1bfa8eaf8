"""The dock's frame: a header, sections that scroll, footers and a message line."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtCore import QEvent, QObject, QSize, Qt, QTimer
from qtpy.QtWidgets import QLabel, QScrollArea, QVBoxLayout, QWidget
from superqt import QCollapsible

_MARGIN_PX, _SETTLING_MS = 8, 150
_WIDEST_PX = 400  # that the content may ask for


class _Scrolled(QScrollArea):
    """A scroll area that is wide enough for its content, also beside the scroll bar."""

    def minimumSizeHint(self) -> QSize:
        """At least the width of the content, up to that of a wide dock."""
        hint = super().minimumSizeHint()
        inside, bar = self.widget(), self.verticalScrollBar()
        if inside is None or bar is None:
            return hint
        width = inside.minimumSizeHint().width() + bar.sizeHint().width()
        return QSize(max(hint.width(), min(width, _WIDEST_PX)), hint.height())

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """The content may have become wider."""
        if event is not None and event.type() == QEvent.Type.LayoutRequest:
            self.updateGeometry()
        return bool(super().eventFilter(watched, event))


class Sections(QWidget):
    """Parts that scroll together, between a header and footers that stay in view.

    Parameters
    ----------
    parent : QWidget, optional
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        inside = QWidget()
        self._parts = QVBoxLayout(inside)
        self._parts.setContentsMargins(_MARGIN_PX, _MARGIN_PX, _MARGIN_PX, _MARGIN_PX)
        self._parts.setSpacing(6)
        self.scroll_area = _Scrolled()
        self.scroll_area.setWidgetResizable(True)
        self.scroll_area.setFrameShape(QScrollArea.Shape.NoFrame)
        self.scroll_area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.scroll_area.setWidget(inside)
        self.message = QLabel()
        self.message.setWordWrap(True)
        self.message.setContentsMargins(_MARGIN_PX, 4, _MARGIN_PX, 4)
        self.message.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.message.setToolTip("What was done last, or what is wrong.")
        self._revealed: QWidget | None = None
        # Qt lays out a part that was just shown in steps; each step changes the scroll range.
        self._revealing = QTimer(self)
        self._revealing.setSingleShot(True)
        self._revealing.timeout.connect(self._end_revealing)
        bar = self.scroll_area.verticalScrollBar()
        assert bar is not None  # a scroll area has one
        bar.rangeChanged.connect(lambda *_: self._reveal())
        self._whole = QVBoxLayout(self)
        self._whole.setContentsMargins(0, 0, 0, 0)
        self._whole.setSpacing(0)
        self._whole.addWidget(self.scroll_area, 1)
        self._whole.addWidget(self.message)

    def add_header(self, part: QWidget) -> None:
        """Put a part above everything that scrolls: it stays in view."""
        self._whole.insertWidget(0, part)

    def add(self, part: QWidget, stretch: int = 0) -> None:
        """Add a part below the others; `stretch` is its share of the height that is left."""
        self._parts.addWidget(part, stretch)

    def add_section(
        self, place: int, title: str, content: QWidget, *, tooltip: str
    ) -> QCollapsible:
        """Put a section that can be folded among the others.

        Parameters
        ----------
        place : int
            0 is the top.
        title : str
        content : QWidget
        tooltip : str

        Returns
        -------
        QCollapsible
        """
        section = QCollapsible(title)
        section.setDuration(0)
        section.setToolTip(tooltip)
        set_margins(section, 0)
        set_margins(section.content(), 4)
        section.addWidget(content)
        self._parts.insertWidget(place, section)
        return section

    def add_footer(self, content: QWidget) -> None:
        """Put a row below everything that scrolls, and below the footers before."""
        self._whole.insertWidget(self._whole.count() - 1, content)

    def reveal(self, part: QWidget) -> None:
        """Scroll to a part that was just shown."""
        self._revealed = part
        self._revealing.start(_SETTLING_MS)
        self._reveal()

    def _reveal(self) -> None:
        if self._revealed is not None:
            self.scroll_area.ensureWidgetVisible(self._revealed, 0, _MARGIN_PX)

    def _end_revealing(self) -> None:
        self._reveal()
        self._revealed = None

    def say(self, text: str, color: Sequence[int]) -> None:
        """Show a line of text in a colour, red, green and blue in 0..255; hide it for ""."""
        self.message.setText(text)
        self.message.setStyleSheet(f"color: rgb({','.join(map(str, color))});")
        self.message.setVisible(bool(text))


def set_margins(widget: QWidget, margin_px: int) -> None:
    """Leave this much room around what lies in a widget."""
    layout = widget.layout()
    assert layout is not None  # every panel lays itself out
    layout.setContentsMargins(margin_px, margin_px, margin_px, margin_px)
