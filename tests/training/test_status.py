"""The state diagram: exactly the arrows that are drawn, and none from a final phase."""

from __future__ import annotations

import dataclasses

import pytest

from embedscope.training import Phase, Status

RUNNING = [Phase.PREPARING, Phase.LAYOUT, Phase.FITTING, Phase.REFINING]
ENDS = [Phase.DONE, Phase.STOPPED, Phase.FAILED]


def arrows() -> set[tuple[Phase, Phase]]:
    """The diagram of the module's docstring, arrow by arrow."""
    drawn = {(Phase.IDLE, Phase.PREPARING), (Phase.IDLE, Phase.STOPPED)}
    for place, phase in enumerate(RUNNING):
        drawn |= {(phase, later) for later in RUNNING[place + 1 :]}
        drawn |= {(phase, end) for end in ENDS}
        drawn |= {(phase, Phase.PAUSED), (Phase.PAUSED, phase)}
    return drawn | {(Phase.PAUSED, Phase.STOPPED), (Phase.PAUSED, Phase.FAILED)}


@pytest.mark.parametrize("before", Phase)
@pytest.mark.parametrize("after", Phase)
def test_the_arrows_are_those_of_the_diagram(before, after):
    expected = before is after or (before, after) in arrows()
    assert before.may_become(after) == expected


def test_running_and_finished_phases():
    assert [phase for phase in Phase if phase.is_running] == RUNNING
    assert [phase for phase in Phase if phase.is_finished] == ENDS


def test_a_status_is_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Status(1).phase = Phase.DONE  # type: ignore[misc]
