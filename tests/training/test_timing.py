"""Time by a clock of the test: pauses, the time left, and the budget of snapshots."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from embedscope.training._timing import SnapshotBudget, Stopwatch, TimeLeft


class Clock:
    """A clock that only the test advances."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_pauses_do_not_count():
    clock = Clock()
    stopwatch = Stopwatch(clock)
    clock.now += 3.0
    stopwatch.pause()
    clock.now += 50.0
    assert stopwatch.seconds == 3.0
    stopwatch.resume()
    clock.now += 1.0
    assert stopwatch.seconds == 4.0


def test_steady_progress_is_extrapolated_exactly():
    left = TimeLeft()
    assert left.update("fit", 0.0, 0.0) is None
    estimates = [left.update("fit", step / 100, step / 10) for step in range(1, 101)]
    assert estimates[0] is None  # the first step may have compiled, so it is no measure
    for step, seconds in enumerate(estimates[10:], start=11):
        assert seconds == pytest.approx(10.0 - step / 10, abs=1e-6)


def test_a_slow_first_step_is_no_measure():
    left = TimeLeft()
    left.update("fit", 0.0, 0.0)
    left.update("fit", 0.01, 20.0)
    assert left.update("fit", 0.11, 21.0) == pytest.approx(8.9)


def test_a_new_stage_counts_down_until_its_speed_is_known_and_then_follows_it():
    left = TimeLeft()
    for step in range(51):
        left.update("layout", step / 100, step / 10)
    assert left.update("fit", 0.5, 5.2) == pytest.approx(4.8)
    seconds = 5.2
    for step in range(1, 50):  # half as fast
        seconds += 0.2
        estimate = left.update("fit", 0.5 + step / 100, seconds)
    assert estimate == pytest.approx(0.2, abs=0.1)


@given(
    st.lists(
        st.tuples(st.floats(0.001, 0.5), st.floats(0.0, 0.4), st.sampled_from(["a", "b"])),
        max_size=300,
    )
)
def test_snapshots_never_take_more_than_a_tenth_beyond_the_first_of_a_stage(steps):
    clock = Clock()
    budget = SnapshotBudget(Stopwatch(clock))
    surprise, last = 0.0, -1.0
    costs: dict[str, float] = {}
    for pause, cost, stage in steps:
        clock.now += pause
        if not budget.allows(stage):
            continue
        assert clock.now - last >= 0.25 - 1e-9
        # Its cost is known only from the one before.
        surprise += max(0.0, cost - costs.get(stage, 0.0))
        costs[stage] = cost
        clock.now += cost
        last = clock.now
        budget.charge(stage, cost)
        assert budget.share * (clock.now - 100.0) <= 0.1 * (clock.now - 100.0) + surprise + 1e-9
