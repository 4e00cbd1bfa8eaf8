"""The estimator among scikit-learn's: its checks, pipelines, searches, copies and frames."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path
from threading import Lock
from typing import Any

import keras
import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.datasets import make_blobs
from sklearn.exceptions import FitFailedWarning, NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from embedscope import ParametricUMAP
from embedscope._errors import InvalidInputError

N_SAMPLES, N_FEATURES, N_CLASSES = 80, 5, 4
DATA, LABELS = make_blobs(N_SAMPLES, N_FEATURES, centers=N_CLASSES, cluster_std=0.5, random_state=3)


def quick(**parameters: Any) -> ParametricUMAP:
    small = {"n_neighbors": 6, "n_epochs": 30, "encoder": "reference", "solver": "edges"}
    return ParametricUMAP(**(small | {"random_state": 0} | parameters))


# On many processors the last bits of a row's position depend on its index in the batch (see the
# test below), and this check requires seven digits. All others pass on every processor.
# `check_array_api_input` skips itself unless SCIPY_ARRAY_API is set.
LAST_BITS = {"check_methods_sample_order_invariance": "depends on the processor"}


@parametrize_with_checks(
    [
        ParametricUMAP(
            n_neighbors=3, n_epochs=10, encoder="reference", solver="edges", random_state=0
        )
    ],
    expected_failed_checks=lambda estimator: LAST_BITS,
    xfail_strict=False,
)
def test_scikit_learns_own_checks(estimator: ParametricUMAP, check: Any) -> None:
    check(estimator)


@pytest.mark.long
@parametrize_with_checks(
    [ParametricUMAP(n_neighbors=3, n_epochs=10, random_state=0)],
    expected_failed_checks=lambda estimator: LAST_BITS,
    xfail_strict=False,
)
def test_scikit_learns_own_checks_of_the_default_solver(
    estimator: ParametricUMAP, check: Any
) -> None:
    check(estimator)


@pytest.mark.parametrize("n", [1, 7, 32, N_SAMPLES])
def test_a_position_depends_neither_on_the_order_nor_on_the_others(
    fitted: ParametricUMAP, n: int
) -> None:
    chosen = np.random.default_rng(n).permutation(N_SAMPLES)[:n]
    places = fitted.transform(DATA[chosen])
    np.testing.assert_allclose(places, fitted.transform(DATA)[chosen], rtol=0, atol=1e-5)


# -- copies ---------------------------------------------------------------------------------------


def given_networks() -> dict[str, Any]:
    """A user's networks, optimiser and loss: all that a copy could lose."""
    return {
        "encoder": keras.Sequential(
            [
                keras.Input((N_FEATURES,)),
                keras.layers.Dense(16, "relu", kernel_initializer=keras.initializers.HeNormal(1)),
                keras.layers.Dense(2, kernel_initializer=keras.initializers.HeNormal(2)),
            ]
        ),
        "decoder": keras.Sequential(
            [
                keras.Input((2,)),
                keras.layers.Dense(N_FEATURES, kernel_initializer=keras.initializers.HeNormal(3)),
            ]
        ),
        "parametric_reconstruction": True,
        "optimizer": keras.optimizers.Adam(3e-3),
    }


@pytest.fixture(scope="module")
def fitted() -> ParametricUMAP:
    return quick(**given_networks()).fit(DATA)


def test_a_clone_is_unfitted_and_has_the_networks_that_were_given(fitted: ParametricUMAP) -> None:
    copied = clone(fitted)
    with pytest.raises(NotFittedError):
        copied.transform(DATA)
    given, taken = fitted.get_params()["encoder"], copied.get_params()["encoder"]
    assert taken is not given
    for weight, other in zip(given.get_weights(), taken.get_weights(), strict=True):
        np.testing.assert_array_equal(other, weight)
    trained = fitted.encoder_.get_weights()[0]
    assert np.abs(trained - given.get_weights()[0]).max() > 1e-3


def test_a_clone_learns_the_same_map(fitted: ParametricUMAP) -> None:
    copied = clone(fitted).fit(DATA)
    np.testing.assert_array_equal(copied.embedding_, fitted.embedding_)
    places = fitted.embedding_[:5]
    np.testing.assert_array_equal(
        copied.inverse_transform(places), fitted.inverse_transform(places)
    )


@pytest.mark.parametrize(
    "copied",
    [copy.deepcopy, lambda e: pickle.loads(pickle.dumps(e))],  # noqa: S301 - our own bytes
    ids=["deepcopy", "pickle"],
)
def test_a_copy_of_a_fitted_estimator_is_whole(copied: Any, fitted: ParametricUMAP) -> None:
    fitted.transform(DATA)  # has made a fast function, which cannot be copied
    other = copied(fitted)
    assert other.encoder_ is not fitted.encoder_
    np.testing.assert_array_equal(other.embedding_, fitted.embedding_)
    np.testing.assert_array_equal(other.transform(DATA[:7]), fitted.transform(DATA[:7]))
    places = fitted.embedding_[:5]
    np.testing.assert_array_equal(other.inverse_transform(places), fitted.inverse_transform(places))
    assert other.history_ == fitted.history_
    other.update(DATA + 1.0)
    assert other.embedding_.shape == (N_SAMPLES, 2)
    np.testing.assert_array_equal(other.fit(DATA).embedding_, fitted.embedding_)


class Doubled(keras.layers.Layer):
    """A layer that is not registered with Keras."""

    def call(self, inputs):
        return 2.0 * inputs


class OwnDescent(keras.optimizers.SGD):
    """An optimiser that is not registered with Keras."""


@pytest.mark.parametrize("copied", [copy.deepcopy, pickle.dumps, clone])
def test_what_could_not_be_unpickled_is_refused_beforehand(copied: Any) -> None:
    """Otherwise the model would be lost."""
    layers = [keras.Input((DATA.shape[1],)), Doubled(), keras.layers.Dense(2)]
    for estimator, name in (
        (quick(encoder=keras.Sequential(layers)), "encoder"),
        (quick(optimizer=OwnDescent()), "optimizer"),
    ):
        with pytest.raises(InvalidInputError, match=f"^{name} must be possible .*not registered"):
            copied(estimator)
    fitted_one = quick(encoder=keras.Sequential(layers)).fit(DATA)
    with pytest.raises(InvalidInputError, match=r"^encoder must be possible .*Doubled"):
        copied(fitted_one)
    places = copy.copy(fitted_one).transform(DATA)  # has the same networks
    np.testing.assert_array_equal(places, fitted_one.transform(DATA))


class Locked:
    """Whose method is a hook, and which cannot be copied."""

    def __init__(self) -> None:
        self.lock = Lock()

    def report(self, report: Any) -> None:
        pass


def print_nothing(report: Any) -> None:
    """A hook that a pickle finds by its name."""


class Silent:
    """Whose method is a hook, and which can be copied."""

    def report(self, report: Any) -> None:
        pass


def callbacks_with_what_no_copy_holds(folder: Path) -> dict[str, Any]:
    """An open file, a function without a name, and a class without one."""

    class Local(keras.callbacks.Callback):
        pass

    return {
        "file": keras.callbacks.CSVLogger(folder / "log.csv"),
        "lambda": keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: None),
        "class": Local(),
    }


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> dict[str, ParametricUMAP]:
    """Fitted estimators, each with a callback that cannot be pickled."""
    callbacks = callbacks_with_what_no_copy_holds(tmp_path_factory.mktemp("logs"))
    return {
        kind: quick(
            keras_fit_kwargs={"callbacks": [keras.callbacks.TerminateOnNaN(), callback]},
            batch_size=N_SAMPLES,
            n_training_epochs=1,
        ).fit(DATA)
        for kind, callback in callbacks.items()
    }


@pytest.mark.parametrize("kind", ["file", "lambda", "class"])
def test_a_pickle_leaves_out_callbacks_that_it_cannot_hold_as_save_does(
    kind: str, watched: dict[str, ParametricUMAP]
) -> None:
    """Otherwise a map after an hour of training would be lost because of its log."""
    pickled = pickle.dumps(watched[kind])
    with pytest.warns(UserWarning, match=r"^keras_fit_kwargs could not be .* set them again"):
        again = pickle.loads(pickled)  # noqa: S301 - our own bytes
    assert again.keras_fit_kwargs is None
    assert watched[kind].keras_fit_kwargs is not None
    np.testing.assert_array_equal(again.transform(DATA), watched[kind].transform(DATA))
    pickle.loads(pickle.dumps(again))  # noqa: S301 - says nothing a second time


def test_a_pickle_leaves_out_a_progress_hook_that_it_cannot_hold() -> None:
    embedder = quick(progress=lambda report: None).fit(DATA)
    again = pickle.loads(pickle.dumps(embedder))  # noqa: S301 - our own bytes
    assert again.progress is None


@pytest.mark.parametrize("hook", [print_nothing, Silent().report, len])
def test_a_pickle_keeps_a_progress_hook_that_it_can_hold(hook: Any) -> None:
    embedder = quick().fit(DATA).set_params(progress=hook)
    again = pickle.loads(pickle.dumps(embedder))  # noqa: S301 - our own bytes
    assert again.progress.__qualname__ == hook.__qualname__


def test_a_pickle_keeps_callbacks_that_it_can_hold() -> None:
    stopping = keras.callbacks.EarlyStopping("loss", patience=3)
    embedder = quick(keras_fit_kwargs={"callbacks": stopping}, batch_size=N_SAMPLES).fit(DATA)
    again = pickle.loads(pickle.dumps(embedder))  # noqa: S301 - our own bytes
    assert again.keras_fit_kwargs["callbacks"].patience == 3


# pytest shows what Keras's copies warn of once more, without the module that pyproject.toml names.
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_a_deep_copy_leaves_out_only_what_cannot_be_copied(
    watched: dict[str, ParametricUMAP],
) -> None:
    for kind in ("lambda", "class"):
        assert copy.deepcopy(watched[kind]).keras_fit_kwargs is not None
    with pytest.warns(UserWarning, match=r"^keras_fit_kwargs could not be .* set them again"):
        assert copy.deepcopy(watched["file"]).keras_fit_kwargs is None


def test_unfitted_callbacks_that_cannot_be_copied_are_refused_by_name(
    watched: dict[str, ParametricUMAP],
) -> None:
    """Without them the later fit would be a different one."""
    fit_kwargs = watched["file"].keras_fit_kwargs
    unfitted = quick(keras_fit_kwargs=fit_kwargs)
    rule = r"^keras_fit_kwargs must be possible to copy; got CSVLogger"
    for copied in (copy.deepcopy, pickle.dumps, clone):
        with pytest.raises(InvalidInputError, match=rule):
            copied(unfitted)
    with pytest.raises(InvalidInputError, match=rule):
        clone(watched["file"])
    locked = quick(progress=Locked().report)
    with pytest.raises(InvalidInputError, match=r"^progress must be possible .*report"):
        clone(locked)
    assert clone(locked.set_params(progress=None)).get_params()["progress"] is None  # the remedy


def test_parameters_stay_as_given_and_networks_untouched(fitted: ParametricUMAP) -> None:
    given = given_networks()
    estimator = quick(**given).fit(DATA)
    for name, value in given.items():
        assert estimator.get_params()[name] is value
    fresh = given_networks()["encoder"].get_weights()
    for weight, expected in zip(given["encoder"].get_weights(), fresh, strict=True):
        np.testing.assert_array_equal(weight, expected)
    assert estimator.encoder is estimator.encoder_


def test_a_fitted_estimator_can_be_shown(fitted: ParametricUMAP) -> None:
    assert repr(fitted).startswith("ParametricUMAP(")
    assert "ParametricUMAP" in fitted._repr_html_()
    assert repr(ParametricUMAP()) == "ParametricUMAP()"


# -- pipelines and searches -----------------------------------------------------------------------


def test_a_pipeline_classifies_by_the_map() -> None:
    pipeline = make_pipeline(StandardScaler(), quick(), KNeighborsClassifier(3))
    pipeline.fit(DATA[::2], LABELS[::2])
    assert pipeline.score(DATA[1::2], LABELS[1::2]) > 0.95


def test_a_pipeline_goes_both_ways() -> None:
    pipeline = make_pipeline(StandardScaler(), quick(parametric_reconstruction=True, n_epochs=200))
    places = pipeline.fit_transform(DATA)
    drawn = pipeline.inverse_transform(places)
    assert drawn.shape == DATA.shape
    left = ((drawn - DATA) ** 2).sum() / ((DATA - DATA.mean(axis=0)) ** 2).sum()
    assert left < 0.5  # of the variance, in the data's own units


def test_a_grid_search_finds_neighbours_and_keeps_the_best() -> None:
    pipeline = make_pipeline(quick(), KNeighborsClassifier(3))
    grid = {"parametricumap__n_neighbors": [4, 8]}
    search = GridSearchCV(pipeline, grid, cv=2, error_score="raise").fit(DATA, LABELS)
    assert search.best_score_ > 0.9
    assert search.best_estimator_["parametricumap"].n_neighbors in (4, 8)
    assert search.predict(DATA[:3]).shape == (3,)


@pytest.mark.long
def test_a_grid_search_runs_in_processes() -> None:
    pipeline = make_pipeline(quick(**given_networks()), KNeighborsClassifier(3))
    grid = {"parametricumap__n_neighbors": [4, 8]}
    search = GridSearchCV(pipeline, grid, cv=2, n_jobs=2, error_score="raise").fit(DATA, LABELS)
    assert search.best_score_ > 0.5


def test_a_search_reports_bad_parameters_as_scores() -> None:
    search = GridSearchCV(
        make_pipeline(quick(), KNeighborsClassifier(3)),
        {"parametricumap__n_neighbors": [4, 1]},
        cv=2,
    )
    failed = pytest.warns(FitFailedWarning, match="n_neighbors must be an int of")
    with failed, pytest.warns(UserWarning, match="scores are non-finite"):
        search.fit(DATA, LABELS)
    assert np.isnan(search.cv_results_["mean_test_score"]).tolist() == [False, True]


# -- frames ---------------------------------------------------------------------------------------

FRAME = pd.DataFrame(
    DATA, columns=[f"marker {number}" for number in range(N_FEATURES)], index=range(500, 580)
)


def test_output_may_be_a_frame() -> None:
    estimator = quick(n_components=3).set_output(transform="pandas")
    learned = estimator.fit_transform(FRAME)
    placed = estimator.transform(FRAME[10:20])
    names = ["parametricumap0", "parametricumap1", "parametricumap2"]
    for frame, rows in ((learned, FRAME.index), (placed, FRAME.index[10:20])):
        assert list(frame.columns) == names
        assert list(frame.index) == list(rows)
        assert set(frame.dtypes) == {np.dtype(np.float32)}
    np.testing.assert_array_equal(estimator.get_feature_names_out(), names)
    np.testing.assert_array_equal(learned.to_numpy(), estimator.embedding_)
    np.testing.assert_array_equal(placed.to_numpy(), estimator.embedding_[10:20])


def test_the_map_is_one_of_several_outputs() -> None:
    columns = ColumnTransformer(
        [("map", quick(), list(FRAME.columns[:4])), ("rest", "passthrough", [FRAME.columns[4]])]
    ).set_output(transform="pandas")
    joined = columns.fit_transform(FRAME)
    assert list(joined.columns) == [
        "map__parametricumap0",
        "map__parametricumap1",
        "rest__marker 4",
    ]
    np.testing.assert_array_equal(joined["rest__marker 4"], FRAME["marker 4"])


def test_an_array_after_a_frame_is_warned_of_as_everywhere_in_scikit_learn() -> None:
    estimator = quick().fit(FRAME)
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        estimator.transform(DATA)


def test_duplicate_column_names_are_refused_with_a_clear_message() -> None:
    estimator = quick().fit(FRAME)
    twice = FRAME.set_axis(["a", "b", "b", *FRAME.columns[3:]], axis=1)
    rule = r"^X must have a different name .* 'b' more than once"
    for method in (estimator.transform, estimator.update, estimator.encoder_jacobian, quick().fit):
        with pytest.raises(InvalidInputError, match=rule):
            method(twice)
    assert quick().fit(twice.to_numpy()).embedding_.shape == (N_SAMPLES, 2)
