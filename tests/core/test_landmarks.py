"""Old samples keep their positions while a map learns new ones."""

from __future__ import annotations

import copy
from typing import Any, NamedTuple

import keras
import numpy as np
import pytest
from scipy import sparse
from sklearn.neighbors import KNeighborsClassifier

from embedscope import ParametricUMAP, load_ParametricUMAP
from embedscope.core.solvers._registry import SOLVERS

LEFT_OUT = 3


def short(**parameters: Any) -> ParametricUMAP:
    """An estimator that trains for a second or two."""
    standard = {"encoder": "reference", "n_epochs": 100, "batch_size": 100, "random_state": 0}
    return ParametricUMAP(**{**standard, **parameters})


def extent(places: np.ndarray) -> float:
    """Width of the map, the larger of both."""
    return float(np.ptp(places, axis=0).max())


def movement(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """How far each sample moved, in widths of the map."""
    return np.linalg.norm(after - before, axis=1) / extent(before)


# -- update: one class of the digits is left out, and learned later ------------------------------


class Updated(NamedTuple):
    embedder: ParametricUMAP
    before: np.ndarray  # of all digits, by the map that does not know one class
    reports: int


@pytest.fixture(
    scope="module",
    params=[
        pytest.param("default", marks=pytest.mark.long),
        pytest.param("convolutional", marks=pytest.mark.long),
        pytest.param("edges", marks=pytest.mark.long),
        "reloaded",
    ],
)
def updated(request, digits, tmp_path_factory) -> Updated:
    """A fit of two thirds of the digits without one class, then an update with a fifth of the rest.

    The update holds the class.
    """
    known = (np.arange(len(digits.data)) % 3 > 0) & (digits.labels != LEFT_OUT)
    parameters: dict[str, Any] = {"random_state": 0}
    if request.param == "convolutional":
        layers = [
            keras.layers.Conv2D(16, 3, strides=2, padding="same", activation="relu"),
            keras.layers.Flatten(),
            keras.layers.Dense(100, "relu"),
        ]
        parameters |= {
            "encoder": keras.Sequential([keras.Input((8, 8, 1)), *layers, keras.layers.Dense(2)]),
            "optimizer": keras.optimizers.Adam(3e-3),
        }
    if request.param == "edges":
        parameters |= {"solver": "edges", "encoder": "reference"}
    embedder = ParametricUMAP(**parameters).fit(digits.data[known])
    before = embedder.transform(digits.data)
    reports = len(embedder.history_["loss"])
    if request.param == "reloaded":
        path = tmp_path_factory.mktemp("model") / "model"
        embedder.save(path)
        embedder = load_ParametricUMAP(path)
    embedder.update(digits.data[::3])
    return Updated(embedder, before, reports)


def test_old_samples_move_less_than_5_percent_of_the_map(updated, digits):
    """Samples that were learned, and others of the same classes that were not."""
    old = digits.labels != LEFT_OUT
    moved = movement(updated.before[old], updated.embedder.transform(digits.data[old]))
    assert moved.mean() < 0.05
    assert np.median(moved) < 0.03


def test_the_new_class_is_placed_apart(updated, digits):
    """Its samples are neighbours on the map; before, they lay among the others."""

    def purity(places: np.ndarray) -> float:
        new = digits.labels == LEFT_OUT
        nearest = KNeighborsClassifier(16).fit(places, new).kneighbors(places[new])[1][:, 1:]
        return float(new[nearest].mean())

    after = purity(updated.embedder.transform(digits.data))
    assert after > 0.7  # .75 to .9, by first weights and processor; before: .4 to .65
    assert after > purity(updated.before) + 0.1


def test_the_fitted_attributes_are_those_of_the_new_data(updated, digits):
    embedder, new = updated.embedder, digits.data[::3]
    assert embedder.embedding_.shape == (len(new), 2)
    assert embedder.graph_.shape == (len(new), len(new))
    np.testing.assert_allclose(embedder.transform(new), embedder.embedding_, atol=1e-4)


def test_the_history_goes_on(updated):
    assert len(updated.embedder.history_["loss"]) == updated.reports + 10


# -- update in other circumstances ---------------------------------------------------------------


@pytest.fixture(scope="module")
def fitted(few) -> ParametricUMAP:
    """A map of the digits; tests that change it take a copy."""
    return short().fit(few.train)


def test_many_updates_do_not_add_up(few, digits, fitted):
    embedder = copy.deepcopy(fitted)
    before = embedder.transform(few.train)
    for part in range(3):
        embedder.update(digits.data[500 + 100 * part : 600 + 100 * part])
    assert movement(before, embedder.transform(few.train)).mean() < 0.05


def test_a_few_new_samples_are_enough(few, fitted):
    """Fewer than there are neighbours."""
    embedder = copy.deepcopy(fitted)
    before = embedder.transform(few.train)
    embedder.update(few.test[:3])
    assert embedder.embedding_.shape == (3, 2)
    assert movement(before, embedder.transform(few.train)).mean() < 0.05


def test_update_of_a_decoder_image_shapes_and_sparse_samples(few):
    images = few.train.reshape(-1, 8, 8)
    early = {"progress": lambda report: report.phase == "fit" and report.fraction > 0.301}
    embedder = short(parametric_reconstruction=True, n_epochs=20, **early).fit(images)
    embedder.update(few.test.reshape(-1, 8, 8)).update(few.test)
    assert embedder.inverse_transform(embedder.embedding_).shape == (200, 8, 8)
    sparse_one = short(n_epochs=20, **early).fit(sparse.csr_matrix(few.train))
    sparse_one.update(sparse.csr_matrix(few.test)).update(few.test)
    assert sparse_one.embedding_.shape == (200, 2)


def test_update_with_labels(few):
    embedder = short().fit(few.train, few.labels)
    before = embedder.transform(few.train)
    embedder.update(few.test, few.test_labels)
    assert movement(before, embedder.transform(few.train)).mean() < 0.05


def test_update_keeps_the_names_of_the_features(few):
    pandas = pytest.importorskip("pandas")
    names = [f"pixel {number}" for number in range(64)]
    embedder = short(n_epochs=5).fit(pandas.DataFrame(few.train, columns=names))
    embedder.update(pandas.DataFrame(few.test, columns=names))
    assert list(embedder.feature_names_in_) == names
    with pytest.raises(ValueError, match="feature names"):
        embedder.update(pandas.DataFrame(few.test, columns=names[::-1]))


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"parametric_embedding": False}, "parametric_embedding must be True for update"),
        ({"metric": "precomputed"}, "metric must be computed for update"),
    ],
)
def test_update_that_cannot_be(few, parameters, message):
    beside = {}
    if "metric" in parameters:
        flat = few.train.astype(np.float64)
        beside["precomputed_distances"] = np.linalg.norm(flat[:, None] - flat[None], axis=2)
    embedder = short(n_epochs=2, **parameters).fit(few.train, **beside)
    with pytest.raises(ValueError, match=message):
        embedder.update(few.test)


def test_update_before_fit(few):
    with pytest.raises(ValueError, match="not fitted"):
        short().update(few.train)


# -- landmark_positions --------------------------------------------------------------------------


@pytest.mark.parametrize("solver", SOLVERS)
def test_landmark_positions_hold_samples_at_the_given_positions(few, solver):
    """Two classes are sent to corners of the map; the others are free."""
    places = np.full((300, 2), np.nan)
    places[few.labels == 0] = [-15.0, -15.0]
    places[few.labels == 1] = [15.0, 15.0]
    embedder = short(solver=solver, landmark_loss_weight=10.0)
    if solver == "edges":
        embedder.set_params(n_training_epochs=2)
    result = embedder.fit_transform(few.train, landmark_positions=places)
    for label, corner in ((0, -15.0), (1, 15.0)):
        held = np.linalg.norm(result[few.labels == label] - corner, axis=1)
        assert np.median(held) < 3.0
    assert len(embedder.history_["loss"]) == 10 * embedder.n_training_epochs  # a fresh start


def test_landmark_positions_of_weight_zero_do_nothing(few):
    places = np.full((300, 2), 50.0)
    plain = short(n_epochs=20).fit_transform(few.train)
    free = short(n_epochs=20, landmark_loss_weight=0.0)
    np.testing.assert_array_equal(free.fit_transform(few.train, landmark_positions=places), plain)


def test_a_users_landmark_loss_is_used(few):
    seen = []

    def loss(wanted, positions):
        seen.append(wanted.shape)
        return keras.ops.sum(keras.ops.abs(wanted - positions), axis=-1)

    places = np.full((300, 2), np.nan)
    places[::3] = 0.0
    embedder = short(landmark_loss_fn=loss, landmark_loss_weight=100.0, n_epochs=20)
    result = embedder.fit_transform(few.train, landmark_positions=places)
    assert seen
    free = np.arange(300) % 3 > 0
    assert np.abs(result[::3]).mean() < 0.5 * np.abs(result[free]).mean()


@pytest.mark.parametrize(
    ("places", "message"),
    [
        (np.zeros((299, 2)), r"shape \(300, 2\); got \(299, 2\)"),
        (np.zeros((300, 3)), r"shape \(300, 2\); got \(300, 3\)"),
        (np.full((300, 2), np.inf), "finite or NaN"),
    ],
)
def test_landmark_positions_that_make_no_sense(few, places, message):
    with pytest.raises(ValueError, match=message):
        short().fit(few.train, landmark_positions=places)


# -- add_landmarks and remove_landmarks ----------------------------------------------------------


@pytest.fixture(scope="module")
def saved(fitted, tmp_path_factory):
    path = tmp_path_factory.mktemp("landmarks") / "model"
    fitted.save(path)
    return path


def test_uniform_landmarks_hold_the_map(few, saved):
    embedder = load_ParametricUMAP(saved)
    before = embedder.transform(few.train)
    embedder.add_landmarks(few.train, sample_pct=0.5, landmark_loss_weight=1.0)
    assert embedder.landmark_loss_weight == 1.0
    embedder.fit(few.test)
    assert embedder.embedding_.shape == (200, 2)
    assert len(embedder.history_["loss"]) == 20
    assert movement(before, embedder.transform(few.train)).mean() < 0.07


@pytest.mark.parametrize(
    "mode", ["predefined", pytest.param("predetermined", marks=pytest.mark.long)]
)
def test_predefined_landmarks_are_those_of_idx(few, saved, mode):
    embedder = load_ParametricUMAP(saved)
    idx = np.arange(0, 300, 2)
    before = embedder.transform(few.train)
    embedder.add_landmarks(few.train, sample_mode=mode, idx=idx, landmark_loss_weight=1.0)
    embedder.fit(few.test)
    assert movement(before, embedder.transform(few.train))[idx].mean() < 0.07


def test_landmarks_are_saved_with_the_model(few, saved, tmp_path):
    embedder = load_ParametricUMAP(saved)
    embedder.add_landmarks(few.train, sample_pct=0.5, landmark_loss_weight=1.0)
    embedder.save(tmp_path / "model")
    loaded = load_ParametricUMAP(tmp_path / "model")
    assert loaded.landmark_loss_weight == 1.0
    np.testing.assert_array_equal(
        loaded.fit(few.test).embedding_, embedder.fit(few.test).embedding_
    )
    assert len(loaded.history_["loss"]) == 20  # it went on


def test_removed_landmarks_hold_nothing(few, saved):
    embedder = load_ParametricUMAP(saved)
    embedder.add_landmarks(few.train, 0.5)
    embedder.remove_landmarks()
    embedder.fit(few.test)
    assert len(embedder.history_["loss"]) == 10  # afresh
    afresh = short().fit(few.test)
    np.testing.assert_array_equal(embedder.embedding_, afresh.embedding_)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"sample_pct": 0.0}, r"sample_pct must be a share in \(0, 1\]; got 0.0"),
        ({"sample_pct": 1.5}, r"sample_pct must be a share in \(0, 1\]; got 1.5"),
        ({"sample_mode": "best"}, "sample_mode must be .*; got 'best'"),
        ({"sample_mode": "predefined"}, "idx must be a sequence of row numbers"),
        ({"sample_mode": "predefined", "idx": [0, 300]}, r"row numbers in \[0, 300\)"),
        ({"sample_mode": "predefined", "idx": [0.5]}, "idx must be a sequence of row numbers"),
    ],
)
def test_landmarks_that_make_no_sense(few, saved, arguments, message):
    embedder = load_ParametricUMAP(saved)
    with pytest.raises(ValueError, match=message):
        embedder.add_landmarks(few.train, **arguments)
