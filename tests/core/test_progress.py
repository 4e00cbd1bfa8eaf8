"""Progress reports, silence and stopping: after any end of a run the estimator is usable."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import warnings
from collections.abc import Callable
from dataclasses import FrozenInstanceError
from typing import Any

import keras
import numpy as np
import pytest

from embedscope import ParametricUMAP
from embedscope._errors import EmbedscopeError, StoppedError
from embedscope.core.solvers._registry import SOLVERS

PHASES = ["graph", "layout", "fit", "refine"]


def short(**parameters: Any) -> ParametricUMAP:
    """An estimator that trains for a second or two."""
    standard = {"encoder": "reference", "n_epochs": 10, "batch_size": 100, "random_state": 0}
    return ParametricUMAP(**{**standard, **parameters})


def assert_usable(embedder: ParametricUMAP, few: Any) -> None:
    assert embedder.embedding_.shape == (300, 2)
    assert np.isfinite(embedder.embedding_).all()
    np.testing.assert_allclose(embedder.transform(few.train), embedder.embedding_, atol=1e-4)
    assert embedder.transform(few.test).shape == (200, 2)
    assert embedder.graph_.shape == (300, 300)


def stop_when(condition: Callable[[Any], bool]) -> Callable[[Any], bool]:
    """A hook that asks to stop, and must not be called again afterwards."""
    asked = False

    def hook(report: Any) -> bool:
        nonlocal asked
        assert not asked, "called again after it had asked to stop"
        asked = condition(report)
        return asked

    return hook


def counted(n: int) -> Callable[[Any], bool]:
    """True at the n-th batch of the training, counted from 0."""
    seen = -1

    def condition(report: Any) -> bool:
        nonlocal seen
        # The phases themselves are reported too: entering one is not a batch.
        if report.phase in ("fit", "refine") and report.fraction > 0.3:
            seen += 1
        return seen == n

    return condition


# -- reports -------------------------------------------------------------------------------------


class Told:
    """The reports of one run, with some of the maps."""

    def __init__(self) -> None:
        self.reports: list[Any] = []
        self.maps: list[np.ndarray | None] = []

    def __call__(self, report: Any) -> None:
        self.reports.append(report)
        self.maps.append(report.embedding() if len(self.reports) % 5 == 1 else None)


@pytest.fixture(scope="module", params=SOLVERS)
def told(request, few):
    told = Told()
    embedder = short(
        solver=request.param,
        parametric_reconstruction=True,
        reconstruction_validation=few.test,
        progress=told,
    ).fit(few.train)
    return told, embedder


def test_phases_come_in_order(told):
    reports, embedder = told[0].reports, told[1]
    phases = list(dict.fromkeys(report.phase for report in reports))
    assert phases == (PHASES if embedder.solver == "auxiliary" else ["graph", "fit"])
    order = [PHASES.index(report.phase) for report in reports]
    assert order == sorted(order)


def test_fraction_rises_from_0_to_1(told):
    fractions = [report.fraction for report in told[0].reports]
    assert fractions[0] == 0.0
    assert fractions[-1] == 1.0
    assert fractions == sorted(fractions)
    assert max(np.diff(fractions)) < 0.2


def test_epochs_and_losses_are_those_of_the_history(told):
    reports, history = told[0].reports, told[1].history_
    assert [report.epoch for report in reports] == sorted(report.epoch for report in reports)
    assert reports[-1].epoch == len(history["loss"]) == 10
    assert reports[0].loss is None
    for report in reports:
        latest = {name: curve[report.epoch - 1] for name, curve in history.items()}
        assert dict(report.losses) == (latest if report.epoch else {})
        assert report.loss == report.losses.get("loss")


def test_reports_are_frozen(told):
    report = told[0].reports[-1]
    with pytest.raises(FrozenInstanceError):
        report.fraction = 0.5
    with pytest.raises(TypeError):
        report.losses["loss"] = 0.0


def test_reports_give_the_map_as_it_is(told):
    maps, embedder = told[0].maps, told[1]
    assert maps[0] is None  # there is none yet while the graph is made
    later = [places for places in maps[1:] if places is not None]
    assert len(later) >= 3
    for places in later:
        assert places.shape == (300, 2)
        assert places.dtype == np.float32
        assert np.isfinite(places).all()
    np.testing.assert_allclose(told[0].reports[-1].embedding(), embedder.embedding_, atol=1e-3)


@pytest.mark.parametrize("unique", [False, True])
def test_the_reported_map_has_a_row_for_each_sample_of_the_user(few, unique):
    """Not for landmarks, and also for duplicates that are left out of the training."""
    X = np.repeat(few.train[:100], 2, axis=0)
    shapes = set()

    def hook(report: Any) -> None:
        if report.phase != "graph":
            shapes.add(report.embedding().shape)

    embedder = short(unique=unique, n_epochs=2, progress=hook).fit(X)
    embedder.update(X)
    assert shapes == {(200, 2)}
    assert embedder.embedding_.shape == (200, 2)


# -- silence -------------------------------------------------------------------------------------

SESSION = """
import sys
import numpy as np
from embedscope import ParametricUMAP, load_ParametricUMAP

X = np.random.default_rng(0).random((60, 10), dtype=np.float32)
parameters = dict(n_neighbors=5, encoder="reference", n_epochs=2, loss_report_frequency=1)
for _ in range({n_fits}):
    embedder = ParametricUMAP(parametric_reconstruction=True, **parameters, {more}).fit(X)
    embedder.transform(X)
    embedder.transform(X[:1])
embedder.progress = None
embedder.inverse_transform(embedder.embedding_)
embedder.add_landmarks(X, 0.2)
embedder.fit(X)
embedder.update(X)
embedder.save(sys.argv[1])
load_ParametricUMAP(sys.argv[1]).transform(X)
ParametricUMAP(solver="edges", **parameters).fit(X)
"""


@pytest.mark.parametrize(
    "more",
    [
        "progress=lambda report: report.phase == 'fit' and report.fraction > 0.301",
        pytest.param("", marks=pytest.mark.long),
    ],
    ids=["stopped early", "to the end"],
)
def test_not_a_byte_is_printed(run_python, tmp_path, more):
    """Neither by the import of TensorFlow, nor for estimators fitted in a loop.

    From the fifth on, TensorFlow would warn of functions that it traces anew.
    """
    done = run_python(SESSION.format(n_fits=6, more=more), tmp_path / "model")
    assert done.stdout == ""
    assert done.stderr == ""


def test_verbose_shows_one_bar_on_stderr(run_python, tmp_path):
    code = SESSION.format(n_fits=1, more="verbose=True").split("embedder.add_landmarks")[0]
    done = run_python(code, tmp_path)
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1  # what is drawn over itself ends once
    last = done.stderr.split("\r")[-1]
    assert re.search(r"embedscope \[CPU.*\] refine +100%\|.+\| .*loss \d\.\d+", last), last
    assert re.search(r"[\d,]+ samples/s", done.stderr)
    for phase in PHASES:
        assert phase in done.stderr


@pytest.mark.parametrize(("verbose", "in_kwargs", "lines"), [(True, 0, 0), (False, 1, 1)])
def test_verbose_of_keras_fit_kwargs_goes_first(few, capfd, verbose, in_kwargs, lines):
    embedder = short(verbose=verbose, keras_fit_kwargs={"verbose": in_kwargs}, n_epochs=1)
    embedder.fit(few.train)
    captured = capfd.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == lines


def test_lines_of_other_libraries_are_written_after_the_import(run_python):
    """Another library's line on standard error, while TensorFlow is imported, is not lost."""
    code = """
import os, sys, importlib.abc

class Talks(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == "keras.src":  # asked for once; "keras" also before the import
            os.write(2, b"from the system\\n")
            print("from Python", file=sys.stderr)

sys.meta_path.insert(0, Talks())
import embedscope.core.networks._tensorflow
print("afterwards", os.environ.get("TF_CPP_MIN_LOG_LEVEL"), file=sys.stderr)
"""
    assert run_python(code).stderr == "from the system\nfrom Python\nafterwards None\n"


def test_import_works_without_a_standard_error(run_python):
    """As in a window application, which has none; a log level that the user has set stays."""
    code = """
import os, sys
os.close(2)
sys.stderr = None
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "1"
import embedscope.core.networks._tensorflow
print(os.environ["TF_CPP_MIN_LOG_LEVEL"])
"""
    assert run_python(code).stdout == "1\n"


def test_another_backend_of_keras_is_refused(run_python):
    code = """
import os
os.environ["KERAS_BACKEND"] = "numpy"
from embedscope._errors import MissingDependencyError
try:
    import embedscope.core.networks._tensorflow
except MissingDependencyError as error:
    print(error)
"""
    assert "got the backend 'numpy'" in run_python(code).stdout


# -- stopping ------------------------------------------------------------------------------------


@pytest.mark.parametrize("phase", ["graph", "layout"])
def test_stop_before_anything_was_learned(few, phase):
    embedder = short(progress=stop_when(lambda report: report.phase == phase))
    with pytest.raises(StoppedError, match="nothing to keep") as raised:
        embedder.fit(few.train)
    assert isinstance(raised.value, RuntimeError)
    assert isinstance(raised.value, EmbedscopeError)
    assert not [name for name in vars(embedder) if name.endswith("_")]
    with pytest.raises(ValueError, match="not fitted"):
        embedder.transform(few.test)


def test_stop_before_the_first_batch_keeps_an_earlier_fit(few):
    embedder = short(parametric_reconstruction=True).fit(few.train)
    before = {name: value for name, value in vars(embedder).items() if name.endswith("_")}
    places = embedder.transform(few.test)
    embedder.progress = stop_when(lambda report: report.phase == "layout")
    with pytest.raises(StoppedError):
        embedder.fit(few.train[:, :50])  # other features, too
    assert all(getattr(embedder, name) is value for name, value in before.items())
    np.testing.assert_array_equal(embedder.transform(few.test), places)
    assert embedder.inverse_transform(places).shape == (200, 64)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize(
    "batch", [0, "random", *(pytest.param(n, marks=pytest.mark.long) for n in (1, 7, 23, "late"))]
)
def test_stop_at_any_batch_leaves_a_usable_estimator(few, solver, batch):
    if batch == "late":
        hook = stop_when(lambda report: report.fraction > 0.95)
    elif batch == "random":
        drawn = np.random.default_rng().integers(20, 60)  # another one in each run of the tests
        hook = stop_when(counted(drawn))
    else:
        hook = stop_when(counted(batch))
    embedder = short(solver=solver, n_epochs=100, progress=hook, parametric_reconstruction=True)
    assert_usable(embedder.fit(few.train), few)
    assert embedder.inverse_transform(embedder.embedding_).shape == (300, 64)
    assert len(embedder.history_.get("loss", [])) < 10


def test_stopped_at_worse_than_the_best_gives_the_best(few):
    """The weights are spoiled after the fifth report, then the run is stopped."""
    kept: list[list[np.ndarray]] = []

    class KeepsAndThenSpoils(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 5:
                self.model.set_weights([50.0 * weight for weight in kept[-1]])

        def on_epoch_end(self, epoch, logs=None):
            kept.append([np.array(weight) for weight in self.model.get_weights()])

    after_five: list[Any] = []

    def is_spoiled(report: Any) -> bool:
        after_five.extend([report] if report.epoch == 5 else [])
        return len(after_five) == 2  # the fifth report itself, and the batch after it

    embedder = short(
        encoder=small_network(),
        keras_fit_kwargs={"callbacks": [KeepsAndThenSpoils()]},
        progress=stop_when(is_spoiled),
    ).fit(few.train)
    best = kept[int(np.argmin(embedder.history_["loss"]))]
    for weight, wanted in zip(embedder.encoder.get_weights(), best, strict=True):
        np.testing.assert_array_equal(weight, wanted)
    assert_usable(embedder, few)


def test_weights_that_a_callback_changed_count_with_their_own_loss(few):
    """The callback spoils the weights whenever it is called, and then the run is stopped."""
    kept: list[list[np.ndarray]] = []

    class Spoils(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            if epoch == 4:
                self.model.set_weights([50.0 * weight for weight in self.model.get_weights()])
            else:
                kept.append([np.array(weight) for weight in self.model.get_weights()])

    embedder = short(
        encoder=small_network(),
        keras_fit_kwargs={"callbacks": [Spoils()]},
        progress=stop_when(lambda report: report.epoch == 5),
    ).fit(few.train)
    best = kept[int(np.argmin(embedder.history_["loss"][:4]))]
    for weight, wanted in zip(embedder.encoder.get_weights(), best, strict=True):
        np.testing.assert_array_equal(weight, wanted)


def small_network() -> keras.Sequential:
    layers = [keras.layers.Dense(20, "relu"), keras.layers.Dense(2)]
    return keras.Sequential([keras.Input((64,)), *layers])


class OwnError(Exception):
    """An exception that is unknown to the package."""


@pytest.mark.parametrize("solver", SOLVERS)
def test_an_exception_of_the_hook_is_raised_and_the_estimator_is_usable(few, solver):
    def hook(report: Any) -> None:
        if report.epoch == 2:
            raise OwnError("from the hook")

    embedder = short(solver=solver, progress=hook)
    with pytest.raises(OwnError, match="from the hook"):
        embedder.fit(few.train)
    assert len(embedder.history_["loss"]) == 2
    assert embedder.n_features_in_ == 64
    assert_usable(embedder, few)


@pytest.mark.parametrize("phase", ["graph", "layout"])
def test_an_exception_before_anything_was_learned_is_raised_too(few, phase):
    def hook(report: Any) -> None:
        if report.phase == phase:
            raise OwnError

    embedder = short(progress=hook)
    with pytest.raises(OwnError):
        embedder.fit(few.train)
    assert not hasattr(embedder, "embedding_")


def test_an_exception_of_a_callback_is_raised_and_the_estimator_is_usable(few):
    class Raises(keras.callbacks.Callback):
        ended = False

        def on_epoch_end(self, epoch, logs=None):
            if epoch == 1:
                raise OwnError

        def on_train_end(self, logs=None):
            self.ended = True

    callback = Raises()
    embedder = short(keras_fit_kwargs={"callbacks": [callback]})
    with pytest.raises(OwnError):
        embedder.fit(few.train)
    assert callback.ended
    assert_usable(embedder, few)


INTERRUPTED = """
import signal
import numpy as np
from embedscope import ParametricUMAP

# A process that a script starts in the background ignores the signal, unless it asks for it.
signal.signal(signal.SIGINT, signal.default_int_handler)
X = np.random.default_rng(0).random((300, 20), dtype=np.float32)

def hook(report):
    if report.epoch == 1:
        print("ready", flush=True)

embedder = ParametricUMAP(encoder="reference", n_training_epochs=60, progress=hook)
try:
    embedder.fit(X)
except KeyboardInterrupt:
    assert np.isfinite(embedder.embedding_).all()
    assert np.abs(embedder.transform(X) - embedder.embedding_).max() < 1e-4
    print("usable", flush=True)
"""


def test_control_c_leaves_a_usable_estimator():
    """A real signal, at any step of the training."""
    command = [sys.executable, "-c", INTERRUPTED]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGINT)
        rest = process.stdout.read()
    assert rest.splitlines()[-1] == "usable"
    assert process.returncode == 0


# -- losses of NaN -------------------------------------------------------------------------------


def not_a_number_from(n_good_calls: int) -> Callable[[Any, Any], Any]:
    """A loss that turns to NaN after some steps, counted by TensorFlow itself."""
    import tensorflow as tf

    calls = tf.Variable(0, dtype=tf.int32)

    def loss(y_true: Any, y_pred: Any) -> Any:
        bad = tf.where(calls.assign_add(1) > n_good_calls, np.nan, 0.0)
        return keras.ops.mean(keras.ops.square(y_true - y_pred), axis=-1) + bad

    return loss


@pytest.mark.parametrize(
    ("n_good_calls", "autoencoder_loss"),  # the first call is the check before the fit
    [
        (1, False),
        (700, True),
        pytest.param(1, True, marks=pytest.mark.long),
        pytest.param(700, False, marks=pytest.mark.long),
    ],
)
def test_a_loss_of_nan_keeps_the_last_good_weights_and_warns(few, autoencoder_loss, n_good_calls):
    embedder = short(
        parametric_reconstruction=True,
        autoencoder_loss=autoencoder_loss,
        parametric_reconstruction_loss_fcn=not_a_number_from(n_good_calls),
    )
    with pytest.warns(RuntimeWarning, match="must stay finite; got .*nan") as caught:
        embedder.fit(few.train)
    assert caught[0].filename == __file__  # points at the line above
    n_reports = len(embedder.history_.get("loss", []))
    assert 0 < n_reports < 10 if n_good_calls > 1 else n_reports == 0
    assert_usable(embedder, few)
    assert np.isfinite(embedder.inverse_transform(embedder.embedding_)).all()


def test_a_rate_far_too_high_leaves_a_usable_estimator(few):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        embedder = short(optimizer=keras.optimizers.Adam(1e6)).fit(few.train)
    finite = np.isfinite(embedder.history_.get("loss", [])).all()
    assert finite
    stopped = len(embedder.history_.get("loss", [])) < 10
    assert stopped == any("must stay finite" in str(one.message) for one in caught)
    assert_usable(embedder, few)


def test_nan_after_continuing_keeps_the_earlier_map(few):
    embedder = short(parametric_reconstruction=True).fit(few.train)
    places = embedder.transform(few.test)
    embedder.set_params(parametric_reconstruction_loss_fcn=not_a_number_from(1))
    embedder.set_params(autoencoder_loss=True)
    with pytest.warns(RuntimeWarning, match="those before training"):
        embedder.update(few.train)
    np.testing.assert_allclose(embedder.transform(few.test), places, atol=1e-3)
