"""A map that learns from features, of samples that are shown and decoded as pictures."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

from embedscope._errors import InvalidInputError
from embedscope.explorer import Explorer
from embedscope.samples import Samples, samples_from_labels
from embedscope.training import Phase

N_SIDE = 12
N = N_SIDE**2
LABELS = np.zeros((12 * N_SIDE, 12 * N_SIDE), np.uint8)
for number in range(N):
    row, column = divmod(number, N_SIDE)
    LABELS[12 * row + 2 : 12 * row + 10, 12 * column + 2 : 12 * column + 10] = number + 1
GROUPS = np.arange(N) % 2
SETTINGS = {"quality": "fast", "n_neighbors": 8, "n_style_components": 4}


def image(seed: int) -> np.ndarray:
    """Noise; the cells of one group have a bright column, which the features do not tell."""
    pixels = np.random.default_rng(seed).integers(0, 90, LABELS.shape)
    return (pixels + 80 * (np.arange(LABELS.shape[1]) % 12 == 5)).astype(np.uint8)


def parity(batch: np.ndarray) -> np.ndarray:
    """Three numbers for each picture, from its pixels."""
    flat = batch.reshape(len(batch), -1)
    return np.stack([flat[:, 0], flat[:, 1], flat.mean(axis=1)], axis=1)


@pytest.fixture(scope="module")
def cells() -> Samples:
    deep = np.random.default_rng(0).normal(size=(N, 2)) + 20.0 * GROUPS[:, None]
    cut = samples_from_labels(image(0), LABELS, 8, source="a")
    return cut.with_features(one=deep[:, 0], two=deep[:, 1])


@pytest.fixture(scope="module")
def trained(cells: Samples) -> Explorer:
    explorer = Explorer(cells.learning_from(["one", "two"]), parameters=None)
    explorer.set_parameters(**SETTINGS)
    explorer.train()
    assert explorer.wait(120).phase is Phase.DONE
    return explorer


def test_the_features_make_the_map(trained: Explorer) -> None:
    positions = trained.embedding.positions
    away = np.linalg.norm(positions[:, None] - positions, axis=2) + 1e9 * np.eye(N)
    assert (GROUPS[away.argmin(axis=1)] == GROUPS).mean() > 0.98


def test_pictures_are_decoded(trained: Explorer, cells: Samples) -> None:
    decoded = trained.decode(trained.embedding.positions[0])
    assert decoded.sample.shape == cells.sample_shape
    assert decoded.picture is not None
    assert decoded.picture.shape == (8, 8, 3)
    (own,) = trained.reconstruct(np.array([3]))
    np.testing.assert_array_equal(own.sample, cells.inputs([3])[0])
    assert own.original is not None
    assert own.error < 1.2
    assert trained.decode(trained.embedding.positions[3], style=cells.identities[3]).style == "own"


def test_the_features_are_explained(trained: Explorer) -> None:
    trained.explain(np.arange(10))
    assert trained.explanation is not None
    assert set(trained.explanation.ranking["feature"]) == {"one", "two"}


def test_new_samples_are_placed_by_their_features(trained: Explorer, tmp_path: Path) -> None:
    trained.save(tmp_path / "map")
    opened = Explorer.open(tmp_path / "map")
    assert opened.samples is not None
    mine = trained.samples
    assert mine is not None
    np.testing.assert_array_equal(opened.samples.encoder_inputs(), mine.encoder_inputs())
    given = mine.features[["one", "two"]]
    new = opened.samples.same_way(image(1), LABELS, source="b", learned=given)
    opened.add_samples(new)
    added = opened.embedding.positions[N:]
    np.testing.assert_allclose(added, trained.embedding.positions, atol=0.05)
    assert not opened.novel.any(), "they are like those trained on, in what was learned"


def test_another_choice_keeps_what_is_marked(trained: Explorer, tmp_path: Path) -> None:
    trained.save(tmp_path / "map")
    explorer = Explorer.open(tmp_path / "map")
    explorer.select_rows([2, 5])
    explorer.learn_from(None)
    assert explorer.samples is not None
    assert explorer.samples.learned is None
    assert explorer.model is None
    assert len(explorer.results) == 1
    assert explorer.selection.rows.tolist() == [2, 5]
    np.testing.assert_array_equal(explorer.embedding.positions, trained.embedding.positions)
    with_gaps = np.ones((N, 2))
    with_gaps[3] = np.nan
    explorer.learn_from(with_gaps)
    assert len(explorer.samples) == N - 1
    assert explorer.selection.rows.tolist() == [2, 4]
    explorer.learn_from("one")
    assert len(explorer.samples) == N, "the sample that had no values is there again"
    assert explorer.selection.rows.tolist() == [2, 5]
    assert np.flatnonzero(np.isnan(explorer.embedding.positions[:, 0])).tolist() == [3]
    with pytest.raises(InvalidInputError, match="Did you mean 'one'"):
        explorer.learn_from("onne")


def test_a_run_is_stopped_while_a_function_computes_and_goes_on_there(cells: Samples) -> None:
    seen: list[int] = []
    said: list[str] = []

    def slow(batch: np.ndarray) -> np.ndarray:
        seen.append(len(batch))
        time.sleep(0.3)
        if len(seen) == 2:
            explorer.stop()
        return parity(batch)

    explorer = Explorer(cells.learning_from(slow))
    explorer.events.status_changed.connect(lambda status: said.append(status.message))
    explorer.set_parameters(**SETTINGS, reconstruction=False)
    explorer.train()
    assert explorer.wait(120).phase is Phase.STOPPED
    assert explorer.model is None
    assert any("Computing the features" in message for message in said)
    assert seen == [64, 64]
    assert explorer.samples is not None
    explorer.samples.encoder_inputs()
    assert seen == [64, 64, 16]


def test_a_choice_that_needs_pictures_is_refused(cells: Samples) -> None:
    explorer = Explorer(cells.learning_from("one"))
    explorer.set_parameters(**SETTINGS, alike="any orientation")
    explorer.train()
    status = explorer.wait(60)
    assert status.phase is Phase.FAILED
    assert "alike must be 'pixels' for samples that learn from one" in status.message


def test_a_function_runs_in_the_training_and_is_asked_for_after_opening(
    cells: Samples, tmp_path: Path
) -> None:
    explorer = Explorer(cells.learning_from(parity))
    explorer.set_parameters(**SETTINGS, reconstruction=False)
    explorer.train()
    assert explorer.wait(120).phase is Phase.DONE
    expected = explorer.embed(cells.learning_from(parity).same_way(image(1), LABELS, source="b"))
    explorer.save(tmp_path / "map", include_images=True)

    opened = Explorer.open(tmp_path / "map")
    np.testing.assert_array_equal(opened.embedding.positions, explorer.embedding.positions)
    assert opened.samples is not None
    assert opened.samples.thumbnail(0).shape == (8, 8, 3)
    with pytest.raises(InvalidInputError, match=r"that parity computed.*attach_extractor"):
        opened.samples.same_way(image(1), LABELS, source="b")
    with pytest.raises(InvalidInputError, match="the function that the map learned from, 'parity'"):
        opened.attach_extractor(lambda batch: parity(batch)[:, ::-1])
    opened.attach_extractor(parity)
    new = opened.samples.same_way(image(1), LABELS, source="b")
    np.testing.assert_allclose(opened.embed(new)[0], expected[0], atol=1e-4)
    opened.add_samples(new)
    assert len(opened.samples) == 2 * N


def known_of_dim(batch: np.ndarray) -> np.ndarray:
    """As `parity`, and NaN for pictures whose first pixel is bright."""
    return np.where(batch[:, :1, 0, 0] > 0.3, np.nan, parity(batch))


def test_samples_without_finite_numbers_are_left_out_by_the_run(
    cells: Samples, tmp_path: Path
) -> None:
    is_known = cells.X[:, 0, 0, 0] <= 0.3
    n_lost = int((~is_known).sum())
    assert 0 < n_lost < N / 2
    said: list[str] = []
    explorer = Explorer(cells.learning_from(known_of_dim))
    explorer.events.message_sent.connect(said.append)
    marked = np.flatnonzero(is_known)[[3, 7]]
    explorer.select_rows([*marked, np.flatnonzero(~is_known)[0]])
    explorer.place(np.random.default_rng(0).normal(size=(N, 2)))
    explorer.add_gate([[-9, -9], [9, -9], [9, 9], [-9, 9]], "all")
    explorer.set_parameters(**SETTINGS, reconstruction=False)
    explorer.train()
    assert explorer.wait(120).phase is Phase.DONE

    assert explorer.samples is not None
    identities = explorer.samples.identities
    np.testing.assert_array_equal(identities.label, cells.identities.label[is_known])
    assert explorer.samples.left_out[-1].name == f"{n_lost} samples"
    assert said[-1] == f"Done. {n_lost} samples without values left out."
    assert explorer.selection.rows.tolist() == [3, 7]
    assert explorer.gates.names == ("all",)
    assert np.isfinite(explorer.embedding.positions).all()
    assert explorer.model is not None
    assert explorer.model.samples is explorer.samples
    assert explorer.replay is not None
    explorer.show_snapshot(0)
    explorer.show_snapshot(-1)

    new = cells.learning_from(known_of_dim).same_way(image(1), LABELS, source="b")
    positions, _ = explorer.embed(new)
    has_place = new.X[:, 0, 0, 0] <= 0.3
    np.testing.assert_array_equal(np.isfinite(positions[:, 0]), has_place)
    explorer.add_samples(new)
    assert len(explorer.samples) == is_known.sum() + has_place.sum()
    explorer.save(tmp_path / "map", include_images=True)
    opened = Explorer.open(tmp_path / "map")
    assert opened.samples is not None
    assert len(opened.samples) == len(explorer.samples)
    names = [each.name for each in opened.samples.left_out]
    assert f"{n_lost} samples" in names


def test_too_few_samples_with_finite_numbers_are_refused(cells: Samples, tmp_path: Path) -> None:
    def known_of_few(batch: np.ndarray) -> np.ndarray:
        return np.where(batch[:, :1, 0, 0] > 0.01, np.nan, parity(batch))

    explorer = Explorer(cells.learning_from(known_of_few))
    explorer.set_parameters(**SETTINGS)
    explorer.train()
    status = explorer.wait(60)
    assert status.phase is Phase.FAILED
    assert "for which known_of_few returns finite numbers; got 8 (of 144" in status.message
    explorer.save(tmp_path / "map", include_images=True)
    opened = Explorer.open(tmp_path / "map")
    assert opened.samples is not None
    assert len(opened.samples) == N, "the values are kept with their gaps"
