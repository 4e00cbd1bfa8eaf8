"""Every line of umap-learn's pages on Parametric UMAP, with only the import changed.

The pages are doc/parametric_umap.rst and doc/transform_landmarked_pumap.rst of umap-learn; their
MNIST is replaced by scikit-learn's digits of 8 x 8 pixels.
"""

from __future__ import annotations

from typing import NamedTuple

import keras
import matplotlib.pyplot as plt
import numpy as np
import pytest
import tensorflow as tf
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier

from embedscope import ParametricUMAP, load_ParametricUMAP
from embedscope.core.solvers._registry import SOLVERS

dims = (8, 8, 1)
n_components = 2


class Images(NamedTuple):
    train_images: np.ndarray
    Y_train: np.ndarray
    test_images: np.ndarray
    Y_test: np.ndarray


@pytest.fixture(scope="module")
def images(digits) -> Images:
    """As on the page: flattened to vectors, divided by the largest value."""
    return Images(
        digits.data[:400].astype(np.float64),
        digits.labels[:400],
        digits.data[400:600].astype(np.float64),
        digits.labels[400:600],
    )


def make_encoder() -> keras.Model:
    """The page's network; the strides take 8 x 8 pixels to 2 x 2, as they take 28 x 28 to 7 x 7."""
    with pytest.warns(UserWarning, match="`input_shape` is deprecated"):  # the page's own spelling
        first = tf.keras.layers.InputLayer(input_shape=dims)
    return tf.keras.Sequential(
        [
            first,
            tf.keras.layers.Conv2D(
                filters=32, kernel_size=3, strides=(2, 2), activation="relu", padding="same"
            ),
            tf.keras.layers.Conv2D(
                filters=64, kernel_size=3, strides=(2, 2), activation="relu", padding="same"
            ),
            tf.keras.layers.Flatten(),
            tf.keras.layers.Dense(units=256, activation="relu"),
            tf.keras.layers.Dense(units=256, activation="relu"),
            tf.keras.layers.Dense(units=n_components),
        ]
    )


def make_decoder(*last_layers: keras.layers.Layer) -> keras.Model:
    """The page's decoder with fewer channels; it ends with several, and so needs one more layer."""
    return tf.keras.Sequential(
        [
            tf.keras.layers.InputLayer(shape=(n_components,)),
            tf.keras.layers.Dense(units=256, activation="relu"),
            tf.keras.layers.Dense(units=2 * 2 * 64, activation="relu"),
            tf.keras.layers.Reshape(target_shape=(2, 2, 64)),
            tf.keras.layers.UpSampling2D(2),
            tf.keras.layers.Conv2D(filters=32, kernel_size=3, padding="same", activation="relu"),
            tf.keras.layers.UpSampling2D(2),
            tf.keras.layers.Conv2D(filters=16, kernel_size=3, padding="same", activation="relu"),
            *last_layers,
        ]
    )


def accuracy(places, labels, other_places, other_labels) -> float:
    """Accuracy of classification by neighbours on the map; ten classes, so chance is 0.1."""
    return KNeighborsClassifier(15).fit(places, labels).score(other_places, other_labels)


# -- the first page: "The most basic usage" ------------------------------------------------------


@pytest.fixture(scope="module")
def basic(images):
    embedder = ParametricUMAP()
    embedding = embedder.fit_transform(images.train_images)
    return embedder, embedding


def test_the_most_basic_usage(basic, images):
    embedder, embedding = basic
    assert embedding.shape == (400, 2)
    assert embedding.dtype == np.float32
    np.testing.assert_array_equal(embedding, embedder.embedding_)
    placed = embedder.transform(images.test_images)
    assert accuracy(embedding, images.Y_train, placed, images.Y_test) > 0.6


def test_the_map_is_what_the_network_gives(basic, images):
    embedder, embedding = basic
    np.testing.assert_allclose(embedder.transform(images.train_images), embedding, atol=1e-5)
    np.testing.assert_allclose(embedder.encoder(images.train_images), embedding, atol=1e-4)


def test_reference_is_the_documented_3_layer_100_neuron_network(few):
    embedder = ParametricUMAP(encoder="reference", n_epochs=5).fit(few.train)
    dense = [layer for layer in embedder.encoder.layers if isinstance(layer, keras.layers.Dense)]
    assert [(layer.units, layer.activation.__name__) for layer in dense] == [
        (100, "relu"),
        (100, "relu"),
        (100, "relu"),
        (2, "linear"),
    ]


# -- "Defining your own network" to "Autoencoding UMAP" ------------------------------------------


@pytest.fixture(scope="module")
def networks():
    return make_encoder(), make_decoder(keras.layers.Conv2D(1, 3, padding="same"))


@pytest.fixture(scope="module")
def convolutional(networks, images):
    """`verbose=True` is tested in test_progress."""
    encoder, decoder = networks
    validation_images = images.test_images.reshape((images.test_images.shape[0], -1))
    embedder = ParametricUMAP(
        encoder=encoder,
        decoder=decoder,
        dims=dims,
        parametric_reconstruction=True,
        reconstruction_validation=validation_images,
        batch_size=64,
    )
    embedding = embedder.fit_transform(images.train_images)
    return embedder, embedding


def test_encoder_summary(networks, capsys):
    encoder, _ = networks
    encoder.summary()
    assert "conv2d" in capsys.readouterr().out


def test_convolutional_encoder_on_flattened_data(convolutional, images):
    embedder, embedding = convolutional
    assert embedding.shape == (400, 2)
    placed = embedder.transform(images.test_images)
    assert accuracy(embedding, images.Y_train, placed, images.Y_test) > 0.6


def test_flattened_and_image_shaped_samples_are_the_same(convolutional, images):
    embedder, _ = convolutional
    shaped = images.test_images.reshape(-1, *dims)
    np.testing.assert_array_equal(
        embedder.transform(shaped), embedder.transform(images.test_images)
    )


def test_the_networks_given_are_not_trained_themselves(networks, convolutional):
    embedder, _ = convolutional
    for given, trained in zip(networks, (embedder.encoder, embedder.decoder), strict=True):
        assert given is not trained
        before, after = given.get_weights(), trained.get_weights()
        assert [w.shape for w in before] == [w.shape for w in after]
        assert any((b != a).any() for b, a in zip(before, after, strict=True))
    assert embedder.get_params()["encoder"] is networks[0]


def test_inverse_transform_of_a_custom_decoder(convolutional, images):
    embedder, _ = convolutional
    reconstructed = embedder.inverse_transform(embedder.transform(images.test_images))
    assert reconstructed.shape == images.test_images.shape  # flat, as fit was given them
    assert reconstructed.min() >= 0
    assert reconstructed.max() <= 1
    error = np.mean((reconstructed - images.test_images) ** 2)
    of_the_mean = np.mean((images.train_images.mean(axis=0) - images.test_images) ** 2)
    assert error < 0.9 * of_the_mean


def test_reconstruction_validation_has_a_curve_of_its_own(convolutional, images):
    embedder, _ = convolutional
    history = embedder._history
    assert {name: len(curve) for name, curve in history.items()} == {
        "loss": 10,
        "reconstruction_loss": 10,
        "val_reconstruction_loss": 10,
    }
    x = images.test_images
    logits = embedder.decoder(embedder.transform(x)).numpy().reshape(x.shape)
    cross_entropy = np.mean(np.logaddexp(0, logits) - x * logits)
    assert history["val_reconstruction_loss"][-1] == pytest.approx(cross_entropy, rel=1e-3)
    assert history["val_reconstruction_loss"][-1] > history["reconstruction_loss"][-1]


def test_the_pages_decoder_as_printed_is_refused_with_both_shapes(images):
    embedder = ParametricUMAP(
        encoder=make_encoder(), decoder=make_decoder(), dims=dims, parametric_reconstruction=True
    )
    with pytest.raises(ValueError, match=r"shape \(8, 8, 1\).* shape \(8, 8, 16\)"):
        embedder.fit(images.train_images)


def test_autoencoding_umap(networks, images):
    encoder, decoder = networks
    embedder = ParametricUMAP(
        encoder=encoder,
        decoder=decoder,
        dims=dims,
        parametric_reconstruction=True,
        reconstruction_validation=images.test_images,
        autoencoder_loss=True,
        batch_size=100,
    )
    embedding = embedder.fit_transform(images.train_images)
    placed = embedder.transform(images.test_images)
    assert accuracy(embedding, images.Y_train, placed, images.Y_test) > 0.6
    assert embedder._history["val_reconstruction_loss"][-1] < 0.45  # cross entropy; 0.53 untrained


# -- "Saving and loading your model" -------------------------------------------------------------


def test_save_and_load_elsewhere(convolutional, images, tmp_path, run_python):
    embedder, _ = convolutional
    embedder.save(tmp_path / "model")
    np.save(tmp_path / "images.npy", images.test_images)
    run_python(
        """
import sys
import numpy as np
from embedscope import load_ParametricUMAP
folder = sys.argv[1]
embedder = load_ParametricUMAP(folder + "/model")
np.save(folder + "/placed.npy", embedder.transform(np.load(folder + "/images.npy")))
np.save(folder + "/decoded.npy", embedder.inverse_transform(embedder.embedding_[:5]))
        """,
        tmp_path,
    )
    placed = np.load(tmp_path / "placed.npy")
    np.testing.assert_array_equal(placed, embedder.transform(images.test_images))
    decoded = np.load(tmp_path / "decoded.npy")
    np.testing.assert_array_equal(decoded, embedder.inverse_transform(embedder.embedding_[:5]))


def test_load_gives_the_object_and_its_networks(convolutional, tmp_path):
    embedder, embedding = convolutional
    embedder.save(str(tmp_path / "model"))
    loaded = load_ParametricUMAP(str(tmp_path / "model"))
    np.testing.assert_array_equal(loaded.embedding_, embedding)
    assert (loaded.graph_ != embedder.graph_).nnz == 0
    assert loaded._history == embedder._history
    assert loaded.encoder.count_params() == embedder.encoder.count_params()
    assert loaded.decoder.count_params() == embedder.decoder.count_params()


# -- "Plotting loss" -----------------------------------------------------------------------------


def test_plotting_loss_by_hand(basic, capsys):
    embedder, _ = basic
    print(embedder._history)  # noqa: T201 - the page does
    assert "'loss'" in capsys.readouterr().out
    fig, ax = plt.subplots()
    (line,) = ax.plot(embedder._history["loss"])
    ax.set_ylabel("Cross Entropy")
    ax.set_xlabel("Epoch")
    assert len(line.get_ydata()) == 10
    assert line.get_ydata()[-1] < line.get_ydata()[0]
    assert embedder.history_ is embedder._history
    plt.close(fig)


def test_plot_loss(convolutional):
    embedder, _ = convolutional
    ax = embedder.plot_loss()
    curves = {line.get_label(): list(line.get_ydata()) for line in ax.get_lines()}
    assert list(curves.values()) == list(embedder.history_.values())
    plt.close(ax.figure)


# -- "Parametric inverse_transform (reconstruction)" ---------------------------------------------


@pytest.fixture(scope="module")
def with_default_decoder(images):
    return ParametricUMAP(parametric_reconstruction=True, random_state=3).fit(images.train_images)


def test_default_decoder(with_default_decoder, images):
    embedder = with_default_decoder
    reconstructed = embedder.inverse_transform(embedder.embedding_)
    assert reconstructed.shape == images.train_images.shape
    error = np.mean((reconstructed - images.train_images) ** 2)
    assert error < 0.7 * images.train_images.var(axis=0).mean()


# -- "Early stopping and Keras callbacks" --------------------------------------------------------


def test_early_stopping_ends_before_20_epochs(images, capsys):
    keras_fit_kwargs = {
        "callbacks": [
            tf.keras.callbacks.EarlyStopping(
                monitor="loss",
                min_delta=10**-2,
                patience=10,
                verbose=1,
            )
        ]
    }
    embedder = ParametricUMAP(keras_fit_kwargs=keras_fit_kwargs, n_training_epochs=20)
    embedder.fit(images.train_images)
    assert 11 <= len(embedder._history["loss"]) < 200
    assert "early stopping" in capsys.readouterr().out  # its verbose=1
    last = embedder._history["loss"][-10:]
    assert min(last) > min(embedder._history["loss"][:-10]) - 10**-2  # a plateau, as asked


# -- "Additional important parameters" -----------------------------------------------------------


@pytest.mark.parametrize("solver", SOLVERS)
def test_additional_parameters_are_constructor_parameters(few, solver):
    embedder = ParametricUMAP(
        batch_size=100,
        loss_report_frequency=3,
        n_training_epochs=2,
        optimizer=tf.keras.optimizers.Adam(1e-3),
        encoder="reference",
        n_epochs=10,
        solver=solver,
    )
    embedder.fit(few.train)
    assert len(embedder._history["loss"]) == 6
    assert embedder.embedding_.shape == (300, 2)


def test_parametric_embedding_false_learns_no_network(few):
    embedder = ParametricUMAP(parametric_embedding=False, random_state=0)
    embedding = embedder.fit_transform(few.train)
    assert accuracy(embedding, few.labels, embedding, few.labels) > 0.85
    with pytest.raises(ValueError, match="parametric_embedding must be True for transform"):
        embedder.transform(few.test)


# -- the second page: "Transforming New Data with Parametric UMAP" -------------------------------


class Halves(NamedTuple):
    x1: np.ndarray
    y1: np.ndarray
    x2: np.ndarray
    y2: np.ndarray


N = 2  # the digit that the first half lacks


@pytest.fixture(scope="module")
def halves(digits) -> Halves:
    """As on the page: whole numbers, not scaled."""
    X, y = np.round(digits.data * 16).astype(np.uint8), digits.labels
    x1, x2, y1, y2 = train_test_split(X, y, test_size=0.5, random_state=42)
    x1 = x1[y1 != N]
    y1 = y1[y1 != N]
    return Halves(x1, y1, x2, y2)


class Retrained(NamedTuple):
    embedder: ParametricUMAP
    before_x1: np.ndarray
    before_x2: np.ndarray
    history_before: list[float]
    n_landmarks: int


@pytest.fixture(scope="module")
def retrained(halves) -> Retrained:
    x1, _, x2, _ = halves
    rng = np.random.default_rng(0)
    p_embedder = ParametricUMAP(random_state=0)
    p_emb_x1 = p_embedder.fit_transform(x1)
    p_emb_x2 = p_embedder.transform(x2)
    history = list(p_embedder._history["loss"])
    # The page takes one in a hundred of 26,995; of 800 it must be more to span the map.
    landmark_idx = list(rng.choice(range(x1.shape[0]), int(x1.shape[0] / 10), replace=False))
    x2_lmk = np.concatenate((x2, x1[landmark_idx]))
    landmarks = np.stack(
        [np.array([np.nan, np.nan])] * x2.shape[0] + list(p_embedder.transform(x1[landmark_idx]))
    )
    p_embedder.landmark_loss_weight = 0.01
    p_embedder.fit(x2_lmk, landmark_positions=landmarks)
    return Retrained(p_embedder, p_emb_x1, p_emb_x2, history, len(landmark_idx))


def extent(places: np.ndarray) -> float:
    """Length of the diagonal of the box around all points but the outermost in a hundred."""
    return float(np.linalg.norm(np.ptp(np.quantile(places, [0.01, 0.99], axis=0), axis=0)))


def test_retraining_keeps_the_space_consistent(retrained, halves):
    after = retrained.embedder.transform(halves.x1)
    moved = np.linalg.norm(after - retrained.before_x1, axis=1)
    assert np.median(moved) < 0.1 * extent(retrained.before_x1)


def test_retraining_gives_the_new_class_a_region_of_its_own(retrained, halves):
    def neighbours_of_their_kind(places: np.ndarray) -> float:
        nearest = KNeighborsClassifier(16).fit(places, halves.y2).kneighbors(places)[1][:, 1:]
        return float((halves.y2[nearest] == N)[halves.y2 == N].mean())

    before = neighbours_of_their_kind(retrained.before_x2)
    after = neighbours_of_their_kind(retrained.embedder.transform(halves.x2))
    assert after > max(0.85, before)


def test_retraining_goes_on_with_the_history(retrained):
    history = retrained.embedder._history["loss"]
    assert history[:10] == retrained.history_before
    assert len(history) == 20
    assert history[-1] < 1.25 * retrained.history_before[-1]  # "comparable to the initial loss"


def test_landmark_loss_fn_may_let_the_rubber_band_snap(halves):
    """The page's second suggestion: a Euclidean loss that is cut off."""

    def truncated(wanted, positions):
        distance = keras.ops.sqrt(keras.ops.sum((wanted - positions) ** 2, axis=1) + 1e-9)
        return keras.ops.minimum(distance, 1.0)

    X = halves.x1[:200]
    embedder = ParametricUMAP(encoder="reference", n_epochs=20, random_state=0)
    embedder.set_params(landmark_loss_fn=truncated, landmark_loss_weight=1.0)
    places = np.full((200, 2), np.nan)
    places[:50] = [3.0, -4.0]
    embedder.fit(X, landmark_positions=places)
    assert np.isfinite(embedder.embedding_).all()
    held = np.linalg.norm(embedder.embedding_[:50] - [3.0, -4.0], axis=1)
    assert np.median(held) < 1.0
