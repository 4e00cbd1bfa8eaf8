"""Which networks, neighbours and targets follow from parameters and samples."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from embedscope._errors import InvalidInputError
from embedscope.samples import samples_from_array
from embedscope.training import TrainingParameters, make_estimator
from embedscope.training._target import read_target


def test_a_table_gets_dense_networks(table):
    estimator, fit_kwargs = make_estimator(TrainingParameters(), table)
    assert estimator.encoder is None
    assert estimator.decoder is None
    assert estimator.parametric_reconstruction
    assert estimator.precomputed_knn is None
    assert set(fit_kwargs) == {"X"}
    np.testing.assert_array_equal(fit_kwargs["X"], table.X)


def test_pictures_get_a_convolution_and_neighbours(pictures):
    estimator, _ = make_estimator(TrainingParameters(n_neighbors=7), pictures)
    assert estimator.encoder.name == "picture_encoder"
    assert estimator.decoder is None
    indices, distances = estimator.precomputed_knn
    assert indices.shape == distances.shape == (150, 7)


def test_volumes_get_a_convolution(rng):
    volumes = samples_from_array(rng.random((40, 4, 6, 6, 1)).astype(np.float32))
    estimator, _ = make_estimator(TrainingParameters(), volumes)
    assert estimator.encoder.input_shape == (None, 4, 6, 6, 1)


@pytest.mark.parametrize("shape", [(9, 6, 6, 1), (9, 5)], ids=["pictures", "table"])
def test_few_samples_have_as_many_neighbours_as_there_are_others(rng, shape):
    samples = samples_from_array(rng.random(shape).astype(np.float32))
    with pytest.warns(UserWarning, match="15 for 9 samples, so 8 are taken"):
        estimator, fit_kwargs = make_estimator(TrainingParameters(), samples)
    assert estimator.n_neighbors == 8
    assert estimator.set_params(n_epochs=1).fit(**fit_kwargs).embedding_.shape == (9, 2)


@pytest.mark.parametrize(
    ("shape", "wanted", "n_style"),
    [
        ((200, 8, 8, 1), 32, 32),
        ((200, 8, 8, 1), 0, 0),
        ((200, 8, 8, 1), 100, 50),  # four samples for each number
        ((40, 8, 8, 1), 32, 10),
        ((200, 12), 32, 10),  # two of the twelve values are the point
        ((200, 2), 32, 0),
        ((200, 1), 32, 0),
    ],
)
def test_a_style_code_is_no_longer_than_samples_and_values_allow(rng, shape, wanted, n_style):
    samples = samples_from_array(rng.random(shape).astype(np.float32))
    estimator, _ = make_estimator(TrainingParameters(n_style_components=wanted), samples)
    assert estimator.n_style_components == n_style
    assert estimator.validation_fraction == 0.1


def test_parameters_with_a_name_of_the_estimator_are_passed_on(table):
    chosen = TrainingParameters(
        n_neighbors=9,
        min_dist=0.2,
        quality="fast",
        n_training_epochs=2,
        random_state=5,
        metric="cosine",
        spread=2.0,
        repulsion_strength=0.5,
        negative_sample_rate=3,
        init="pca",
        densmap=True,
        autoencoder_loss=True,
        reconstruction_weight=2.5,
    )
    estimator, _ = make_estimator(chosen, table)
    given = chosen.to_dict()
    named = set(given) & set(estimator.get_params())
    assert len(named) >= 12
    for name in named - {"encoder", "n_style_components", "target_weight"}:
        assert getattr(estimator, name) == given[name], name
    assert estimator.parametric_reconstruction_loss_weight == 2.5


def test_no_decoder_without_reconstruction(pictures):
    estimator, _ = make_estimator(TrainingParameters(reconstruction=False), pictures)
    assert estimator.decoder is None
    assert not estimator.parametric_reconstruction
    assert estimator.keras_fit_kwargs is None


def test_dense_networks_for_pictures_on_request(pictures):
    chosen = TrainingParameters(encoder="dense")
    estimator, _ = make_estimator(chosen, pictures)
    assert estimator.encoder is None
    assert estimator.dims == (8, 8, 1)


def test_a_network_for_pictures_is_refused_for_tables(table):
    with pytest.raises(InvalidInputError, match="encoder must be 'automatic'"):
        make_estimator(TrainingParameters(encoder="convolutional"), table)


def test_preparation_can_be_stopped(pictures):
    class Stop(Exception):
        pass

    def report(fraction: float) -> None:
        raise Stop

    with pytest.raises(Stop):
        make_estimator(TrainingParameters(), pictures, report=report)


class Columns:
    """Samples with features of every kind."""

    def __init__(self, values: object) -> None:
        self._values = values

    def column(self, name: str) -> object:
        return self._values


@pytest.mark.parametrize(
    ("values", "y", "metric"),
    [
        (["b", "a", "b"], [0, 1, 0], "categorical"),
        ([True, False, True], [0, 1, 0], "categorical"),
        ([7, 9, 7], [0, 1, 0], "categorical"),
        (pd.Categorical(["b", None, "a"]), [0, -1, 1], "categorical"),
        (["b", None, "a"], [0, -1, 1], "categorical"),
        ([0.5, 2.0, -1.0], [0.5, 2.0, -1.0], "euclidean"),
        (np.arange(30), np.arange(30), "euclidean"),
    ],
)
def test_a_target_is_a_class_or_a_number(values, y, metric):
    read, kind = read_target(Columns(values), "x")
    assert kind == metric
    if kind == "categorical":  # the numbers of classes have no meaning
        assert [code == -1 for code in read] == [code == -1 for code in y]
        assert len({*zip(read, y, strict=True)}) == len(set(y))
    else:
        np.testing.assert_array_equal(read, y)


def test_every_sample_must_have_a_number():
    with pytest.raises(InvalidInputError, match="has none for 1 of 3"):
        read_target(Columns([0.5, np.nan, 1.5]), "area")


def test_a_target_reaches_the_fit(digits):
    samples = samples_from_array(
        digits.data[:60], features=pd.DataFrame({"digit": digits.labels[:60]})
    )
    chosen = TrainingParameters(target="digit", target_weight=0.9)
    estimator, fit_kwargs = make_estimator(chosen, samples)
    assert len(set(zip(fit_kwargs["y"], digits.labels[:60], strict=True))) == 10
    assert estimator.target_metric == "categorical"
    assert estimator.target_weight == 0.9


def test_any_orientation_turns_pictures_upright_and_reads_their_rings(pictures):
    chosen = TrainingParameters(alike="any orientation", n_neighbors=7)
    estimator, _ = make_estimator(chosen, pictures)
    assert [layer.name for layer in estimator.encoder.layers[:2]] == ["upright", "ring_spectrum"]
    turned = np.ascontiguousarray(np.rot90(pictures.X, 1, (1, 2)))
    encoded = [np.asarray(estimator.encoder(X)) for X in (pictures.X, turned)]
    np.testing.assert_allclose(*encoded, atol=1e-2)


def test_tables_have_no_orientation(table):
    with pytest.raises(InvalidInputError, match=r"'pixels' .*; got 'any orientation'"):
        make_estimator(TrainingParameters(alike="any orientation"), table)


@pytest.mark.parametrize("alike", ["any orientation", "measurements"])
@pytest.mark.parametrize("encoder", ["dense", "convolutional"])
def test_any_orientation_has_a_network_of_its_own(pictures, alike, encoder):
    chosen = TrainingParameters(alike=alike, encoder=encoder)
    with pytest.raises(InvalidInputError, match=f"encoder must be 'automatic' .*; got '{encoder}'"):
        make_estimator(chosen, pictures)


@pytest.mark.parametrize(
    "shape", [(30, 1, 1, 1), (30, 5, 9, 1), (30, 1, 6, 6, 1), (30, 3, 6, 6, 2)]
)
@pytest.mark.parametrize("content", ["noise", "constant"])
def test_any_orientation_of_awkward_pictures(rng, shape, content):
    values = rng.random(shape) if content == "noise" else np.full(shape, 0.5)
    chosen = TrainingParameters(alike="any orientation", n_neighbors=5)
    estimator, _ = make_estimator(chosen, samples_from_array(values.astype(np.float32)))
    assert np.isfinite(np.asarray(estimator.encoder(values.astype(np.float32)))).all()
