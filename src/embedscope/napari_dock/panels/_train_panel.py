"""Train, pause, stop, and how far it is."""

from __future__ import annotations

from psygnal import Signal
from qtpy.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget

from embedscope.training import Phase, Status

_STEPS = 100
_STOPPING = "Stopping…"
_TITLES = {
    Phase.PREPARING: "Finding neighbours",
    Phase.LAYOUT: "Laying out",
    Phase.FITTING: "Training",
    Phase.REFINING: "Refining",
    Phase.PAUSED: "Paused",
}


class TrainPanel(QWidget):
    """Three buttons, a bar and a line of text.

    Parameters
    ----------
    parent : QWidget, optional
    """

    train_requested = Signal()
    pause_requested = Signal()
    resume_requested = Signal()
    stop_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.train = _button("Train", "Train the map. The viewer stays free meanwhile.")
        self.pause = _button("Pause", "Hold the training; press again to go on.")
        self.stop = _button("Stop", "End the training now and keep the best map so far.")
        self.train.clicked.connect(lambda: self.train_requested.emit())
        self.pause.clicked.connect(self._toggle_pause)
        self.stop.clicked.connect(self._ask_to_stop)
        self.bar = QProgressBar()
        self.bar.setRange(0, _STEPS)
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(6)
        self.text = QLabel()
        self.text.setWordWrap(True)
        self._phase = Phase.IDLE
        self._is_stopping = False
        buttons = QHBoxLayout()
        for button in (self.train, self.pause, self.stop):
            buttons.addWidget(button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(buttons)
        layout.addWidget(self.bar)
        layout.addWidget(self.text)
        self.show_status(Status(run_id=0))

    @property
    def phase(self) -> Phase:
        """The phase that is shown."""
        return self._phase

    def show_status(self, status: Status) -> None:
        """Show where the run is; buttons that would do nothing are grey."""
        self._phase = status.phase
        at_work = status.phase.is_at_work
        self._is_stopping = self._is_stopping and at_work
        self.train.setEnabled(not at_work)
        self.pause.setEnabled(at_work and not self._is_stopping)
        self.stop.setEnabled(at_work and not self._is_stopping)
        self.pause.setText("Resume" if status.phase is Phase.PAUSED else "Pause")
        self.bar.setVisible(at_work)
        self.bar.setValue(round(_STEPS * status.fraction))
        self.text.setText(_STOPPING if self._is_stopping else _text_of(status))
        self.text.setVisible(bool(self.text.text()))  # an empty line would take the map's room

    def _ask_to_stop(self) -> None:
        """Say so at once: a step that was begun is done first."""
        self._is_stopping = True
        self.stop.setEnabled(False)
        self.pause.setEnabled(False)
        self.text.setText(_STOPPING)
        self.stop_requested.emit()

    def _toggle_pause(self) -> None:
        signal = self.resume_requested if self._phase is Phase.PAUSED else self.pause_requested
        signal.emit()


def _text_of(status: Status) -> str:
    if not status.phase.is_at_work:
        return "" if status.phase in (Phase.IDLE, Phase.DONE) else status.message
    if status.phase is Phase.PREPARING and not status.fraction:  # nobody knows yet how far it is
        return status.message.rstrip(".") + "…"
    left = "" if status.seconds_left is None else f", about {_rounded(status.seconds_left)} left"
    return f"{_TITLES.get(status.phase, status.phase.value)}: {100 * status.fraction:.0f} %{left}"


def _rounded(seconds: float) -> str:
    if seconds >= 90:
        return f"{seconds / 60:.0f} min"
    return f"{max(1, round(seconds))} s"


def _button(text: str, tooltip: str) -> QPushButton:
    button = QPushButton(text)
    button.setToolTip(tooltip)
    return button
