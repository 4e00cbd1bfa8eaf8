"""A model on disk is the complete estimator: results, parameters, and all that later fits need."""

from __future__ import annotations

import random
from typing import Any

import keras
import numpy as np
import pytest
from scipy import sparse

from embedscope import ParametricUMAP, load_ParametricUMAP


def short(**parameters: Any) -> ParametricUMAP:
    """An estimator that trains for a second or two."""
    standard = {"encoder": "reference", "n_epochs": 10, "batch_size": 100, "random_state": 0}
    return ParametricUMAP(**{**standard, **parameters})


def stopped(**parameters: Any) -> ParametricUMAP:
    """An estimator whose fit stops as soon as there is something to save."""
    return short(**parameters, progress=Stop())


class Stop:
    """A hook may be a function or, as here, another callable."""

    def __call__(self, report: Any) -> bool:
        return report.phase == "fit" and report.fraction > 0.301


def saved_and_loaded(embedder: ParametricUMAP, path: Any) -> ParametricUMAP:
    embedder.save(path)
    return load_ParametricUMAP(path)


def dense_network(n_in: int, n_out: int) -> keras.Model:
    layers = [keras.layers.Dense(20, "relu"), keras.layers.Dense(n_out)]
    return keras.Sequential([keras.Input((n_in,)), *layers])


FRESH = """
import sys
import numpy as np
from embedscope import load_ParametricUMAP

folder, *names = sys.argv[1:]
samples = np.load(f"{folder}/samples.npy")
for name in names:
    embedder = load_ParametricUMAP(f"{folder}/{name}")
    results = {"places": embedder.transform(samples), "map": embedder.embedding_,
               "loss": embedder.history_["loss"], "graph": embedder.graph_.toarray()}
    if embedder.decoder_ is not None:
        results["decoded"] = embedder.inverse_transform(embedder.embedding_[:9])
    embedder.fit(samples)
    results["again"] = embedder.embedding_
    np.savez(f"{folder}/{name}.npz", **results)
"""


@pytest.mark.parametrize(
    "names",
    [("default", "custom"), pytest.param(("edges", "mixed"), marks=pytest.mark.long)],
    ids="-".join,
)
def test_fresh_process_does_the_same_to_the_last_bit(few, tmp_path, run_python, names):
    """Also a fit of other samples, which starts as it would here."""
    batch_normalized = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            keras.layers.Conv2D(6, 3, strides=2),
            keras.layers.BatchNormalization(),
            keras.layers.ReLU(),
            keras.layers.Flatten(),
            keras.layers.Dense(2),
        ]
    )
    embedders = {
        "default": stopped(encoder=None),
        "custom": stopped(
            encoder=batch_normalized,
            decoder=dense_network(2, 64),
            dims=[64],
            parametric_reconstruction=True,
        ).set_params(dims=(8, 8, 1), decoder=None),
        "edges": stopped(solver="edges", parametric_reconstruction=True, n_components=3),
        "mixed": stopped(encoder=dense_network(64, 2), parametric_reconstruction=True),
    }
    embedders = {name: embedders[name] for name in names}
    np.save(tmp_path / "samples.npy", few.test)
    for name, embedder in embedders.items():
        embedder.fit(few.train).save(tmp_path / name)
    run_python(FRESH, tmp_path, *embedders)
    for name, embedder in embedders.items():
        there = np.load(tmp_path / f"{name}.npz")
        np.testing.assert_array_equal(there["places"], embedder.transform(few.test))
        np.testing.assert_array_equal(there["map"], embedder.embedding_)
        np.testing.assert_array_equal(there["loss"], embedder.history_["loss"])
        np.testing.assert_array_equal(there["graph"], embedder.graph_.toarray())
        if embedder.decoder_ is not None:
            decoded = embedder.inverse_transform(embedder.embedding_[:9])
            np.testing.assert_array_equal(there["decoded"], decoded)
    # A built-in network is made anew by a fit; one of the user's own begins with its weights,
    # which are the trained ones after a load.
    if "default" in embedders:
        again = embedders["default"].set_params(progress=None).fit(few.test)
        there = np.load(tmp_path / "default.npz")["again"]
        np.testing.assert_array_equal(there, again.embedding_)


def test_every_kind_of_parameter_is_loaded(few, tmp_path):
    given = {
        "n_neighbors": np.int64(10),
        "min_dist": np.float64(0.2),
        "metric": "minkowski",
        "metric_kwds": {"p": 3},
        "a": 1.5,
        "b": 0.9,
        "dims": (8, 8, 1),
        "init": "pca",
        "random_state": 7,
        "target_metric": "categorical",
        "optimizer": "sgd",
        "n_training_epochs": 2,
        "verbose": False,
        "landmark_loss_weight": 0.5,
    }
    embedder = stopped(**given).fit(few.train)
    loaded = saved_and_loaded(embedder, tmp_path / "model")
    for name, value in embedder.get_params().items():
        if name == "progress":
            continue
        back = loaded.get_params()[name]
        assert back == value or list(back) == list(value), name
    assert isinstance(loaded.n_neighbors, int)
    loaded.fit(few.test)  # all of them still keep the rules


def test_an_optimizer_is_loaded_with_its_settings(few, tmp_path):
    schedule = keras.optimizers.schedules.ExponentialDecay(2e-3, 50, 0.8)
    embedder = stopped(optimizer=keras.optimizers.Adam(schedule, beta_1=0.8)).fit(few.train)
    loaded = saved_and_loaded(embedder, tmp_path / "model")
    assert loaded.optimizer.get_config() == embedder.optimizer.get_config()
    loaded.fit(few.test)


def test_what_cannot_be_saved_is_named(few, tmp_path):
    """Functions, which are code; everything else works, and they can be set again.

    What belongs to the training samples, or to the run, stays behind without a word.
    """

    def absolute(y_true, y_pred):
        return keras.ops.mean(keras.ops.abs(y_true - y_pred), axis=-1)

    embedder = short(
        init=few.train[:, 20:22],
        parametric_reconstruction=True,
        parametric_reconstruction_loss_fcn=absolute,
        keras_fit_kwargs={"callbacks": [keras.callbacks.TerminateOnNaN()]},
    ).fit(few.train)
    embedder.save(tmp_path / "model")
    with pytest.warns(UserWarning, match="could not be saved") as caught:
        loaded = load_ParametricUMAP(tmp_path / "model")
    message = str(caught[0].message)
    for name in ("parametric_reconstruction_loss_fcn", "keras_fit_kwargs"):
        assert name in message
    assert "init" not in message
    for name in ("parametric_reconstruction_loss_fcn", "keras_fit_kwargs", "init"):
        assert loaded.get_params()[name] == ParametricUMAP().get_params()[name]
    assert caught[0].filename == __file__
    z = embedder.embedding_
    np.testing.assert_array_equal(loaded.inverse_transform(z), embedder.inverse_transform(z))
    loaded.set_params(parametric_reconstruction_loss_fcn=absolute).update(few.test)
    decoded = loaded.inverse_transform(loaded.embedding_)
    of_all = np.abs(decoded - few.test).mean()
    assert loaded.history_["reconstruction_loss"][-1] == pytest.approx(of_all, rel=0.1)


def test_names_of_features_are_loaded(few, tmp_path):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(few.train, columns=[f"pixel {number}" for number in range(64)])
    embedder = stopped().fit(frame)
    loaded = saved_and_loaded(embedder, tmp_path / "model")
    assert list(loaded.feature_names_in_) == list(frame.columns)
    assert loaded.feature_names_in_.dtype == object
    np.testing.assert_array_equal(loaded.transform(frame), embedder.transform(frame))
    with pytest.raises(ValueError, match="feature names"):
        loaded.transform(frame[frame.columns[::-1]])


def test_output_as_a_frame_works_after_loading(few, tmp_path):
    pytest.importorskip("pandas")
    loaded = saved_and_loaded(stopped().fit(few.train), tmp_path / "model")
    frame = loaded.set_output(transform="pandas").transform(few.test)
    assert list(frame.columns) == ["parametricumap0", "parametricumap1"]


@pytest.mark.parametrize(
    "kind",
    [
        "images",
        pytest.param("sparse", marks=pytest.mark.long),
        "free table",
        "squared error",
        pytest.param("sigmoid decoder", marks=pytest.mark.long),
        "own shapes",
    ],
)
def test_every_kind_of_model_is_loaded(few, tmp_path, kind):
    X: Any = few.train
    parameters: dict[str, Any] = {"parametric_reconstruction": True}
    if kind == "images":
        X = few.train.reshape(-1, 8, 8, 1)
    if kind == "sparse":
        X = sparse.csr_matrix(few.train)
    if kind == "free table":
        parameters["parametric_embedding"] = False
    if kind == "squared error":
        X = few.train * 100 - 30
    if kind == "sigmoid decoder":
        layers = [keras.layers.Dense(20, "relu"), keras.layers.Dense(64, "sigmoid")]
        parameters["decoder"] = keras.Sequential([keras.Input((2,)), *layers])
    if kind == "own shapes":
        flatten = keras.Sequential([keras.Input((4, 4, 4)), keras.layers.Flatten()])
        flatten.add(keras.layers.Dense(2))
        parameters["encoder"] = flatten
    embedder = stopped(**parameters).fit(X)
    loaded = saved_and_loaded(embedder, tmp_path / "model")
    np.testing.assert_array_equal(loaded.embedding_, embedder.embedding_)
    z = embedder.embedding_[:7]
    decoded = loaded.inverse_transform(z)
    np.testing.assert_array_equal(decoded, embedder.inverse_transform(z))
    assert decoded.shape == (7, *X.shape[1:])
    if kind != "free table":
        np.testing.assert_array_equal(loaded.transform(X), embedder.transform(X))
        loaded.set_params(progress=Stop()).update(X[:50])
        assert loaded.embedding_.shape == (50, 2)


def test_a_second_save_is_the_same_model(few, tmp_path):
    embedder = stopped(parametric_reconstruction=True).fit(few.train)
    loaded = saved_and_loaded(embedder, tmp_path / "first")
    again = saved_and_loaded(loaded, tmp_path / "second")
    np.testing.assert_array_equal(again.transform(few.test), embedder.transform(few.test))
    assert again.get_params()["encoder"] == "reference"
    assert again.history_ == embedder.history_


def test_loading_leaves_the_global_generator_of_python_alone(few, tmp_path):
    """Keras draws the seeds of layers from it."""
    embedder = stopped(encoder=dense_network(64, 2)).fit(few.train)
    embedder.save(tmp_path / "model")
    state = random.getstate()
    saved_and_loaded(embedder, tmp_path / "model")
    assert random.getstate() == state


def test_save_before_fit(tmp_path):
    with pytest.raises(ValueError, match="not fitted"):
        short().save(tmp_path / "model")
    assert not (tmp_path / "model").exists()
