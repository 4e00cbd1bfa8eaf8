"""A run divided into calls: every batch once, no call across a report, every report made."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from embedscope.core.solvers._pacing import Pacer


class Recorder:
    """Records the calls of a monitor's methods."""

    def __init__(self, *, wants_every_batch: bool) -> None:
        self.wants_every_batch = wants_every_batch
        self.calls: list[int] = []
        self.epochs: list[float] = []
        self.n_begun = 0

    def begin_epoch(self) -> None:
        self.n_begun += 1

    def begin_batch(self, batch: int) -> None:
        pass

    def end_batch(self, batch: int, n_samples: int, fraction: float) -> None:
        self.calls.append(n_samples)

    def end_epoch(self, losses: dict[str, float], fraction: float) -> None:
        self.epochs.append(fraction)


@settings(deadline=None)
@given(
    parts=st.lists(st.integers(1, 60), min_size=1, max_size=6),
    n_reports=st.integers(1, 30),
    batch_size=st.integers(1, 5_000),
    has_callbacks=st.booleans(),
    n_values=st.sampled_from([1, 784, 3 * 256 * 256, 2**25]),
)
def test_every_batch_is_run_once_and_every_report_is_made(
    parts, n_reports, batch_size, has_callbacks, n_values
):
    n_batches = max(sum(parts), n_reports)
    parts = [*parts, n_batches - sum(parts)]
    monitor = Recorder(wants_every_batch=has_callbacks)
    pacer = Pacer(monitor, n_batches, n_reports, lambda: {"loss": 0.0}, n_values)
    for part in parts:
        batches = [
            batch
            for call in pacer.calls(part, batch_size)
            for batch in range(call.start, call.stop)
        ]
        assert batches == list(range(part))
    assert sum(monitor.calls) == n_batches * batch_size
    assert len(monitor.epochs) == monitor.n_begun == n_reports
    assert monitor.epochs[-1] == pacer.fraction == 1.0
    if has_callbacks:
        assert set(monitor.calls) == {batch_size}
    # A call is a single batch, or few enough samples and values.
    most = max(batch_size, min(4_096, 2**24 // n_values))
    assert max(monitor.calls) <= most


def test_reports_are_spread_evenly():
    monitor = Recorder(wants_every_batch=False)
    pacer = Pacer(monitor, 100, 10, lambda: {"loss": 0.0}, 2)
    for _ in pacer.calls(100, 1):
        pass
    assert monitor.epochs == [k / 10 for k in range(1, 11)]


def test_large_samples_are_run_a_few_in_each_call():
    monitor = Recorder(wants_every_batch=False)
    pacer = Pacer(monitor, 100, 10, lambda: {"loss": 0.0}, 3 * 256 * 256)
    for _ in pacer.calls(100, 16):
        pass
    assert monitor.calls[0] == 5 * 16  # 2**24 values are 85 samples
