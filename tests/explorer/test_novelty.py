"""Novelty: uniform scores for samples like the training samples, 1 for others, also real cells."""

from __future__ import annotations

import numpy as np
import pytest

from embedscope._errors import InvalidInputError, InvalidModelError
from embedscope.explorer.answers import _neighborhood, _novelty
from embedscope.explorer.answers._novelty import NOVEL, Novelty
from embedscope.samples import crops_from_labels, jurkat_cells, nuclei


class Source:
    """Samples that vary along a few directions, and a little along all."""

    def __init__(self, n_features: int, seed: int = 0) -> None:
        self._rng = np.random.default_rng(seed)
        self._directions = self._rng.normal(size=(min(10, n_features), n_features))

    def draw(self, n_samples: int) -> np.ndarray:
        along = self._rng.normal(size=(n_samples, len(self._directions))) @ self._directions
        return (along + 0.3 * self._rng.normal(size=along.shape)).astype(np.float32)


def novel(novelty: Novelty, X: np.ndarray) -> np.ndarray:
    """Which samples are marked as unlike those trained on."""
    return novelty.score(X) >= NOVEL


@pytest.mark.parametrize("n_features", [2, 20, 200])
def test_scores_of_samples_alike_are_uniform(n_features):
    source = Source(n_features)
    scores = Novelty.fit(source.draw(1500)).score(source.draw(4000))
    assert scores.dtype == np.float32
    assert 0.003 < (scores >= NOVEL).mean() < 0.025
    np.testing.assert_allclose(
        np.quantile(scores, [0.1, 0.25, 0.5, 0.75, 0.9]), [0.1, 0.25, 0.5, 0.75, 0.9], atol=0.08
    )


@pytest.mark.parametrize("n_samples", [20, 60, 200])
def test_few_samples_raise_few_false_alarms(n_samples):
    rates = []
    for seed in range(8):
        source = Source(5, seed)
        novelty = Novelty.fit(source.draw(n_samples))
        rates.append(novel(novelty, source.draw(500)).mean())
    assert np.mean(rates) < 0.01 + 2.5 / n_samples


def test_other_blobs_are_novel(rng):
    training = rng.normal(size=(500, 6)) + 10.0 * rng.integers(0, 3, size=(500, 1))
    novelty = Novelty.fit(training)
    shifted = rng.normal(size=(200, 6)) + 15.0  # between two blobs, where no mean would see it
    assert novel(novelty, shifted).mean() > 0.95
    assert (novelty.score(shifted + 100) == 1.0).all()


def test_what_is_constant_in_training_is_novel_once_it_varies(rng):
    training = np.hstack([rng.normal(size=(400, 60)), np.zeros((400, 1))])
    novelty = Novelty.fit(training)
    fresh = np.hstack([rng.normal(size=(200, 60)), np.zeros((200, 1))])
    assert novel(novelty, fresh).mean() < 0.05
    fresh[:, -1] = 30.0
    assert novel(novelty, fresh).all()


def test_rounding_does_not_matter_for_data_of_low_rank(rng):
    plane = rng.normal(size=(3, 300))
    novelty = Novelty.fit(rng.normal(size=(600, 3)) @ plane)
    inside = rng.normal(size=(1000, 3)) @ plane
    assert novel(novelty, inside).mean() < 0.03
    assert novel(novelty, inside + 0.5 * rng.normal(size=inside.shape)).mean() > 0.95


@pytest.mark.parametrize("unit", [1e-20, 1e20])
def test_units_do_not_matter(rng, unit):
    training, fresh = rng.normal(size=(200, 70)), 1.2 * rng.normal(size=(100, 70))
    usual = Novelty.fit(training).score(fresh)
    np.testing.assert_allclose(Novelty.fit(unit * training).score(unit * fresh), usual, atol=0.02)


def test_rows_that_repeat_are_not_novel(rng):
    distinct = rng.normal(size=(5, 8))
    novelty = Novelty.fit(np.repeat(distinct, 40, axis=0))
    assert (novelty.score(distinct) == 0.0).all()
    assert novel(novelty, distinct + 3.0).all()


@pytest.fixture(scope="module")
def cells() -> np.ndarray:
    montage = jurkat_cells()
    crops = crops_from_labels(montage.image, montage.labels, 32).images
    return np.random.default_rng(0).permutation(crops).astype(np.float32) / 255


@pytest.fixture(scope="module")
def novelty(cells) -> Novelty:
    return Novelty.fit(cells[:1000])


class TestRealCells:
    def test_other_cells_of_the_montage_are_known(self, cells, novelty):
        assert novel(novelty, cells[1000:]).mean() < 0.03
        assert 0.4 < novelty.score(cells[1000:]).mean() < 0.6

    def test_nuclei_of_another_microscope_are_not(self, novelty):
        fields = nuclei()
        pairs = zip(fields.images, fields.labels, strict=True)
        crops = np.concatenate([crops_from_labels(*pair, 32).images for pair in pairs]) / 255
        assert novel(novelty, np.repeat(crops, 3, axis=3)).mean() > 0.99

    def test_noise_blanks_and_swapped_channels_are_not(self, cells, novelty, rng):
        others = {
            "noise": rng.random((50, 32, 32, 3)),
            "black": np.zeros((1, 32, 32, 3)),
            "white": np.ones((1, 32, 32, 3)),
            "mean": cells.mean(axis=0, keepdims=True),  # smoother than any cell
            "swapped": cells[1000:1100, ..., ::-1],
        }
        caught = {name: novel(novelty, X).mean() for name, X in others.items()}
        assert caught == dict.fromkeys(others, 1.0)


def test_large_sets_are_thinned_with_similar_scores(rng, monkeypatch):
    monkeypatch.setattr(_novelty, "_MOST_REFERENCES", 400)
    monkeypatch.setattr(_novelty, "_ENOUGH_HELD_OUT", 200)
    novelty = Novelty.fit(rng.normal(size=(3000, 4)))
    arrays = novelty.to_arrays()
    assert len(arrays["references"]) == 400
    assert 200 <= len(arrays["calibration"]) < 400
    assert novel(novelty, rng.normal(size=(2000, 4))).mean() < 0.03


def test_blocks_change_nothing(rng, monkeypatch):
    training, fresh = rng.normal(size=(100, 30)), rng.normal(size=(50, 30))
    whole = Novelty.fit(training).score(fresh)
    monkeypatch.setattr(_neighborhood, "_BLOCK_VALUES", 7 * 30)
    np.testing.assert_array_equal(Novelty.fit(training).score(fresh), whole)


def test_shaped_and_flat_samples_score_alike(rng):
    X = rng.random((60, 4, 4, 2)).astype(np.float32)
    novelty = Novelty.fit(X)
    np.testing.assert_array_equal(novelty.score(X), novelty.score(X.reshape(60, -1)))


def test_arrays_are_restored_exactly_without_pickle(rng, tmp_path):
    novelty = Novelty.fit(rng.normal(size=(300, 80)))
    np.savez(tmp_path / "novelty.npz", **novelty.to_arrays())
    with np.load(tmp_path / "novelty.npz", allow_pickle=False) as stored:
        restored = Novelty.from_arrays({name: stored[name] for name in stored.files})
    fresh = 1.3 * rng.normal(size=(200, 80))
    np.testing.assert_array_equal(restored.score(fresh), novelty.score(fresh))
    for name, array in novelty.to_arrays().items():
        np.testing.assert_array_equal(restored.to_arrays()[name], array)
        assert restored.to_arrays()[name].dtype == array.dtype


@pytest.mark.parametrize(
    ("name", "damaged"),
    [
        ("mean", np.zeros(3, np.float32)),
        ("axes", np.zeros((8, 2), np.float32)),
        ("references", np.zeros((0, 8), np.float32)),
        ("references", np.full((9, 8), np.nan, np.float32)),
        ("units", np.zeros(4)),
        ("units", np.ones(5)),
        ("calibration", np.array([])),
        ("calibration", np.array(["high"])),
        ("calibration", None),
    ],
)
def test_damaged_arrays_are_refused(rng, name, damaged):
    arrays = Novelty.fit(rng.normal(size=(50, 8))).to_arrays() | {name: damaged}
    if damaged is None:
        del arrays[name]
    with pytest.raises(InvalidModelError, match=r"^arrays must be what Novelty.to_arrays gave; "):
        Novelty.from_arrays(arrays)


def test_bad_input_is_refused(rng):
    with pytest.raises(InvalidInputError, match="X must have at least 20 samples; got 19"):
        Novelty.fit(rng.normal(size=(19, 3)))
    novelty = Novelty.fit(rng.normal(size=(50, 3)))
    with pytest.raises(InvalidInputError, match=r"X must have 3 values .*; got 4"):
        novelty.score(np.zeros((5, 4)))
    with pytest.raises(InvalidInputError, match=r"X must be finite numbers .*; got 1 NaN"):
        novelty.score([[0, np.nan, 0]])
