"""Small sample sets and short runs, for all tests of training."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from embedscope.samples import Samples, samples_from_array
from embedscope.training import Phase, Status, TrainingRun


@pytest.fixture(scope="session")
def table(digits) -> Samples:
    """150 digits as rows of 64 numbers; a run of them takes a few seconds."""
    return samples_from_array(digits.data[:150])


@pytest.fixture(scope="session")
def pictures(digits) -> Samples:
    """150 digits as pictures of 8 x 8 pixels."""
    return samples_from_array(digits.data[:150].reshape(-1, 8, 8, 1))


class Events:
    """Records all events of a run."""

    def __init__(self, run: TrainingRun) -> None:
        self.statuses: list[Status] = []
        self.losses: list[tuple[int, int, dict[str, float]]] = []
        self.maps: list[tuple[int, int, np.ndarray]] = []
        self.ends: list[Status] = []
        self.order: list[str] = []
        run.status_changed.connect(
            self._note("status", lambda status: self.statuses.append(status))
        )
        run.loss_reported.connect(self._note("loss", lambda *entry: self.losses.append(entry)))
        run.embedding_changed.connect(self._note("map", lambda *entry: self.maps.append(entry)))
        run.finished.connect(self._note("end", lambda status: self.ends.append(status)))

    def _note(self, kind: str, keep: Callable[..., None]) -> Callable[..., None]:
        def note(*event: object) -> None:
            self.order.append(kind)
            keep(*event)

        return note

    @property
    def phases(self) -> list[Phase]:
        """Phases in order, without repetitions."""
        phases = [Phase.IDLE]
        for status in self.statuses:
            if status.phase is not phases[-1]:
                phases.append(status.phase)
        return phases

    def assert_legal(self) -> None:
        """Every change of phase is an arrow of the diagram, and `finished` came once, last."""
        for before, after in zip(self.phases, self.phases[1:], strict=False):
            assert before.may_become(after), f"{before} -> {after}"
        assert len(self.ends) == 1
        assert self.order[-1] == "end"
        assert self.ends[0] == self.statuses[-1]
        assert self.ends[0].phase.is_finished


@pytest.fixture(scope="session")
def watch() -> Callable[[TrainingRun], Events]:
    return Events
