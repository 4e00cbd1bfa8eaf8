"""The explorer: real runs, results with their samples, and nothing lost."""

from __future__ import annotations

import threading
from pathlib import Path
from queue import Queue
from typing import Any

import numpy as np
import pandas as pd
import pytest
from psygnal import EmitLoopError
from view_contract import N_SAMPLES, SQUARE, explorer_with_map

from embedscope._errors import InvalidInputError
from embedscope.explorer import ColorBy, Explorer
from embedscope.samples import (
    SampleId,
    nuclei,
    samples_from_array,
    samples_from_labels,
    samples_from_table,
)
from embedscope.training import Phase, TrainingParameters

QUICK = TrainingParameters(n_neighbors=10, encoder="dense")


def test_session_restores_everything(fresh: Explorer, tmp_path: Any) -> None:
    fresh.add_gate(_around(fresh.embedding.positions[:9]), "a gate, named “ä”")
    fresh.add_samples(fresh.samples.same_way(blobs(25, seed=3), source="later"))
    fresh.select_rows([2, 160])
    fresh.color(ColorBy("gate"))
    fresh.set_parameters(n_neighbors=33)
    fresh.save(tmp_path / "session")
    back = Explorer.open(tmp_path / "session")
    assert list(back.samples.identities) == list(fresh.samples.identities)
    pd.testing.assert_frame_equal(back.to_frame(), fresh.to_frame())
    np.testing.assert_array_equal(back.embedding.positions, fresh.embedding.positions)
    np.testing.assert_array_equal(back.in_training, fresh.in_training)
    np.testing.assert_array_equal(back.coloring.rgba, fresh.coloring.rgba)
    assert back.gates == fresh.gates
    assert back.selected_ids == fresh.selected_ids
    assert back.parameters == fresh.parameters
    assert back.losses == fresh.losses
    new = blobs(10, seed=4)
    for (positions, novelty), (same, again) in [
        (
            fresh.embed(fresh.samples.same_way(new, source="x")),
            back.embed(back.samples.same_way(new, source="x")),
        )
    ]:
        np.testing.assert_allclose(positions, same, atol=1e-5)
        np.testing.assert_array_equal(novelty, again)
    drawn, redrawn = fresh.decode([0.0, 0.0]), back.decode([0.0, 0.0])
    np.testing.assert_allclose(drawn.sample, redrawn.sample, atol=1e-5)
    assert drawn.support == redrawn.support


def test_session_without_its_images_opens_and_they_can_be_attached(tmp_path: Any) -> None:
    field = nuclei()
    np.save(tmp_path / "image.npy", field.images[0])
    np.save(tmp_path / "labels.npy", field.labels[0])
    image, labels = (np.load(tmp_path / f"{name}.npy") for name in ("image", "labels"))
    samples = samples_from_labels(
        image,
        labels,
        16,
        source="field",
        image_path=str(tmp_path / "image.npy"),
        labels_path=str(tmp_path / "labels.npy"),
    )
    explorer = Explorer(samples)
    rng = np.random.default_rng(0)
    explorer.place(rng.normal(size=(len(samples), 2)))
    explorer.save(tmp_path / "session")
    np.testing.assert_array_equal(Explorer.open(tmp_path / "session").samples.X, samples.X)
    (tmp_path / "image.npy").rename(tmp_path / "elsewhere.npy")
    told: list[str] = []
    opened = Explorer()
    opened.events.message_sent.connect(told.append)
    opened.load(tmp_path / "session")
    assert "No images: field" in told[-1]
    opened.select_rows([1])
    # Saved again, it still knows where its image lay.
    opened.save(tmp_path / "again")
    (tmp_path / "elsewhere.npy").rename(tmp_path / "image.npy")
    np.testing.assert_array_equal(Explorer.open(tmp_path / "again").samples.X, samples.X)
    with pytest.raises(InvalidInputError, match="image must be the one that the session was saved"):
        opened.attach_images("field", image[::-1], labels)
    opened.attach_images("field", image, labels)
    np.testing.assert_array_equal(opened.samples.X, samples.X)
    assert opened.selection.rows.tolist() == [1]


def test_run_that_learned_nothing_restores_the_map_before(fresh: Explorer) -> None:
    before = fresh.embedding.positions

    def stop_early(status: Any) -> None:
        if status.phase is Phase.LAYOUT:
            fresh.stop()

    fresh.events.status_changed.connect(stop_early)
    fresh.train()
    status = fresh.wait(120)
    assert status.phase is Phase.STOPPED
    if len(fresh.results) == 1:  # it was stopped before the first batch
        np.testing.assert_array_equal(fresh.embedding.positions, before)
    assert fresh.embedding.is_final
    np.testing.assert_array_equal(fresh.embedding.positions, fresh.model.embedding)


def blobs(n_samples: int = 150, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    group = np.arange(n_samples) % 3
    values = rng.normal(size=(n_samples, 6)) + 6.0 * np.eye(6)[group]
    frame = pd.DataFrame(values, columns=[f"f{k}" for k in range(6)])
    return frame.assign(label=rng.permutation(10 * n_samples)[:n_samples] + 1)


@pytest.fixture(scope="module")
def trained() -> Explorer:
    """Trained once; tests that change it use `fresh`."""
    explorer = Explorer(blobs(), parameters=QUICK)
    explorer.train()
    assert explorer.wait(120).phase is Phase.DONE
    return explorer


@pytest.fixture
def fresh(trained: Explorer) -> Explorer:
    explorer = Explorer()
    explorer.show_result(trained.model)
    return explorer


def test_finished_run_sets_positions_losses_and_model(trained: Explorer) -> None:
    n_samples = len(trained.samples)
    assert trained.embedding.is_final
    assert trained.embedding.positions.shape == (n_samples, 2)
    np.testing.assert_array_equal(trained.embedding.positions, trained.model.embedding)
    assert len(trained.losses["loss"]) == len(trained.losses["reconstruction_loss"]) == 10
    assert trained.in_training.all()
    assert np.isnan(trained.novelty).all()
    assert trained.results == (trained.model,)
    assert len(trained.replay) >= 2
    assert not trained.embedding.positions.flags.writeable


def test_events_of_a_run_are_in_order() -> None:
    explorer = Explorer(blobs(60), parameters=QUICK)
    told: list[tuple[str, Any]] = []
    for name, signal in explorer.events.signals.items():
        signal.connect(lambda value, name=name: told.append((name, value)))
    explorer.train()
    explorer.wait(120)
    revisions = [value.revision for name, value in told if name == "embedding_changed"]
    assert revisions == sorted(set(revisions))
    phases = [value.phase for name, value in told if name == "status_changed"]
    assert phases.count(Phase.DONE) == 1
    # The end is emitted after the result.
    last = [name for name, _ in told].index("status_changed", -3)
    final = [i for i, (name, value) in enumerate(told) if name == "embedding_changed"][-1]
    assert told[final][1].is_final
    assert final < last
    losses = [len(value.get("loss", ())) for name, value in told if name == "losses_changed"]
    assert losses == sorted(losses)


def test_a_result_belongs_to_the_samples_it_was_started_with() -> None:
    explorer = Explorer(blobs(), parameters=QUICK)
    first = explorer.samples
    explorer.train()
    explorer.set_samples(blobs(40, seed=1))
    explorer.wait(120)
    assert len(explorer.embedding.positions) == 40
    assert np.isnan(explorer.embedding.positions).all()
    assert explorer.model is None
    (kept,) = explorer.results
    assert kept.samples is first
    explorer.show_result(kept)
    assert explorer.samples is first
    np.testing.assert_array_equal(explorer.embedding.positions, kept.embedding)


def test_a_second_run_waits_for_the_first() -> None:
    explorer = Explorer(blobs(), parameters=QUICK)
    explorer.train()
    with pytest.raises(InvalidInputError, match="train must wait"):
        explorer.train()
    explorer.stop()
    explorer.wait(120)
    explorer.train()
    assert explorer.wait(120).phase is Phase.DONE


def test_error_in_a_run_is_in_the_status_and_restores_the_map_before(fresh: Explorer) -> None:
    before = fresh.embedding.positions
    fresh.set_parameters(target="no such feature")
    fresh.train()
    status = fresh.wait(120)
    assert status.phase is Phase.FAILED
    assert "no such feature" in str(status.error)
    assert fresh.status is status
    np.testing.assert_array_equal(fresh.embedding.positions, before)
    assert fresh.model is not None


def test_selection_goes_by_identity_not_by_row(trained: Explorer, fresh: Explorer) -> None:
    row = 17
    identity = fresh.samples.identities[row]
    assert identity.label != row
    fresh.select_ids([identity])
    assert fresh.selection.rows.tolist() == [row]
    assert fresh.selected_ids == [identity]
    with pytest.raises(InvalidInputError, match="identity must be one of"):
        fresh.select_ids([SampleId("table", 0, 999_999)])


def test_undo_and_redo_go_through_selections_and_gates() -> None:
    explorer = explorer_with_map()
    explorer.select_rows([1, 2, 3])
    explorer.add_gate(SQUARE, "a")
    explorer.select_rows([9], "add")
    explorer.edit_gate("a", color="#123456")
    for _ in range(2):
        explorer.undo()
    assert explorer.selection.rows.tolist() == [1, 2, 3]
    assert explorer.gates["a"].color != "#123456"
    explorer.undo()
    assert len(explorer.gates) == 0
    explorer.undo()
    explorer.undo()  # there is nothing left, and that is no error
    assert len(explorer.selection) == 0
    for _ in range(4):
        explorer.redo()
    assert explorer.selection.rows.tolist() == [1, 2, 3, 9]
    assert explorer.gates["a"].color == "#123456"


def test_a_selection_that_changes_nothing_is_no_step() -> None:
    explorer = explorer_with_map()
    explorer.select_rows([4])
    explorer.select_rows([4])
    explorer.select_rows([5], "subtract")
    assert explorer.history.n_undo == 1


def test_gates_are_combined_counted_and_follow_the_points() -> None:
    explorer = explorer_with_map()
    explorer.add_gate(SQUARE, "left")
    explorer.add_gate(SQUARE + 0.4, "right")
    explorer.combine_gates("intersection", ["left", "right"], "both")
    counts = explorer.gate_counts().set_index("gate")["count"]
    x, y = explorer.embedding.positions.T
    inside = (x > -0.6) & (x < 0.5) & (y > -0.6) & (y < 0.5)
    assert counts["both"] == inside.sum() > 0
    explorer.place(explorer.embedding.positions + 100)
    assert explorer.gate_counts()["count"].sum() == 0
    with pytest.raises(InvalidInputError, match="left"):
        explorer.remove_gate("left")


def test_added_samples_are_in_the_same_coordinates(fresh: Explorer) -> None:
    before = fresh.embedding.positions
    fresh.add_gate(_around(before), "everything")
    new = blobs(30, seed=5)
    same = fresh.samples.same_way(new, source="tomorrow")
    positions, novelty = fresh.embed(same)
    fresh.select_rows([3])
    fresh.add_samples(same)
    assert len(fresh.samples) == len(before) + 30
    np.testing.assert_array_equal(fresh.embedding.positions[: len(before)], before)
    np.testing.assert_allclose(fresh.embedding.positions[len(before) :], positions, atol=1e-5)
    np.testing.assert_array_equal(fresh.in_training, np.arange(len(before) + 30) < len(before))
    np.testing.assert_allclose(fresh.novelty[len(before) :], novelty)
    assert fresh.selection.rows.tolist() == [3]
    assert fresh.gates.names == ("everything",)
    assert set(fresh.gate_counts()["source"]) == {"table", "tomorrow"}
    # Samples of the training get the same positions, and are not novel.
    again = fresh.embed(fresh.samples.subset(np.arange(20)))
    np.testing.assert_allclose(again[0], before[:20], atol=1e-4)


def test_samples_prepared_for_another_map_are_refused(fresh: Explorer) -> None:
    new = blobs(7, seed=5)
    prepared, second = fresh.prepare_samples(new), fresh.prepare_samples(new)
    assert len(fresh.samples) == 150  # nothing is shown yet
    fresh.add_samples(prepared)
    np.testing.assert_allclose(fresh.embedding.positions[150:], prepared.positions)
    with pytest.raises(InvalidInputError, match="prepared for the map that is shown"):
        fresh.add_samples(second)
    assert len(fresh.samples) == 157


def test_a_frame_is_read_as_the_samples_trained_on(fresh: Explorer) -> None:
    """With its own standardisation, a frame would get wrong positions."""
    new = blobs(30, seed=5)[:7]
    right, _ = fresh.embed(fresh.samples.same_way(new))
    np.testing.assert_array_equal(fresh.embed(new)[0], right)
    before = len(fresh.samples)
    with pytest.raises(InvalidInputError, match="on the scale of those trained on"):
        fresh.embed(samples_from_table(new, source="by itself"))
    with pytest.raises(InvalidInputError, match="on the scale of those trained on"):
        fresh.add_samples(samples_from_table(new, source="by itself"))
    assert len(fresh.samples) == before
    fresh.add_samples(new)
    fresh.add_samples(new)
    assert fresh.samples.identities.sources == ("table", "table 2", "table 3")
    np.testing.assert_allclose(fresh.embedding.positions[-7:], right, atol=1e-5)


def test_given_positions_replace_the_trained_map(fresh: Explorer) -> None:
    trained_map = fresh.model
    fresh.place(np.zeros((len(fresh.samples), 2)))
    assert fresh.model is None
    with pytest.raises(InvalidInputError, match="must be trained first"):
        fresh.decode([0, 0])
    assert trained_map in fresh.results
    fresh.show_result(trained_map)
    np.testing.assert_array_equal(fresh.embedding.positions, trained_map.embedding)


def test_given_positions_clear_scores_losses_and_status(fresh: Explorer, tmp_path: Path) -> None:
    """Scores, losses and status belong to the map before."""
    fresh.add_samples(fresh.samples.same_way(blobs(30, seed=5) + 50, source="tomorrow"))
    assert fresh.novel.any()
    assert fresh.losses
    assert fresh.in_training.any()
    fresh.color(ColorBy("novelty"))
    told: dict[str, Any] = {}
    for name in ("novel", "losses", "status", "coloring"):
        signal = getattr(fresh.events, f"{name}_changed")
        signal.connect(lambda value, name=name: told.update({name: value}))
    fresh.place(np.zeros((len(fresh.samples), 2)))
    assert not fresh.in_training.any()
    assert np.isnan(fresh.novelty).all()
    assert not fresh.losses
    assert fresh.status.phase is Phase.IDLE
    assert fresh.explained is None
    assert fresh.to_frame()["score:novelty"].isna().all()
    assert not told["novel"].any()
    assert not told["losses"]
    assert told["status"] is fresh.status
    assert [entry.count for entry in told["coloring"].legend] == [len(fresh.samples)]
    fresh.save(tmp_path / "session")
    opened = Explorer.open(tmp_path / "session")
    assert np.isnan(opened.novelty).all()
    assert not opened.losses


def test_run_that_learned_nothing_restores_given_positions(fresh: Explorer) -> None:
    fresh.place(np.ones((len(fresh.samples), 2)))
    fresh.events.status_changed.connect(lambda _: fresh.stop())
    fresh.train()
    assert fresh.wait(120).phase is Phase.STOPPED
    assert fresh.model is None
    assert not fresh.losses
    np.testing.assert_array_equal(fresh.embedding.positions, 1)


def test_result_shown_while_a_run_goes_on_stays_if_that_learns_nothing(fresh: Explorer) -> None:
    """Positions and networks are of the same map at the end."""
    first = fresh.model
    assert first is not None
    fresh.place(np.ones((len(fresh.samples), 2)))

    def show_and_stop(status: Any) -> None:
        if not status.phase.is_finished:
            if fresh.model is None:
                fresh.show_result(first)
            fresh.stop()

    fresh.events.status_changed.connect(show_and_stop)
    fresh.train()
    assert fresh.wait(120).phase is Phase.STOPPED
    assert fresh.model is first
    np.testing.assert_array_equal(fresh.embedding.positions, first.embedding)


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (lambda explorer: explorer.color(None), "by must be a ColorBy"),
        (lambda explorer: explorer.show_result(3), "result must be a TrainedMap"),
        (lambda explorer: explorer.show_snapshot("a"), "index must be -1 or"),
        (lambda explorer: explorer.show_snapshot(0.5), "index must be -1 or"),
        (lambda explorer: explorer.select_ids(None), "ids must be a sequence"),
        (lambda explorer: explorer.select_ids("abc"), "ids must be a sequence"),
        (lambda explorer: explorer.select_ids([("a", 0)]), "ids must be triples"),
        (lambda explorer: explorer.combine_gates("union", None), "members must be a sequence"),
        (
            lambda explorer: explorer.attach_images("array", np.zeros(3)),
            "must be cut from an image",
        ),
    ],
)
def test_what_is_of_the_wrong_kind_is_refused(command: Any, message: str) -> None:
    explorer = explorer_with_map()
    with pytest.raises(InvalidInputError, match=message):
        command(explorer)


def test_unlike_samples_are_told_apart(fresh: Explorer) -> None:
    far = blobs(30, seed=6)
    far[[f"f{k}" for k in range(6)]] += 100.0
    _, novelty = fresh.embed(fresh.samples.same_way(far, source="odd"))
    _, usual = fresh.embed(fresh.samples.same_way(blobs(60, seed=7), source="usual"))
    assert (novelty >= 0.99).all()
    assert (usual >= 0.99).mean() < 0.2


def test_decoded_point_has_the_nearest_real_samples(trained: Explorer) -> None:
    place = trained.embedding.positions[12]
    drawn = trained.decode(place)
    assert drawn.decoded
    assert drawn.neighbor_rows[0] == 12
    assert drawn.neighbor_distances[0] == pytest.approx(0, abs=1e-6)
    assert trained.reconstruction is drawn
    # The decoder learned the data: closer to the sample there than the mean of all is.
    X = trained.samples.X
    assert np.abs(drawn.sample - X[12]).mean() < np.abs(X.mean(axis=0) - X[12]).mean()
    far = trained.decode(place + 1e3)
    assert far.support == 0 < drawn.support
    path = trained.decode_path([place, place + np.array([3, 4])], 6)
    np.testing.assert_allclose([step.point[0] for step in path], place[0] + np.linspace(0, 3, 6))
    np.testing.assert_allclose(path[0].sample, drawn.sample, rtol=0, atol=1e-5)


def test_failing_listener_loses_neither_the_map_nor_the_end_of_the_run() -> None:
    heard: list[Exception] = []

    def keep(callback: Any) -> None:
        try:
            callback()
        except EmitLoopError as error:
            heard.append(error)

    explorer = Explorer(blobs(), parameters=QUICK, dispatcher=keep)
    phases = []
    explorer.events.status_changed.connect(lambda status: phases.append(status.phase))

    def fail(_: Any) -> None:
        raise ZeroDivisionError("a listener's own mistake")

    explorer.events.embedding_changed.connect(fail)
    explorer.train()
    assert explorer.wait(120).phase is Phase.DONE
    assert heard
    assert phases[-1] is Phase.DONE
    assert explorer.model is explorer.results[-1]


def test_answers_of_the_map_before_are_cleared(fresh: Explorer) -> None:
    """A picture or an explanation of the map before is wrong for this one."""
    fresh.select_rows([0, 1])
    told: list[Any] = []
    fresh.events.reconstruction_changed.connect(told.append)
    fresh.events.explanation_changed.connect(told.append)
    fresh.decode(fresh.embedding.positions[0])
    fresh.explain()
    fresh.train()
    assert fresh.wait(120).phase is Phase.DONE
    assert fresh.reconstruction is None
    assert fresh.explanation is None
    assert told[-2:] == [None, None]
    fresh.decode(fresh.embedding.positions[0])
    fresh.place(np.zeros((len(fresh.samples), 2)))
    assert fresh.reconstruction is None


def test_points_can_be_decoded_during_training() -> None:
    explorer = Explorer(blobs(), parameters=QUICK)
    drawn = []

    def look(embedding: Any) -> None:
        if not embedding.is_final:
            drawn.append(explorer.decode(embedding.positions.mean(axis=0)))

    explorer.events.embedding_changed.connect(look)
    explorer.train()
    assert explorer.wait(120).phase is Phase.DONE
    assert drawn
    assert not drawn[0].decoded  # no decoder yet: the nearest real sample stands in
    assert any(each.decoded for each in drawn)


def test_explanation_of_the_selection(trained: Explorer) -> None:
    told: list[Any] = []
    trained.events.explanation_changed.connect(told.append)
    trained.select_rows(np.arange(60))
    explanation = trained.explain()
    assert told == [explanation]
    assert trained.explanation is explanation
    np.testing.assert_array_equal(explanation.rows, np.arange(60))
    assert set(explanation.ranking["feature"]) == set(trained.samples.feature_names)
    assert explanation.ranking["share"].sum() == pytest.approx(1.0)
    trained.clear_selection()
    with pytest.raises(InvalidInputError, match="Select samples"):
        trained.explain()


def test_too_few_samples_are_refused_before_anything_starts() -> None:
    explorer = Explorer(blobs(8), parameters=QUICK.replace(n_neighbors=8))
    with pytest.raises(InvalidInputError, match=r"n_neighbors must be less .*got 8 .n_samples=8"):
        explorer.train()
    assert explorer.status.phase is Phase.IDLE
    explorer = Explorer(blobs(2), parameters=QUICK.replace(n_neighbors=2))
    with pytest.raises(InvalidInputError, match="the fewest for a map are 3"):
        explorer.train()


def test_few_samples_make_a_map_without_novelty(tmp_path: Any) -> None:
    """The samples are too few for novelty, and only that is missing."""
    explorer = Explorer(blobs(12), parameters=QUICK.replace(n_neighbors=4))
    explorer.train()
    assert explorer.wait(120).phase is Phase.DONE
    explorer.add_samples(explorer.samples.same_way(blobs(3, seed=8), source="more"))
    assert np.isfinite(explorer.embedding.positions).all()
    assert np.isnan(explorer.novelty).all()
    explorer.save(tmp_path / "few")
    assert len(Explorer.open(tmp_path / "few").samples) == 15


def test_snapshots_of_the_training_can_be_shown(fresh: Explorer, trained: Explorer) -> None:
    n_snapshots = len(trained.replay)
    revision = trained.embedding.revision
    trained.show_snapshot(0)
    assert trained.embedding.revision > revision
    assert not trained.embedding.is_final
    assert not np.allclose(trained.embedding.positions, trained.model.embedding)
    trained.show_snapshot(-1)
    np.testing.assert_array_equal(trained.embedding.positions, trained.model.embedding)
    with pytest.raises(InvalidInputError, match="index must be -1 or"):
        trained.show_snapshot(n_snapshots)
    with pytest.raises(InvalidInputError, match="Train first"):
        fresh.show_snapshot(0)


def test_colours_change_with_their_values() -> None:
    explorer = explorer_with_map()
    explorer.color(ColorBy("selection"))
    before = explorer.coloring.rgba.copy()
    explorer.select_rows([0])
    assert not np.array_equal(explorer.coloring.rgba[0], before[0])
    np.testing.assert_array_equal(explorer.coloring.rgba[1:], before[1:])
    with pytest.raises(InvalidInputError):
        explorer.color("no such feature")
    assert explorer.color_by.kind == "selection"


def test_gate_colours_change_with_the_gate() -> None:
    explorer = explorer_with_map()
    explorer.color(ColorBy("gate"))
    explorer.add_gate(SQUARE, "a", "#ff0000")
    inside = explorer.gate_counts()["count"].sum()
    red = (explorer.coloring.rgba[:, :3] == [255, 0, 0]).all(axis=1)
    assert red.sum() == inside


@pytest.mark.parametrize(
    "positions",
    [np.zeros((3, 2)), np.zeros((N_SAMPLES, 3)), ["a"], np.full((N_SAMPLES, 2), np.inf)],
)
def test_places_must_fit_the_samples(positions: Any) -> None:
    explorer = explorer_with_map()
    with pytest.raises(InvalidInputError, match="positions must be"):
        explorer.place(positions)


@pytest.mark.parametrize(
    "command",
    [
        lambda explorer: explorer.train(),
        lambda explorer: explorer.wait(),
        lambda explorer: explorer.stop(),
        lambda explorer: explorer.decode([0, 0]),
        lambda explorer: explorer.explain(),
        lambda explorer: explorer.embed(np.zeros((2, 2))),
        lambda explorer: explorer.add_samples(np.zeros((2, 2))),
        lambda explorer: explorer.place(np.zeros((0, 2))),
        lambda explorer: explorer.to_frame(),
        lambda explorer: explorer.save("nowhere"),
        lambda explorer: explorer.select_ids([("a", 0, 1)]),
    ],
)
def test_an_empty_explorer_says_what_is_missing(command: Any) -> None:
    with pytest.raises(InvalidInputError, match=r"must .*; got "):
        command(Explorer())


def test_commands_from_many_threads_keep_the_state_whole() -> None:
    explorer = explorer_with_map()
    rng = np.random.default_rng(0)
    choices = [rng.integers(0, N_SAMPLES, 5) for _ in range(40)]

    def select(part: int) -> None:
        for rows in choices[part::4]:
            explorer.select_rows(rows, "invert")

    threads = [threading.Thread(target=select, args=(part,)) for part in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    expected = np.zeros(N_SAMPLES, dtype=bool)
    for rows in choices:
        expected[np.unique(rows)] ^= True
    np.testing.assert_array_equal(explorer.selection.rows, np.flatnonzero(expected))


def test_frames_and_arrays_become_samples() -> None:
    assert len(Explorer(blobs(20)).samples) == 20
    assert len(Explorer(np.zeros((5, 2), np.float32)).samples) == 5
    given = samples_from_array(np.zeros((5, 2), np.float32))
    assert Explorer(given).samples is given
    table = samples_from_table(blobs(20))
    assert Explorer(table).samples is table


def _around(positions: np.ndarray) -> np.ndarray:
    low, high = positions.min(axis=0) - 1, positions.max(axis=0) + 1
    return np.array([low, [high[0], low[1]], high, [low[0], high[1]]])


def test_decoding_before_the_points_are_there_says_to_wait() -> None:
    reports: Queue[Any] = Queue()
    explorer = Explorer(blobs(), parameters=QUICK, dispatcher=reports.put)
    explorer.train()
    while not explorer.status.phase.is_at_work:
        reports.get(timeout=60)()
    with pytest.raises(InvalidInputError, match=r"must have points .*Wait until they are there"):
        explorer.decode((0, 0))
    explorer.stop()
    while not explorer.status.phase.is_finished:
        reports.get(timeout=60)()
