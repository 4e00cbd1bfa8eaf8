"""Effects of the training parameters: lengths, callbacks, optimisers, losses, targets, shapes."""

from __future__ import annotations

import itertools
from types import SimpleNamespace
from typing import Any, ClassVar

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import sparse
from scipy.spatial.distance import pdist
from sklearn.metrics import silhouette_score
from sklearn.neighbors import KNeighborsClassifier

from embedscope import ParametricUMAP
from embedscope.core.solvers import _auxiliary
from embedscope.core.solvers._map_model import MapModel
from embedscope.core.solvers._problem import TrainingLength
from embedscope.core.solvers._qualities import QUALITIES
from embedscope.core.solvers._registry import SOLVERS

# Where a fit takes long, only the long suite runs the other solvers.
SLOW_SOLVERS = [
    name if name == "auxiliary" else pytest.param(name, marks=pytest.mark.long) for name in SOLVERS
]


def short(**parameters: Any) -> ParametricUMAP:
    """An estimator that trains for a second or two."""
    standard = {"encoder": "reference", "n_epochs": 10, "batch_size": 100, "random_state": 0}
    return ParametricUMAP(**{**standard, **parameters})


def weights_of(network: keras.Model) -> list[np.ndarray]:
    return [np.array(weight) for weight in network.get_weights()]


def same(first: list[np.ndarray], second: list[np.ndarray]) -> bool:
    return all((a == b).all() for a, b in zip(first, second, strict=True))


class Witness(keras.callbacks.Callback):
    """Records all calls of a Keras callback."""

    def __init__(self) -> None:
        super().__init__()
        self.events: list[str] = []
        self.epochs: list[int] = []
        self.logs: list[dict[str, float]] = []
        self.rates: list[float] = []
        self.n_batches = 0

    def on_train_begin(self, logs=None):
        self.events.append("train begins")

    def on_epoch_begin(self, epoch, logs=None):
        self.events.append("epoch begins")

    def on_train_batch_begin(self, batch, logs=None):
        self.events.append("batch begins")

    def on_train_batch_end(self, batch, logs=None):
        self.events.append("batch ends")
        self.n_batches += 1

    def on_epoch_end(self, epoch, logs=None):
        self.events.append("epoch ends")
        self.epochs.append(epoch)
        self.logs.append(dict(logs))
        self.rates.append(float(self.model.optimizer.learning_rate))

    def on_train_end(self, logs=None):
        self.events.append("train ends")


def with_callbacks(*callbacks: keras.callbacks.Callback) -> dict[str, Any]:
    """With a few large batches, since with callbacks each batch is a separate call."""
    return {"keras_fit_kwargs": {"callbacks": list(callbacks)}, "batch_size": 300}


@pytest.fixture(scope="module")
def decoding(few) -> ParametricUMAP:
    """A map and its decoder, for tests that do not change them."""
    return short(parametric_reconstruction=True).fit(few.train)


# -- length --------------------------------------------------------------------------------------


def n_batches(few, **parameters: Any) -> int:
    witness = Witness()
    embedder = short(**parameters, **with_callbacks(witness)).fit(few.train)
    expected = embedder.n_training_epochs * embedder.loss_report_frequency
    assert len(embedder.history_["loss"]) == len(witness.epochs) == expected
    return witness.n_batches


@pytest.mark.parametrize("solver", SLOW_SOLVERS)
def test_training_is_proportional_to_the_training_epochs(few, solver):
    once = n_batches(few, solver=solver)
    assert n_batches(few, solver=solver, n_training_epochs=3) == pytest.approx(3 * once, rel=0.02)
    assert n_batches(few, solver=solver, loss_report_frequency=3) == once


@pytest.mark.parametrize("solver", SLOW_SOLVERS)
@pytest.mark.parametrize("reports", [1, 500, pytest.param(1_700, marks=pytest.mark.long)])
def test_history_has_as_many_entries_as_asked_for(few, solver, reports):
    """Even more entries than there would be batches: then there are more batches."""
    short_run = {"n_epochs": 1, "loss_report_frequency": reports, "batch_size": 300}
    X = few.train if reports == 500 else few.train[:50]  # of these it would be some 300 batches
    embedder = short(solver=solver, **short_run).fit(X)
    assert len(embedder.history_["loss"]) == reports


class Sizes(keras.layers.Layer):
    """Returns its input, and records the number of samples in each training batch."""

    seen: ClassVar[list[int]] = []

    def call(self, inputs, training=False):
        if not training:
            return inputs
        n = tf.numpy_function(self.note, [tf.shape(inputs)[0]], tf.int32)
        n.set_shape([])
        return inputs + 0.0 * tf.cast(n, tf.float32)

    def note(self, n: np.int32) -> np.int32:
        self.seen.append(int(n))
        return n


def batch_of(X: np.ndarray, **parameters: Any) -> int:
    encoder = keras.Sequential([keras.Input((64,)), Sizes(), keras.layers.Dense(2)])
    Sizes.seen.clear()
    short(encoder=encoder, **parameters, **stops_early()).fit(X)
    assert len(set(Sizes.seen)) == 1
    return Sizes.seen[0]


def test_batch_size_of_the_auxiliary_solver_is_256_or_a_quarter_of_the_samples(few, digits):
    assert batch_of(few.train, batch_size=None) == 75
    assert batch_of(digits.data, batch_size=None) == 256
    assert batch_of(few.train, batch_size=20) == 20
    assert batch_of(few.train, batch_size=10_000) == 300


def test_batch_size_of_the_edge_solver_is_1000_edges_or_the_number_of_samples(few, digits):
    """Each edge brings two samples."""
    assert batch_of(few.train, solver="edges", batch_size=None) == 2 * 300
    assert batch_of(digits.data, solver="edges", batch_size=None) == 2 * 1000
    assert batch_of(few.train, solver="edges", batch_size=20) == 2 * 20


def stops_early() -> dict[str, Any]:
    return {"progress": lambda report: report.phase == "fit" and report.fraction > 0.301}


# -- Keras callbacks -----------------------------------------------------------------------------


@pytest.mark.parametrize("solver", SOLVERS)
def test_callbacks_see_epochs_batches_and_logs(few, solver):
    witness = Witness()
    embedder = short(
        solver=solver,
        parametric_reconstruction=True,
        reconstruction_validation=few.test,
        **with_callbacks(witness),
    ).fit(few.train)
    assert witness.epochs == list(range(10))
    for name in ("loss", "reconstruction_loss", "val_reconstruction_loss"):
        assert [logs[name] for logs in witness.logs] == embedder.history_[name]
    events = witness.events
    assert events[0] == "train begins"
    assert events[-1] == "train ends"
    for before, after in itertools.pairwise(events[1:-1]):
        assert (
            after
            in {
                "epoch begins": {"batch begins"},
                "batch begins": {"batch ends"},
                "batch ends": {"batch begins", "epoch ends"},
                "epoch ends": {"epoch begins"},
            }[before]
        )


def test_one_callback_need_not_be_in_a_list(few):
    witness = Witness()
    short(keras_fit_kwargs={"callbacks": witness}, n_epochs=1, batch_size=300).fit(few.train)
    assert len(witness.epochs) == 10


def test_what_is_no_callback_is_refused(few):
    with pytest.raises(ValueError, match="must be Keras callbacks; got function"):
        short(keras_fit_kwargs={"callbacks": [lambda epoch: None]}).fit(few.train)


def test_callbacks_do_not_change_the_result(few):
    without = short(batch_size=300).fit(few.train)
    watched = short(**with_callbacks(Witness())).fit(few.train)
    np.testing.assert_array_equal(watched.embedding_, without.embedding_)


def test_a_callback_may_stop_at_an_epoch(few):
    class StopsAfterThree(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.stop_training = epoch == 2

    embedder = short(**with_callbacks(StopsAfterThree())).fit(few.train)
    assert len(embedder.history_["loss"]) == 3
    assert embedder.transform(few.test).shape == (200, 2)


def test_a_callback_may_stop_at_a_batch(few):
    class StopsAtOnce(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            self.model.stop_training = True

    witness = Witness()
    embedder = short(**with_callbacks(witness, StopsAtOnce())).fit(few.train)
    assert witness.n_batches == 1
    assert witness.events[-1] == "train ends"
    assert np.isfinite(embedder.embedding_).all()


def test_early_stopping_restores_the_best_weights(few):
    kept: list[list[np.ndarray]] = []

    class KeepsAndThenSpoils(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            # Spoilt at the start of an epoch: EarlyStopping, which is called after this callback,
            # must find at the epoch's end the weights that its loss belongs to.
            if epoch >= 4:
                self.model.set_weights([3 * weight for weight in kept[-1]])

        def on_epoch_end(self, epoch, logs=None):
            kept.append(weights_of(self.model))

    layers = [keras.layers.Dense(20, "relu"), keras.layers.Dense(2)]
    embedder = short(
        encoder=keras.Sequential([keras.Input((64,)), *layers]),
        parametric_reconstruction=True,
        **with_callbacks(
            KeepsAndThenSpoils(),
            keras.callbacks.EarlyStopping("loss", patience=3, restore_best_weights=True),
        ),
    ).fit(few.train)
    history = embedder.history_["loss"]
    assert len(history) < 10
    best = int(np.argmin(history))
    assert best < len(history) - 1
    assert same(kept[best], [*weights_of(embedder.encoder), *weights_of(embedder.decoder)])


def test_learning_rate_scheduler_takes_effect(few):
    witness = Witness()
    frozen_from_5 = keras.callbacks.LearningRateScheduler(lambda epoch: 1e-3 if epoch < 5 else 0.0)
    embedder = short(optimizer="sgd", **with_callbacks(frozen_from_5, witness)).fit(few.train)
    assert witness.rates == [pytest.approx(1e-3)] * 5 + [0.0] * 5
    history = embedder.history_["loss"]
    assert len(set(history[:5])) == 5
    assert len(set(history[4:])) == 1  # nothing moves any more


def test_learning_rate_scheduler_takes_effect_on_the_default_optimizer(few):
    witness = Witness()
    frozen = keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate if epoch < 5 else 0.0)
    embedder = short(**with_callbacks(frozen, witness)).fit(few.train)
    assert witness.rates[:5] == [witness.rates[0]] * 5  # the schedule's own factor does not show
    assert len(set(embedder.history_["loss"][4:])) == 1


def test_reduce_lr_on_plateau_takes_effect(few):
    witness = Witness()
    reduce = keras.callbacks.ReduceLROnPlateau("loss", factor=0.1, patience=1, min_delta=10.0)
    short(optimizer="adam", **with_callbacks(reduce, witness)).fit(few.train)
    assert witness.rates[0] == pytest.approx(1e-3)
    assert witness.rates[-1] <= 1.1e-3 * 0.1**4


@pytest.mark.parametrize("encoder", ["reference", "own"])
def test_model_checkpoint_writes_a_model_of_the_data(few, tmp_path, encoder):
    """The saved model takes samples, even if training uses principal components."""
    if encoder == "own":
        layers = [keras.layers.Dense(20, activation="relu"), keras.layers.Dense(2)]
        encoder = keras.Sequential([keras.Input((64,)), *layers])
    file = tmp_path / "best.keras"
    keeps_last = keras.callbacks.ModelCheckpoint(str(file), monitor="loss")
    embedder = short(
        encoder=encoder, parametric_reconstruction=True, **with_callbacks(keeps_last)
    ).fit(few.train)
    places, logits = keras.models.load_model(file, compile=False)(few.test)
    np.testing.assert_allclose(places, embedder.transform(few.test), atol=1e-3)
    np.testing.assert_allclose(logits, embedder.decoder(places), atol=1e-4)


# -- optimisers ----------------------------------------------------------------------------------


@pytest.mark.parametrize("solver", SLOW_SOLVERS)
@pytest.mark.parametrize(
    "optimizer",
    [
        "sgd",
        keras.optimizers.RMSprop(1e-3, clipnorm=1.0),
        keras.optimizers.Adam(keras.optimizers.schedules.ExponentialDecay(1e-3, 100, 0.9)),
    ],
    ids=["name", "instance", "schedule"],
)
def test_optimizer_by_name_instance_or_schedule(few, optimizer, solver):
    embedder = short(optimizer=optimizer, solver=solver).fit(few.train)
    assert embedder.history_["loss"][-1] < embedder.history_["loss"][0]


def test_optimizer_is_not_changed(few):
    optimizer = keras.optimizers.Adam(5e-4)
    config = optimizer.get_config()
    embedder = short(optimizer=optimizer, **stops_early()).fit(few.train)
    assert not optimizer.built
    assert optimizer.get_config() == config
    assert embedder.get_params()["optimizer"] is optimizer
    embedder.fit(few.train)  # and can be used again


def test_unknown_optimizer_is_refused(few):
    with pytest.raises(ValueError, match=r"optimizer must be .* got 'no_such_thing'"):
        short(optimizer="no_such_thing").fit(few.train)


def test_a_rate_that_is_zero_leaves_the_network_as_it_was(few):
    given = keras.Sequential([keras.Input((64,)), keras.layers.Dense(2)])
    embedder = short(encoder=given, optimizer=keras.optimizers.SGD(0.0)).fit(few.train)
    assert same(weights_of(embedder.encoder), weights_of(given))


# -- reconstruction ------------------------------------------------------------------------------


@pytest.mark.parametrize("solver", SOLVERS)
def test_the_encoder_minimises_the_reconstruction_only_with_autoencoder_loss(few, solver):
    """Without it, training with a decoder gives exactly the same encoder."""

    def encoder_after(**parameters: Any) -> list[np.ndarray]:
        layers = [keras.layers.Dense(30, "relu"), keras.layers.Dense(2)]
        for layer, seed in zip(layers, (1, 2), strict=True):
            layer.kernel_initializer = keras.initializers.GlorotUniform(seed)
        encoder = keras.Sequential([keras.Input((64,)), *layers])
        embedder = short(encoder=encoder, solver=solver, **parameters, **stops_early())
        return weights_of(embedder.fit(few.train).encoder)

    alone = encoder_after()
    beside_a_decoder = encoder_after(parametric_reconstruction=True)
    joint = encoder_after(parametric_reconstruction=True, autoencoder_loss=True)
    for a, b in zip(alone, beside_a_decoder, strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-6)
    assert max(np.abs(a - j).max() for a, j in zip(alone, joint, strict=True)) > 1e-4


def test_reconstruction_loss_weight_scales_what_the_decoder_learns(few):
    without = short(parametric_reconstruction=True, parametric_reconstruction_loss_weight=0.0).fit(
        few.train
    )
    curve = without.history_["reconstruction_loss"]
    assert curve[-1] > 0.65  # cross entropy of an untrained decoder: log 2 and more


def test_the_weight_scales_the_reconstruction_in_the_encoders_loss(digits):
    """A larger weight makes decoding easier, and the map less like UMAP's."""

    def final(weight: float, *, autoencoder_loss: bool = True) -> tuple[float, float]:
        embedder = ParametricUMAP(
            parametric_reconstruction=True,
            parametric_reconstruction_loss_weight=weight,
            autoencoder_loss=autoencoder_loss,
            random_state=1,
        )
        history = embedder.fit(digits.data[::2]).history_
        return history["reconstruction_loss"][-1], history["loss"][-1]

    alone, map_alone = final(100.0, autoencoder_loss=False)
    some, map_some = final(100.0)
    much, map_much = final(300.0)
    assert much < some < alone
    assert much < 0.97 * alone
    assert map_alone < map_some
    assert map_alone < map_much


def test_data_within_0_and_1_are_reconstructed_by_cross_entropy(few, decoding):
    embedder = decoding
    x = few.train.astype(np.float64)
    logits = embedder.decoder(embedder.embedding_).numpy()
    of_all = np.mean(np.logaddexp(0, logits) - x * logits)
    assert embedder.history_["reconstruction_loss"][-1] == pytest.approx(of_all, rel=0.05)
    decoded = embedder.inverse_transform(embedder.embedding_)
    np.testing.assert_allclose(decoded, 1 / (1 + np.exp(-logits)), atol=1e-5)


def test_other_data_are_reconstructed_by_squared_error_in_their_own_units(few):
    scale = np.linspace(1, 2000, 64, dtype=np.float32)
    X = few.train * scale - 300.0
    embedder = short(parametric_reconstruction=True).fit(X)
    decoded = embedder.inverse_transform(embedder.embedding_)
    deviation = X.std(axis=0)
    deviation[deviation == 0] = 1.0
    of_all = np.mean(((decoded - X) / deviation) ** 2)
    assert embedder.history_["reconstruction_loss"][-1] == pytest.approx(of_all, rel=0.05)
    assert of_all < 0.95 * np.mean(((X.mean(axis=0) - X) / deviation) ** 2)
    constant = X.std(axis=0) == 0
    np.testing.assert_allclose(decoded[:, constant], X[:, constant], atol=30.0)


@pytest.mark.parametrize(
    "last",
    [
        "sigmoid",
        "logits",
        "nested sigmoid",
        pytest.param("sigmoid then reshape", marks=pytest.mark.long),
    ],
)
def test_decoder_may_end_in_a_sigmoid_or_in_logits(few, last):
    dense = keras.layers.Dense(64, activation=None if last == "logits" else "sigmoid")
    layers: list[Any] = [keras.layers.Dense(50, "relu"), dense]
    if last == "sigmoid then reshape":
        layers.append(keras.layers.Reshape((64,)))
    decoder = keras.Sequential([keras.Input((2,)), *layers])
    if last == "nested sigmoid":
        decoder = keras.Sequential([keras.Input((2,)), decoder])
    embedder = short(parametric_reconstruction=True, decoder=decoder, n_epochs=200).fit(few.train)
    decoded = embedder.inverse_transform(embedder.embedding_)
    assert decoded.min() >= 0
    assert decoded.max() <= 1
    # Black stays black: a sigmoid applied twice could not fall below 1/2.
    assert decoded[:, few.train.max(axis=0) == 0].max() < 0.1
    assert np.mean((decoded - few.train) ** 2) < 0.9 * few.train.var(axis=0).mean()


def test_a_users_loss(few):
    def absolute(y_true, y_pred):
        return keras.ops.mean(keras.ops.abs(y_true - y_pred), axis=-1)

    embedder = short(
        parametric_reconstruction=True, parametric_reconstruction_loss_fcn=absolute
    ).fit(few.train * 3)
    decoded = embedder.inverse_transform(embedder.embedding_)
    of_all = np.abs(decoded - few.train * 3).mean()
    assert embedder.history_["reconstruction_loss"][-1] == pytest.approx(of_all, rel=0.05)


def test_validation_needs_a_network_that_can_place_it(few):
    table = short(
        parametric_embedding=False,
        parametric_reconstruction=True,
        reconstruction_validation=few.test,
    )
    with pytest.raises(ValueError, match="must come with parametric_embedding=True"):
        table.fit(few.train)


# -- the other terms -----------------------------------------------------------------------------


@pytest.mark.parametrize("solver", SLOW_SOLVERS)
def test_free_table_has_the_same_objective(few, solver):
    network = short(solver=solver, n_epochs=100).fit(few.train)
    table = short(solver=solver, n_epochs=100, parametric_embedding=False).fit(few.train)
    assert table.embedding_.shape == (300, 2)
    for embedder in (network, table):
        assert np.isfinite(embedder.embedding_).all()
    # A free table is at least as free as a network, of which it is the limit.
    assert table.history_["loss"][-1] < network.history_["loss"][-1] + 0.02


def test_free_table_with_a_decoder(few):
    embedder = short(parametric_embedding=False, parametric_reconstruction=True).fit(few.train)
    assert embedder.inverse_transform(embedder.embedding_).shape == (300, 64)


def distance_correlation(X: np.ndarray, places: np.ndarray) -> float:
    return float(np.corrcoef(pdist(X), pdist(places))[0, 1])


@pytest.mark.parametrize("solver", SLOW_SOLVERS)
def test_global_correlation_is_finite_on_the_digits_and_raises_the_correlation(digits, solver):
    def fitted(weight: float) -> np.ndarray:
        embedder = short(
            solver=solver, global_correlation_loss_weight=weight, batch_size=None, n_epochs=20
        )
        return embedder.fit_transform(digits.data[::2])

    with_it = fitted(0.5)
    assert np.isfinite(with_it).all()
    X = digits.data[::2]
    assert distance_correlation(X, fitted(10.0)) > distance_correlation(X, fitted(0.0)) + 0.03


def test_global_correlation_of_a_free_table_is_of_the_data(few):
    """It is not computed from the row numbers that such an encoder takes."""
    free = short(parametric_embedding=False).fit_transform(few.train)
    held = short(parametric_embedding=False, global_correlation_loss_weight=50.0)
    places = held.fit_transform(few.train)
    assert distance_correlation(few.train, places) > distance_correlation(few.train, free)


def log_radius(X: np.ndarray, graph: sparse.csr_matrix) -> np.ndarray:
    """Log of the mean distance to the neighbours in the graph, a sample's own scale."""
    edges = graph.tocoo()
    lengths = np.linalg.norm(X[edges.row] - X[edges.col], axis=1)
    total = np.bincount(edges.row, edges.data, len(X))
    return np.log(np.bincount(edges.row, edges.data * lengths, len(X)) / total)


@pytest.mark.parametrize("solver", SLOW_SOLVERS)
def test_densmap_keeps_dense_regions_dense(solver, rng):
    dense = rng.normal(0, 0.2, (120, 5))
    wide = rng.normal(0, 3.0, (120, 5)) + 20
    X = np.vstack([dense, wide]).astype(np.float32)

    def correlation(*, densmap: bool) -> float:
        embedder = ParametricUMAP(densmap=densmap, random_state=0, solver=solver, n_epochs=100)
        places = embedder.fit_transform(X)
        radii = log_radius(X, embedder.graph_), log_radius(places, embedder.graph_)
        return float(np.corrcoef(*radii)[0, 1])

    assert correlation(densmap=True) > correlation(densmap=False) + 0.1


def test_densmap_acts_in_a_short_run_by_edges(few):
    """Its last 30 % are fewer steps than are sampled at once."""

    def embedding(*, densmap: bool) -> np.ndarray:
        embedder = ParametricUMAP(densmap=densmap, random_state=0, solver="edges", n_epochs=3)
        return embedder.fit_transform(few.train[:200])

    assert not np.array_equal(embedding(densmap=True), embedding(densmap=False))


def counts(rng: np.random.Generator) -> np.ndarray:
    """Counts of 120 kinds in 250 samples of three classes, such as words or genes."""
    shares = rng.dirichlet(np.full(120, 0.05), 3)
    return rng.poisson(40 * shares[rng.integers(0, 3, 250)]).astype(np.float32)


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_densmap_leaves_identical_samples_together(rng, metric):
    """Even if all others are equally far from them, as rows of zeros are by cosine."""
    X = counts(rng)
    X[:12] = 0.0
    embedder = ParametricUMAP(
        metric=metric, densmap=True, parametric_embedding=False, random_state=0
    )
    places = embedder.fit_transform(X)
    assert places[:12].std(axis=0).max() < 0.2 * places[12:].std(axis=0).max()


def test_densmap_by_edges_keeps_the_size_of_the_map(rng):
    embedder = ParametricUMAP(
        metric="cosine",
        densmap=True,
        solver="edges",
        encoder="reference",
        n_epochs=100,
        random_state=0,
    )
    assert embedder.fit_transform(counts(rng)).std(axis=0).max() < 20.0


# -- layers that behave differently in training --------------------------------------------------


@pytest.mark.parametrize("solver", SOLVERS)
def test_batch_normalization_and_dropout_train_and_then_infer(few, solver):
    encoder = keras.Sequential(
        [
            keras.Input((64,)),
            keras.layers.Dense(50, "relu"),
            keras.layers.BatchNormalization(name="normalization"),
            keras.layers.Dropout(0.2),
            keras.layers.Dense(2),
        ]
    )
    embedder = short(encoder=encoder, solver=solver).fit(few.train)
    trained = embedder.encoder.get_layer("normalization")
    assert np.abs(trained.get_weights()[2]).max() > 0.01  # the moving mean: 0 before training
    first, second = embedder.transform(few.test), embedder.transform(few.test)
    np.testing.assert_array_equal(first, second)  # no dropout any more
    np.testing.assert_allclose(first[:7], embedder.transform(few.test[:7]), atol=1e-5)
    assert (encoder.get_layer("normalization").get_weights()[2] == 0).all()


def test_dropout_is_at_work_in_training(few):
    def fitted(rate: float) -> list[np.ndarray]:
        layers = [keras.layers.Dense(50, "relu"), keras.layers.Dropout(rate), keras.layers.Dense(2)]
        encoder = keras.Sequential([keras.Input((64,)), *layers])
        encoder.set_weights([np.full(w.shape, 0.01, np.float32) for w in encoder.get_weights()])
        embedder = short(encoder=encoder, **stops_early()).fit(few.train)
        return weights_of(embedder.encoder)

    assert not same(fitted(0.0), fitted(0.5))


# -- targets -------------------------------------------------------------------------------------


def separation(places: np.ndarray, labels: np.ndarray) -> float:
    return float(KNeighborsClassifier(5).fit(places, labels).score(places, labels))


def test_labels_pull_the_classes_apart(few):
    plain = short(n_epochs=100).fit_transform(few.train)
    supervised = short(n_epochs=100, target_weight=0.9).fit_transform(few.train, few.labels)
    assert separation(supervised, few.labels) > max(0.95, separation(plain, few.labels))


def test_labels_of_half_the_samples_part_these_and_leave_the_others_open(few):
    some = np.where(np.arange(300) % 2 == 0, few.labels, -1)
    supervised = short(n_epochs=100, target_weight=0.9)
    everyone = silhouette_score(supervised.fit_transform(few.train, few.labels), few.labels)
    plain = supervised.fit(few.train).graph_.tocoo()
    half = silhouette_score(supervised.fit_transform(few.train, some), few.labels)
    known, first, second = supervised.graph_.tocsr(), some[plain.row], some[plain.col]
    kept = np.asarray(known[plain.row, plain.col]).ravel()
    both = (first >= 0) & (second >= 0)
    assert kept[both & (first != second)].max() < 1e-6
    assert kept[both & (first == second)].min() > 0
    assert kept[~both].min() > 0
    assert half < everyone - 0.05  # .61 to .68 against .82 to .86


def test_numeric_targets_order_the_map(rng):
    X = rng.normal(size=(200, 8)).astype(np.float32)  # says nothing about the target
    target = rng.random(200).astype(np.float32)

    def neighbours_differ(places: np.ndarray) -> float:
        nearest = KNeighborsClassifier(6).fit(places, np.zeros(200)).kneighbors(places)[1][:, 1:]
        return float(np.abs(target[nearest] - target[:, None]).mean())

    plain = short(n_epochs=100).fit_transform(X)
    ordered = short(n_epochs=100, target_metric="euclidean", target_weight=0.9)
    assert neighbours_differ(ordered.fit_transform(X, target)) < 0.7 * neighbours_differ(plain)


# -- duplicates, dimensions, starts --------------------------------------------------------------


def test_unique_trains_on_distinct_rows(few):
    X = np.repeat(few.train[:100], 3, axis=0)
    embedder = short(unique=True).fit(X, np.repeat(few.labels[:100], 3))
    assert embedder.embedding_.shape == (300, 2)
    assert embedder.graph_.shape == (100, 100)
    np.testing.assert_array_equal(embedder.embedding_[0::3], embedder.embedding_[2::3])
    once = short().fit(few.train[:100], few.labels[:100])
    np.testing.assert_allclose(embedder.embedding_[0::3], once.embedding_, atol=1e-5)


def test_unique_leaves_distinct_rows_as_they_are(few):
    start = few.train[:, 20:22]
    parameters = {"init": start, "n_epochs": 5}
    plain, unique = short(**parameters).fit(few.train), short(**parameters, unique=True)
    np.testing.assert_array_equal(unique.fit_transform(few.train), plain.embedding_)


@pytest.mark.parametrize("n_components", [1, 3, pytest.param(5, marks=pytest.mark.long)])
def test_maps_of_any_dimension(few, n_components):
    embedder = short(n_components=n_components, parametric_reconstruction=True, n_epochs=50)
    places = embedder.fit_transform(few.train)
    assert places.shape == (300, n_components)
    assert (places.std(axis=0) > 0.1).all()
    assert embedder.inverse_transform(places).shape == (300, 64)
    assert list(embedder.get_feature_names_out()) == [
        f"parametricumap{axis}" for axis in range(n_components)
    ]


def test_init_is_where_the_map_begins(few):
    """One pass at a tiny rate does not move the layout, and the network learns it."""
    start = np.stack([few.labels, np.arange(300) / 50], axis=1).astype(np.float32)
    still = {"n_epochs": 1, "learning_rate": 1e-6, "parametric_embedding": False}
    reports = []
    embedder = short(
        init=start,
        **still,
        progress=lambda report: reports.append(
            report.embedding() if report.phase == "layout" else None
        ),
    )
    embedder.fit(few.train)
    first = next(places for places in reports if places is not None)
    np.testing.assert_allclose(first, start, atol=1e-2)


@pytest.mark.parametrize("init", ["spectral", "pca", "random"])
def test_named_starts(few, init):
    places = short(init=init, n_epochs=100).fit_transform(few.train)
    assert separation(places, few.labels) > 0.6


# -- shapes and kinds of X -----------------------------------------------------------------------


def test_sparse_samples(few, decoding):
    X = sparse.csr_matrix(few.train)
    embedder = short(parametric_reconstruction=True).fit(X)
    np.testing.assert_array_equal(embedder.embedding_, decoding.embedding_)  # the same numbers
    places = embedder.transform(X[:10])
    np.testing.assert_allclose(places, embedder.transform(few.train[:10]), atol=1e-4)
    assert embedder.inverse_transform(places).shape == (10, 64)
    assert embedder.history_["loss"][-1] == pytest.approx(decoding.history_["loss"][-1], abs=0.02)


@pytest.mark.parametrize(
    "shape", [(8, 8), pytest.param((8, 8, 1), marks=pytest.mark.long), (4, 4, 2, 2)]
)
def test_image_shaped_samples_with_the_default_networks(few, decoding, shape):
    X = few.train.reshape(-1, *shape)
    embedder = short(parametric_reconstruction=True).fit(X)
    np.testing.assert_allclose(embedder.embedding_, decoding.embedding_, atol=1e-4)
    assert embedder.inverse_transform(embedder.embedding_[:5]).shape == (5, *shape)
    np.testing.assert_allclose(
        embedder.transform(few.test), embedder.transform(few.test.reshape(-1, *shape)), atol=1e-6
    )


def test_inverse_transform_gives_the_shape_of_fit(few):
    encoder = keras.Sequential(
        [keras.Input((8, 8, 1)), keras.layers.Flatten(), keras.layers.Dense(2)]
    )
    flat = short(encoder=encoder, dims=(8, 8, 1), parametric_reconstruction=True, **stops_early())
    assert flat.fit(few.train).inverse_transform([[0, 0]]).shape == (1, 64)
    shaped = short(encoder=encoder, parametric_reconstruction=True, **stops_early())
    shaped.fit(few.train.reshape(-1, 8, 8, 1))
    assert shaped.inverse_transform([[0, 0]]).shape == (1, 8, 8, 1)


def test_short_passes_share_a_call(few, monkeypatch):
    """A call of TensorFlow takes as long to start as a short pass takes to run."""
    calls = []
    fit_steps = MapModel.fit_steps

    def counted(self, index, *others):
        calls.append(index.shape)
        fit_steps(self, index, *others)

    monkeypatch.setattr(MapModel, "fit_steps", counted)
    short(random_state=3).fit(few.train[:40])
    n_steps, batch_size = sum(shape[0] for shape in calls), calls[0][1]
    assert len(calls) < n_steps * batch_size / 40 / 5  # passes


def test_each_pass_has_all_samples_in_another_order():
    batches = _auxiliary._batches(np.random.default_rng(0), 10, 5)
    passes = [np.concatenate([next(batches), next(batches)]) for _ in range(3)]
    for each in passes:
        assert sorted(each) == list(range(10))
    assert not np.array_equal(passes[0], passes[1])


@pytest.mark.parametrize("quality", list(QUALITIES))
@pytest.mark.parametrize("n_samples", [5, 300, 20_000, 300_000])
def test_the_fits_of_a_schedule_add_up_to_its_steps(quality, n_samples):
    effort = QUALITIES[quality].effort
    graph = sparse.csr_matrix((n_samples, n_samples), dtype=np.float32)
    problem = SimpleNamespace(graph=graph, length=TrainingLength(effort=effort))
    schedule = _auxiliary.choose_schedule(problem)
    assert sum(schedule.fits) == schedule.n_steps
    assert len(schedule.fits) == 1 + schedule.n_rounds
    assert min(schedule.fits) >= 1
    standard = _auxiliary.choose_schedule(SimpleNamespace(graph=graph, length=TrainingLength()))
    assert schedule.n_steps == pytest.approx(effort * standard.n_steps, rel=0.01)
    assert schedule.n_steps * schedule.batch_size >= 15.9 * effort * n_samples
