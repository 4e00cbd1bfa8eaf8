"""Which networks, neighbours and targets come of which choices and samples."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from embedscope._errors import InvalidInputError
from embedscope.samples import samples_from_array
from embedscope.training import TrainingParameters, make_estimator
from embedscope.training._exemplars import Exemplars
from embedscope.training._target import read_target


def test_a_table_gets_dense_networks(table):
    estimator, fit_kwargs = make_estimator(TrainingParameters(), table)
    assert estimator.encoder is None
    assert estimator.decoder is None
    assert estimator.parametric_reconstruction
    assert estimator.precomputed_knn is None
    assert set(fit_kwargs) == {"X"}
    np.testing.assert_array_equal(fit_kwargs["X"], table.X)


def test_pictures_get_a_convolution_exemplars_and_neighbours(pictures):
    estimator, _ = make_estimator(TrainingParameters(n_neighbors=7), pictures)
    assert estimator.encoder.name == "picture_encoder"
    assert estimator.decoder.name == "exemplar_decoder"
    indices, distances = estimator.precomputed_knn
    assert indices.shape == distances.shape == (150, 7)


def test_volumes_get_a_convolution_and_a_dense_decoder(rng):
    volumes = samples_from_array(rng.random((40, 4, 6, 6, 1)).astype(np.float32))
    estimator, _ = make_estimator(TrainingParameters(), volumes)
    assert estimator.encoder.input_shape == (None, 4, 6, 6, 1)
    assert estimator.decoder is None
    estimator, _ = make_estimator(TrainingParameters(decoder="exemplars"), volumes)
    assert estimator.decoder.output_shape == (None, 4, 6, 6, 1)


def test_choices_that_have_a_name_in_the_estimator_are_passed_on(table):
    chosen = TrainingParameters(
        n_neighbors=9,
        min_dist=0.2,
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
    assert len(named) >= 11
    for name in named - {"encoder", "decoder", "target_weight"}:
        assert getattr(estimator, name) == given[name], name
    assert estimator.parametric_reconstruction_loss_weight == 2.5


def test_no_decoder_where_none_is_wanted(pictures):
    estimator, _ = make_estimator(TrainingParameters(reconstruction=False), pictures)
    assert estimator.decoder is None
    assert not estimator.parametric_reconstruction
    assert estimator.keras_fit_kwargs is None


def test_dense_networks_for_pictures_on_request(pictures):
    chosen = TrainingParameters(encoder="dense", decoder="dense")
    estimator, _ = make_estimator(chosen, pictures)
    assert estimator.encoder is None
    assert estimator.decoder is None
    assert estimator.dims == (8, 8, 1)


@pytest.mark.parametrize("choice", [{"encoder": "convolutional"}, {"decoder": "exemplars"}])
def test_networks_for_pictures_are_refused_for_tables(table, choice):
    with pytest.raises(InvalidInputError, match=f"{next(iter(choice))} must be 'automatic'"):
        make_estimator(TrainingParameters(**choice), table)


def test_preparation_can_be_stopped(pictures):
    class Stop(Exception):
        pass

    def report(fraction: float) -> None:
        raise Stop

    with pytest.raises(Stop):
        make_estimator(TrainingParameters(), pictures, report=report)


def test_exemplars_are_at_most_two_thousand_and_drawn_by_the_seed(rng):
    crops = rng.random((2_300, 2, 2, 1)).astype(np.float32)
    exemplars = Exemplars(crops, seed=3)
    assert len(exemplars.rows) == 2_000
    assert (np.diff(exemplars.rows) > 0).all()
    np.testing.assert_array_equal(exemplars.rows, Exemplars(crops, seed=3).rows)
    assert (exemplars.rows != Exemplars(crops, seed=4).rows).any()


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
    if kind == "categorical":  # which number a class has is of no meaning, but that it is one
        assert [code == -1 for code in read] == [code == -1 for code in y]
        assert len({*zip(read, y, strict=True)}) == len(set(y))
    else:
        np.testing.assert_array_equal(read, y)


def test_numbers_must_be_there_for_every_sample():
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
