"""A run in napari's list of activities: it is followed and removed, and Cancel stops it once."""

from __future__ import annotations

import pytest
from map_pixels import settle
from napari.utils.progress import progress
from qtpy.QtCore import QTimer

from embedscope.napari_dock._activity import Activity
from embedscope.training import Phase, Status


def at(phase: Phase, fraction: float) -> Status:
    return Status(run_id=1, phase=phase, fraction=fraction)


@pytest.fixture
def stopped():
    return []


@pytest.fixture
def activity(stopped):
    made = Activity(lambda: stopped.append(True))
    yield made
    made.close()


def test_it_follows_a_run_and_leaves_the_list(activity):
    before = len(progress._all_instances)
    activity.show_status(at(Phase.IDLE, 0.0))
    assert len(progress._all_instances) == before
    activity.show_status(at(Phase.LAYOUT, 0.25))
    activity.show_status(at(Phase.FITTING, 0.5))
    (bar,) = [each for each in progress._all_instances if each.desc.startswith("Training the map")]
    assert bar.n == 50
    activity.show_status(at(Phase.PAUSED, 0.5))
    activity.show_status(at(Phase.DONE, 1.0))
    assert len(progress._all_instances) == before


def test_cancel_stops_the_run_once(activity, stopped):
    activity.show_status(at(Phase.FITTING, 0.5))
    (bar,) = [each for each in progress._all_instances if each.desc.startswith("Training the map")]
    bar.cancel()
    for fraction in (0.6, 0.7):
        activity.show_status(at(Phase.FITTING, fraction))
    assert stopped == [True]
    activity.show_status(at(Phase.STOPPED, 0.7))
    activity.show_status(at(Phase.LAYOUT, 0.1))  # another run
    assert stopped == [True]


@pytest.mark.parametrize("meanwhile", [[Phase.LAYOUT], [Phase.LAYOUT, Phase.DONE], [Phase.DONE]])
def test_a_status_while_napari_makes_the_bar_makes_no_second_bar(shown_viewer, activity, meanwhile):
    """Napari processes Qt events there, so the next status arrives during the first call."""
    before = len(progress._all_instances)
    for phase in meanwhile:
        QTimer.singleShot(0, lambda phase=phase: activity.show_status(at(phase, 0.5)))
    activity.show_status(at(Phase.PREPARING, 0.0))
    settle()
    is_at_work = meanwhile[-1] is Phase.LAYOUT
    assert len(progress._all_instances) == before + is_at_work
    if is_at_work:
        (bar,) = progress._all_instances
        assert bar.n == 50
    activity.close()
    assert len(progress._all_instances) == before
