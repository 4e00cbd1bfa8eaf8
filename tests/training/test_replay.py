"""Snapshots are restored in half precision, thinned evenly and within their memory limit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from embedscope._errors import InvalidModelError
from embedscope.training import Replay
from embedscope.training._replay import ReplayRecorder


@settings(deadline=None)
@given(
    hnp.arrays(
        np.float32,
        st.tuples(st.integers(1, 40), st.just(2)),
        elements=st.floats(-1e6, 1e6, width=32),
    )
)
def test_positions_are_exact_to_a_fraction_of_the_width_wherever_the_map_is(embedding):
    recorder = ReplayRecorder(10_000)
    recorder.add(3, 0.5, embedding)
    restored = recorder.replay.positions(0)
    assert restored.dtype == np.float32
    width = np.ptp(embedding.astype(np.float64), axis=0)
    rounding = 4 * np.spacing(np.abs(embedding).max(axis=0))
    assert (np.abs(restored - embedding) <= width / 4_000 + rounding).all()


@given(n_frames=st.integers(1, 200), n_kept=st.integers(2, 20))
def test_stored_snapshots_are_even_have_both_ends_and_fit(n_frames, n_kept):
    recorder = ReplayRecorder(max_bytes=n_kept * 5 * 2 * 2)
    for frame in range(n_frames):
        recorder.add(frame, frame / n_frames, np.full((5, 2), frame, dtype=np.float32))
    replay = recorder.replay
    epochs = replay.epochs
    assert len(epochs) <= n_kept
    assert (epochs[0], epochs[-1]) == (0, n_frames - 1)
    steps = np.diff(epochs)
    assert len(set(steps[:-1])) <= 1
    if len(steps) > 1:
        assert steps[-1] <= steps[0]
    assert n_frames <= n_kept - 1 or len(epochs) >= n_kept // 2
    np.testing.assert_array_equal(replay.positions(-1), np.full((5, 2), n_frames - 1))


def test_a_replay_does_not_change_when_snapshots_are_added():
    recorder = ReplayRecorder(10_000)
    recorder.add(0, 0.1, np.zeros((3, 2), np.float32))
    replay = recorder.replay
    recorder.add(1, 0.2, np.ones((3, 2), np.float32))
    assert replay.epochs == (0,)
    assert recorder.replay.epochs == (0, 1)
    assert recorder.replay.fractions == (0.1, 0.2)


def test_without_snapshots_it_is_empty():
    assert len(ReplayRecorder(100).replay) == 0
    with pytest.raises(IndexError):
        Replay().positions(0)


def a_replay(rng: np.random.Generator) -> Replay:
    recorder = ReplayRecorder(10_000)
    for epoch in range(3):
        recorder.add(epoch, epoch / 3, rng.normal(size=(6, 2)).astype(np.float32))
    return recorder.replay


def test_arrays_give_the_same_replay(rng):
    replay = a_replay(rng)
    again = Replay.from_arrays(replay.to_arrays())
    assert (again.epochs, again.fractions) == (replay.epochs, replay.fractions)
    for index in range(3):
        np.testing.assert_array_equal(again.positions(index), replay.positions(index))
    assert len(Replay.from_arrays(Replay().to_arrays())) == 0


@pytest.mark.parametrize(
    ("name", "broken"),
    [
        ("positions", lambda array: array[:, :, :1]),
        ("positions", lambda array: array.astype(np.float32)),
        ("centers", lambda array: array[:2]),
        ("epochs", lambda array: array[:2]),
    ],
)
def test_arrays_that_do_not_fit_are_refused(rng, name, broken):
    arrays = a_replay(rng).to_arrays()
    with pytest.raises(InvalidModelError, match="replay"):
        Replay.from_arrays(arrays | {name: broken(arrays[name])})
    with pytest.raises(InvalidModelError, match=name):
        Replay.from_arrays({key: array for key, array in arrays.items() if key != name})
