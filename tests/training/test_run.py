"""A run with real networks in its thread: states, events, results, pauses, stops and failures."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from psygnal import EmitLoopError

from embedscope._errors import InvalidInputError
from embedscope.samples import samples_from_array
from embedscope.training import (
    AsyncioDispatcher,
    Phase,
    Status,
    TrainingParameters,
    TrainingRun,
)

TIMEOUT_S = 300  # a machine may be slow; a hang is a failure
QUICK = TrainingParameters(reconstruction=False)


def finish(run: TrainingRun) -> Phase:
    status = run.wait(TIMEOUT_S)
    assert status.phase.is_finished, "hangs"
    return status.phase


def when(run: TrainingRun, condition: Callable[[], bool]) -> None:
    """Wait until a condition on the status holds, while the run goes on."""
    changed = threading.Event()

    def note(status: Status) -> None:
        changed.set()

    run.status_changed.connect(note)
    while not condition():
        assert not run.status.phase.is_finished, run.status
        assert changed.wait(TIMEOUT_S), run.status
        changed.clear()
    run.status_changed.disconnect(note)


@pytest.fixture(scope="module")
def done(table, watch):
    """A run that is done, and its events."""
    run = TrainingRun(table)
    seen = watch(run)
    run.start()
    finish(run)
    return run, seen


def test_ctrl_c_can_arrive_while_a_program_waits(table, monkeypatch):
    """On Windows it arrives only between two waits for a lock."""
    run = TrainingRun(table, QUICK)
    waits, wait = [], run._has_ended.wait
    monkeypatch.setattr(run._has_ended, "wait", lambda s=None: waits.append(s) or wait(s))
    run.start()
    run.stop()
    finish(run)
    assert run.wait().phase.is_finished  # without a timeout, at once
    assert max(waits) <= 1


# -- to the end ----------------------------------------------------------------------------------


def test_a_run_goes_through_every_phase_in_order(done):
    run, seen = done
    seen.assert_legal()
    assert seen.phases == [
        Phase.IDLE,
        Phase.PREPARING,
        Phase.LAYOUT,
        Phase.FITTING,
        Phase.REFINING,
        Phase.DONE,
    ]
    assert run.status.fraction == 1.0
    assert run.status.seconds_left is None
    assert run.status.error is None


def test_fractions_and_epochs_only_grow_and_events_have_the_run_id(done):
    run, seen = done
    fractions = [status.fraction for status in seen.statuses]
    assert fractions == sorted(fractions)
    assert [epoch for _, epoch, _ in seen.losses] == list(range(1, 11))
    events = [*seen.losses, *seen.maps]
    assert {run_id for run_id, *_ in events} == {run.status.run_id}
    assert {status.run_id for status in seen.statuses} == {run.status.run_id}


def test_the_result_is_the_estimators_and_belongs_to_the_samples(done, table):
    run, seen = done
    result = run.result
    assert result.samples is table is run.samples
    assert result.run_id == run.status.run_id
    np.testing.assert_array_equal(result.embedding, result.estimator.embedding_)
    np.testing.assert_allclose(
        result.estimator.transform(table.X), result.embedding, rtol=0, atol=1e-4
    )
    assert result.losses["loss"] == [losses["loss"] for _, _, losses in seen.losses]
    assert result.losses["loss"][-1] < result.losses["loss"][0]


def test_the_last_map_event_is_the_result_and_the_replay_ends_with_it(done):
    run, seen = done
    np.testing.assert_array_equal(seen.maps[-1][2], run.result.embedding)
    assert not seen.maps[-1][2].flags.writeable
    width = np.ptp(run.result.embedding, axis=0)
    assert (np.abs(run.replay.positions(-1) - run.result.embedding) < width / 1_000).all()
    # Every map of an event is in the replay; under load one event may skip a map.
    assert len(run.replay) >= len(seen.maps) > 1


def test_snapshots_take_less_than_a_tenth_of_the_time(done):
    run, _ = done
    assert 0.0 < run.snapshot_share < 0.1


def test_the_estimator_keeps_nothing_of_the_run(done, tmp_path):
    run, _ = done
    estimator = run.result.estimator
    assert estimator.progress is None
    assert estimator.keras_fit_kwargs is None
    estimator.save(tmp_path / "model")  # warnings about parameters left out are errors here


def test_a_finished_run_decodes_as_its_estimator_does(done):
    run, _ = done
    points = run.result.embedding[:3]
    np.testing.assert_array_equal(
        run.decode(points), run.result.estimator.inverse_transform(points)
    )


def test_the_same_seed_gives_the_same_map(done, table):
    run, _ = done
    again = TrainingRun(table)
    again.start()
    finish(again)
    np.testing.assert_array_equal(again.result.embedding, run.result.embedding)
    assert again.status.run_id != run.status.run_id


# -- while it runs -------------------------------------------------------------------------------


def test_a_paused_run_waits_and_continues_where_it_was(table, watch, done):
    run = TrainingRun(table)
    seen = watch(run)
    run.start()
    when(run, lambda: run.status.phase is Phase.FITTING)
    run.pause()
    when(run, lambda: run.status.phase is Phase.PAUSED)
    held = run.status
    assert run.wait(0.2) == held
    run.resume()
    assert finish(run) is Phase.DONE
    seen.assert_legal()
    assert seen.phases.count(Phase.PAUSED) == 1
    # A pause changes nothing about what is learned.
    np.testing.assert_array_equal(run.result.embedding, done[0].result.embedding)


def test_before_the_end_there_is_no_result_but_a_decoder_from_an_epochs_end(table):
    run = TrainingRun(table)
    run.start()
    when(run, lambda: run.status.epoch >= 2)
    run.pause()
    when(run, lambda: run.status.phase is Phase.PAUSED)
    assert run.result is None
    drawn = run.decode([[0.0, 0.0], [1.0, 1.0]])
    assert drawn.shape == (2, 64)
    assert drawn.dtype == np.float32
    assert ((drawn >= 0.0) & (drawn <= 1.0)).all()
    np.testing.assert_array_equal(run.decode([[0.0, 0.0], [1.0, 1.0]]), drawn)
    run.stop()
    finish(run)


def test_the_copy_decodes_as_its_decoder_in_the_units_of_the_data(rng):
    X = (50.0 + 20.0 * rng.normal(size=(120, 6))).astype(np.float32)
    run = TrainingRun(samples_from_array(X))
    run.start()
    finish(run)
    # At the end of the last epoch the decoder was what it is now.
    points = run.result.embedding[:20]
    copied = run._live_decoder.decode(points)
    np.testing.assert_allclose(copied, run.decode(points), rtol=1e-5)
    assert 20 < copied.mean() < 80


def test_pictures_are_decoded_by_position_and_better_with_their_style_codes(pictures):
    run = TrainingRun(pictures)
    run.start()
    assert finish(run) is Phase.DONE
    drawn = run.decode(run.result.embedding)
    assert drawn.shape == pictures.X.shape
    estimator = run.result.estimator
    unseen = estimator.validation_rows_
    assert len(unseen) == 15
    X, places = pictures.X[unseen], run.result.embedding[unseen]
    own = estimator.inverse_transform(places, estimator.style(X))
    mean = np.delete(pictures.X, unseen, axis=0).mean(axis=0)
    errors = [np.square(shown - X).sum() for shown in (mean, drawn[unseen], own)]
    assert errors[1] < 0.85 * errors[0]
    assert errors[2] < 0.6 * errors[1]
    # The history of held out samples has the values that are computed here.
    losses = run.result.losses
    assert losses["val_reconstruction_loss"][-1] == pytest.approx(errors[1] / errors[0], rel=0.05)
    assert len({len(values) for values in losses.values()}) == 1


# -- stopping ------------------------------------------------------------------------------------


def test_a_stopped_run_keeps_the_best_map(table, watch):
    run = TrainingRun(table)
    seen = watch(run)
    run.start()
    when(run, lambda: run.status.epoch >= 3)
    run.stop()
    assert finish(run) is Phase.STOPPED
    seen.assert_legal()
    losses = run.result.losses["loss"]
    assert 3 <= len(losses) < 10
    assert run.result.embedding.shape == (150, 2)
    assert "kept" in run.status.message


def test_stopping_before_the_network_learns_leaves_no_map_and_a_message(table, watch):
    run = TrainingRun(table)
    seen = watch(run)
    run.status_changed.connect(lambda status: run.stop() if status.phase is Phase.LAYOUT else None)
    run.start()
    assert finish(run) is Phase.STOPPED
    seen.assert_legal()
    assert run.result is None
    assert run.decode([[0.0, 0.0]]) is None
    assert "before the network had learned anything" in run.status.message


def test_a_paused_run_can_be_stopped(table, watch):
    run = TrainingRun(table)
    seen = watch(run)
    run.pause()
    run.start()
    when(run, lambda: run.status.phase is Phase.PAUSED)
    run.stop()
    assert finish(run) is Phase.STOPPED
    seen.assert_legal()
    assert seen.phases == [Phase.IDLE, Phase.PREPARING, Phase.PAUSED, Phase.STOPPED]


def test_a_run_that_was_never_started_can_be_stopped(table, watch):
    run = TrainingRun(table)
    seen = watch(run)
    run.stop()
    assert run.wait(TIMEOUT_S).phase is Phase.STOPPED
    seen.assert_legal()
    with pytest.raises(InvalidInputError, match="start must be called once"):
        run.start()


def test_requests_after_the_end_change_nothing(done):
    run, _ = done
    before = run.status
    run.pause()
    run.stop()
    run.resume()
    assert run.status is before


def cycles(samples, watch, n_cycles: int, seed: int) -> None:
    """Start and stop at random moments: no thread, no result and no event may be lost."""
    rng = np.random.default_rng(seed)
    n_threads = threading.active_count()
    for _ in range(n_cycles):
        run = TrainingRun(samples, QUICK)
        seen = watch(run)
        run.start()
        delay = rng.exponential(1.0) if rng.random() > 0.2 else 0.0
        run.wait(delay)
        if rng.random() < 0.3:
            run.pause()
            run.wait(rng.exponential(0.05))
        run.stop()
        phase = finish(run)
        seen.assert_legal()
        assert phase in (Phase.STOPPED, Phase.DONE), run.status.traceback
        learned = any(status.epoch for status in seen.statuses)
        assert run.result is not None or not learned
        if run.result is not None:
            assert np.isfinite(run.result.embedding).all()
        run._thread.join(TIMEOUT_S)
        assert threading.active_count() <= n_threads


def test_starting_and_stopping_at_random_moments(table, watch):
    cycles(table, watch, 12, seed=1)


@pytest.mark.long
def test_starting_and_stopping_two_hundred_times(table, watch):
    cycles(table, watch, 200, seed=2)


# -- failing -------------------------------------------------------------------------------------


def test_samples_without_a_map_fail_with_the_error_and_its_traceback(watch):
    run = TrainingRun(samples_from_array(np.full((40, 6), 3.0, np.float32)))
    seen = watch(run)
    run.start()
    assert finish(run) is Phase.FAILED
    seen.assert_legal()
    assert isinstance(run.status.error, InvalidInputError)
    assert "got constant data" in run.status.message
    assert run.status.traceback.startswith("Traceback")
    assert "_fitting.py" in run.status.traceback
    assert run.result is None


def test_an_error_in_a_listener_fails_the_run_and_keeps_the_map_so_far(table, watch):
    run = TrainingRun(table)
    seen = watch(run)

    def fail(run_id: int, epoch: int, losses: dict[str, float]) -> None:
        if epoch == 4:
            raise ZeroDivisionError("a listener's own mistake")

    run.loss_reported.connect(fail)
    run.start()
    assert finish(run) is Phase.FAILED
    seen.assert_legal()
    assert "a listener's own mistake" in run.status.traceback
    assert run.result.embedding.shape == (150, 2)
    assert len(run.result.losses["loss"]) >= 3


class Unreadable:
    """Samples whose file is missing: an error outside of the estimator."""

    learned = None

    def __len__(self) -> int:
        return 100

    def encoder_inputs(self, *rows: Any, **options: Any) -> np.ndarray:
        raise FileNotFoundError("the image is not where it was")


def test_an_error_before_the_fit_fails_the_run(watch):
    run = TrainingRun(Unreadable(), QUICK)
    seen = watch(run)
    run.start()
    assert finish(run) is Phase.FAILED
    seen.assert_legal()
    assert isinstance(run.status.error, FileNotFoundError)
    assert "the image is not where it was" in run.status.message


@pytest.mark.parametrize("points", [[0.0, 0.0], [[0.0, np.nan]], [[0.0, 0.0, 0.0]], "here", None])
def test_other_arrays_than_points_are_refused(done, points):
    with pytest.raises(InvalidInputError, match="points must be"):
        done[0].decode(points)


def test_a_run_is_started_once_and_waited_for_after_the_start(done, table):
    with pytest.raises(InvalidInputError, match="start must be called once"):
        done[0].start()
    with pytest.raises(InvalidInputError, match="wait must be called"):
        TrainingRun(table).wait()


# -- where events arrive -------------------------------------------------------------------------


def test_on_an_asyncio_loop_everything_arrives_there_in_order(table, watch):
    threads = set()

    async def listen() -> tuple[TrainingRun, object]:
        run = TrainingRun(table, QUICK, dispatcher=AsyncioDispatcher(asyncio.get_running_loop()))
        seen = watch(run)
        ended = asyncio.Event()
        run.status_changed.connect(lambda status: threads.add(threading.current_thread()))
        run.finished.connect(lambda status: ended.set())
        run.start()
        await asyncio.wait_for(ended.wait(), TIMEOUT_S)
        return run, seen

    run, seen = asyncio.run(listen())
    assert threads == {threading.main_thread()}
    seen.assert_legal()
    assert seen.phases[-1] is Phase.DONE
    assert [epoch for _, epoch, _ in seen.losses] == list(range(1, 11))
    np.testing.assert_array_equal(seen.maps[-1][2], run.result.embedding)


def test_a_run_ends_also_after_an_error_in_a_listener_of_its_start(table):
    run = TrainingRun(table, QUICK)

    @run.status_changed.connect
    def fail(status):
        if status.phase is Phase.PREPARING:
            run.status_changed.disconnect(fail)
            raise ZeroDivisionError("a listener's own mistake")

    with pytest.raises(EmitLoopError, match="a listener's own mistake"):
        run.start()
    assert finish(run) is Phase.DONE


def test_a_listener_may_wait_stop_and_look_at_the_result(table):
    run = TrainingRun(table, QUICK)
    seen = []
    run.finished.connect(lambda status: seen.append((run.wait(), run.result)))
    run.finished.connect(lambda status: run.stop())
    run.start()
    finish(run)
    run._thread.join(TIMEOUT_S)
    assert seen == [(run.status, run.result)]


def test_a_program_may_end_while_a_run_trains():
    code = (
        "import numpy as np\n"
        "from embedscope.samples import samples_from_array\n"
        "from embedscope.training import TrainingRun\n"
        "X = np.random.default_rng(0).random((2000, 16), dtype=np.float32)\n"
        "run = TrainingRun(samples_from_array(X))\n"
        "run.start()\n"
        "while run.status.epoch < 1: run.wait(0.01)\n"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=TIMEOUT_S)
    assert ended.returncode == 0, ended.stderr
    assert ended.stderr == b""
