"""Undo and redo against a simple model: a list of states and an index."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from embedscope._errors import InvalidInputError
from embedscope.explorer.marks._gates import Gate, GateSet
from embedscope.explorer.marks._undo import History, UndoState, UndoSteps

N_SAMPLES = 11  # not a multiple of the eight that share a byte
LIMIT = 4
masks = st.lists(st.booleans(), min_size=N_SAMPLES, max_size=N_SAMPLES).map(np.array)


def state(mask=None, n_gates=0):
    gates = GateSet()
    for number in range(n_gates):
        gates = gates.add(Gate(f"gate {number}", polygon=[(0, 0), (1, 0), (0, 1)]))
    return UndoState.of(np.zeros(N_SAMPLES, bool) if mask is None else mask, gates)


class UndoMachine(RuleBasedStateMachine):
    """Changes, undos and redos in any order."""

    def __init__(self):
        super().__init__()
        self.steps = UndoSteps(LIMIT)
        self.present = state()
        self.timeline = [("", self.present)]  # each with the change that led to it
        self.now = 0
        self.oldest = 0

    @rule(mask=masks, n_gates=st.integers(0, 3))
    def change(self, mask, n_gates):
        description = f"change {len(self.timeline)}"
        self.steps = self.steps.record(description, self.present)
        self.present = state(mask, n_gates)
        self.timeline = [*self.timeline[: self.now + 1], (description, self.present)]
        self.now += 1
        self.oldest = max(self.oldest, self.now - LIMIT)

    @rule()
    def undo(self):
        found = self.steps.undo(self.present)
        if self.now == self.oldest:
            assert found is None
            return
        self.now -= 1
        self.steps, self.present = found

    @rule()
    def redo(self):
        found = self.steps.redo(self.present)
        if self.now + 1 == len(self.timeline):
            assert found is None
            return
        self.now += 1
        self.steps, self.present = found

    @invariant()
    def state_is_that_of_the_model(self):
        assert self.present == self.timeline[self.now][1]

    @invariant()
    def history_tells_what_comes(self):
        n_undo, n_redo = self.now - self.oldest, len(self.timeline) - 1 - self.now
        assert self.steps.history == History(
            self.timeline[self.now][0] if n_undo else "",
            self.timeline[self.now + 1][0] if n_redo else "",
            n_undo,
            n_redo,
        )


TestUndo = UndoMachine.TestCase
TestUndo.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)


@given(st.lists(st.booleans(), max_size=40))
def test_state_gives_the_selection_back(selected):
    mask = np.array(selected, dtype=bool)
    np.testing.assert_array_equal(UndoState.of(mask, GateSet()).mask, mask)


def test_selection_of_a_state_is_a_new_array():
    kept = state()
    kept.mask[:] = True
    assert not kept.mask.any()


def test_hundred_steps_by_default():
    steps = UndoSteps()
    for number in range(150):
        steps = steps.record(f"change {number}", state())
    assert (steps.history.n_undo, steps.history.undo) == (100, "change 149")


def test_hundred_states_of_many_samples_are_small():
    large = UndoState.of(np.ones(100_000, bool), GateSet())
    assert len(large.packed) == 12_500


def test_bad_limit_is_refused():
    with pytest.raises(InvalidInputError, match="limit must be at least 1; got 0"):
        UndoSteps(0)
