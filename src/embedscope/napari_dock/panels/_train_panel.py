"""The buttons Train, Pause and Stop, and the progress of the training run."""

from __future__ import annotations

from collections.abc import Callable

from qtpy.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget

from embedscope.explorer import ViewIntents
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
    intents : ViewIntents
    prepare : callable
        ``prepare(go_on)`` calls ``go_on()`` once the samples are ready to be trained on.
    parent : QWidget, optional
    """

    def __init__(
        self,
        intents: ViewIntents,
        prepare: Callable[[Callable[[], None]], None],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._intents = intents
        self.train = _button("Train", "Train the map. You can use the viewer meanwhile.")
        self.pause = _button("Pause", "Pause the training; press again to resume.")
        self.stop = _button("Stop", "Stop the training now and keep the best map so far.")
        self.train.clicked.connect(lambda: prepare(lambda: intents.train_requested.emit()))
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
        """Show the progress of the run; buttons that would do nothing are disabled."""
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
        self.text.setVisible(bool(self.text.text()))  # an empty line would take height from the map

    def _ask_to_stop(self) -> None:
        """Show "Stopping…" at once: the run ends only after the current step."""
        self._is_stopping = True
        self.stop.setEnabled(False)
        self.pause.setEnabled(False)
        self.text.setText(_STOPPING)
        self._intents.stop_requested.emit()

    def _toggle_pause(self) -> None:
        intents, is_paused = self._intents, self._phase is Phase.PAUSED
        (intents.resume_requested if is_paused else intents.pause_requested).emit()


def _text_of(status: Status) -> str:
    if not status.phase.is_at_work:
        return "" if status.phase in (Phase.IDLE, Phase.DONE) else status.message
    if status.phase is Phase.PREPARING and not status.fraction:  # the progress is not known yet
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
