"""The decoder that trains separately: its targets, codes, held-out samples and spread."""

from __future__ import annotations

import pickle

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embedscope import ParametricUMAP, load_ParametricUMAP
from embedscope._errors import InvalidInputError
from embedscope.core.arrays._rows import as_rows
from embedscope.core.decoder._decoder_targets import component_targets, whole_targets
from embedscope.core.decoder._decoder_training import DecoderNetworks, DecoderTraining
from embedscope.core.decoder._spread import fit_spread
from embedscope.core.decoder._style_networks import (
    component_decoder,
    style_encoder,
    style_head,
    with_empty_code,
)
from embedscope.core.networks._reconstruction import relative_reconstruction

N_STYLE = 3


@pytest.fixture(scope="module")
def fitted(few):
    """A map of 300 digits with codes of eight numbers and a tenth of the samples held out."""
    return ParametricUMAP(
        parametric_reconstruction=True,
        n_style_components=8,
        validation_fraction=0.1,
        random_state=0,
    ).fit(few.train)


def known_samples(rng, n_samples=600, n_values=40):
    """Positions, and samples made of the position, two hidden numbers and a little noise."""
    places = rng.uniform(-3.0, 3.0, size=(n_samples, 2)).astype(np.float32)
    hidden = rng.normal(size=(n_samples, 2)).astype(np.float32)
    axes = np.linalg.qr(rng.normal(size=(n_values, 5)))[0].T
    curve = np.stack([np.sin(places[:, 0]), places[:, 1], np.ones(n_samples)], axis=1)
    samples = curve @ axes[:3] + hidden @ axes[3:] + 0.01 * rng.normal(size=(n_samples, n_values))
    return places, hidden, samples.astype(np.float32)


def make_decoder_training(samples, places, held_out, *, n_style=2, seed=0):
    rows = as_rows(samples)
    training = np.setdiff1d(np.arange(len(rows)), held_out)
    reconstruction = relative_reconstruction(rows, training, None)
    targets, axes = component_targets(rows, reconstruction, training, 20, seed)
    mean = np.zeros(rows.n_features, np.float32)
    decoder, trunk = component_decoder(2 + n_style, axes, mean, rows.shape, seed)
    head = style_head(20, n_style)
    decoder_training = DecoderTraining(
        DecoderNetworks(decoder, trunk, head, axes),
        rows,
        targets,
        reconstruction,
        training,
        np.asarray(held_out),
        2,
        0.5,
        keras.optimizers.Adam(1e-3),
        peak_rate=1.0,
        length=1,
        seed=seed,
    )
    decoder_training.watch(lambda: places)
    return decoder_training


# -- targets -------------------------------------------------------------------------------------


@given(
    n_samples=st.integers(4, 30),
    n_features=st.integers(1, 12),
    within=st.booleans(),
    seed=st.integers(0, 2**31 - 1),
)
@settings(max_examples=60, deadline=None)
def test_errors_of_components_are_errors_of_samples(n_samples, n_features, within, seed):
    rng = np.random.default_rng(seed)
    X = rng.random((n_samples, n_features)) if within else rng.normal(size=(n_samples, n_features))
    rows = as_rows(X.astype(np.float32))
    everything = np.arange(n_samples)
    reconstruction = relative_reconstruction(rows, everything, None)
    n_axes = min(n_features, n_samples, 5)
    targets, axes = component_targets(rows, reconstruction, everything, n_axes, 0)
    drawn = rng.normal(size=(n_samples, axes.shape[0])).astype(np.float32)
    whole = whole_targets(rows, reconstruction)
    np.testing.assert_allclose(
        targets.errors(everything, drawn),
        whole.errors(everything, drawn @ axes),
        rtol=1e-3,
        atol=1e-3,
    )
    np.testing.assert_allclose(targets.energy, whole.energy, rtol=1e-5)


def test_the_mean_sample_explains_nothing(rng):
    X = rng.random((200, 6, 6, 1)).astype(np.float32)
    rows = as_rows(X, (6, 6, 1))
    training = np.arange(150)
    reconstruction = relative_reconstruction(rows, training, None)
    assert len(np.unique(reconstruction.scale)) == 1  # pixels have one unit
    whole = whole_targets(rows, reconstruction)
    mean = X[:150].mean(axis=0)
    nothing = np.zeros((50, 6, 6, 1), np.float32)
    np.testing.assert_allclose(reconstruction.to_data(nothing[:1])[0], mean, atol=1e-5)
    index = np.arange(150, 200)
    assert whole.errors(index, nothing).sum() == pytest.approx(whole.energy[index].sum())


def test_columns_of_a_table_have_units_of_their_own(rng):
    X = (rng.normal(size=(300, 3)) * [1.0, 1000.0, 0.0]).astype(np.float32)
    reconstruction = relative_reconstruction(as_rows(X), np.arange(300), None)
    np.testing.assert_allclose(reconstruction.scale, [X[:, 0].std(), X[:, 1].std(), 1.0], rtol=1e-4)
    assert reconstruction.limits is None


def test_decoded_values_stay_within_the_range_of_the_data():
    rows = as_rows(np.eye(4, dtype=np.float32))
    reconstruction = relative_reconstruction(rows, np.arange(4), None)
    drawn = reconstruction.to_data(np.full((1, 4), 100.0, np.float32))
    np.testing.assert_array_equal(drawn, np.ones((1, 4)))


# -- training ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def learned():
    rng = np.random.default_rng(5)
    places, hidden, samples = known_samples(rng)
    decoder_training = make_decoder_training(samples, places, np.arange(540, 600))
    decoder_training.advance(0.5)
    decoder_training.losses()
    decoder_training.advance(1.0)
    return decoder_training, places, hidden, samples


def test_position_and_code_explain_all_but_the_noise(learned):
    decoder_training, _, hidden, samples = learned
    losses = decoder_training.losses()
    # The residuals of the positions are the two hidden numbers, each of unit variance.
    standardised = decoder_training.reconstruction.standardised(samples[540:])
    left_open = np.square(hidden[540:] / decoder_training.reconstruction.scale.mean()).sum()
    share = left_open / np.square(standardised).sum()
    assert losses["val_reconstruction_loss"] == pytest.approx(share, rel=0.15)
    assert losses["val_style_reconstruction_loss"] < 0.1 * losses["val_reconstruction_loss"]
    assert losses["style_reconstruction_loss"] < 0.1 * losses["reconstruction_loss"]


def test_codes_do_not_repeat_the_position(learned):
    decoder_training, places, hidden, _ = learned
    index = np.arange(540)
    codes = decoder_training.codes(index, places[index])
    knows = np.linalg.lstsq(np.c_[codes, np.ones(540)], hidden[:540], rcond=None)[0]
    left = hidden[:540] - np.c_[codes, np.ones(540)] @ knows
    assert np.square(left).mean() < 0.05  # the hidden numbers are in the codes
    said = np.c_[np.sin(places[:540, 0]), places[:540, 1]]
    correlations = np.corrcoef(np.c_[codes, said].T)[:2, 2:]
    assert np.abs(correlations).max() < 0.2  # and the position is not


def test_the_decoder_learns_nothing_from_samples_that_are_held_out():
    rng = np.random.default_rng(7)
    places, _, samples = known_samples(rng, n_samples=120)
    held_out = np.arange(0, 120, 10)
    changed, moved = samples.copy(), places.copy()
    changed[held_out] = rng.normal(size=(12, 40))
    moved[held_out] = 0.0
    weights = []
    for X, at in ((samples, places), (changed, moved)):
        decoder_training = make_decoder_training(X, at, held_out)
        decoder_training.advance(0.5)
        decoder_training.losses()
        decoder_training.advance(1.0)
        weights.append([w for net in decoder_training.trained for w in net.get_weights()])
    for first, second in zip(*weights, strict=True):
        np.testing.assert_array_equal(first, second)


def test_the_style_encoder_gives_the_codes_of_the_training(learned):
    decoder_training, places, _, samples = learned
    n_values = samples.shape[1]
    # An encoder that looks the positions up by the first value, which is made unique.
    kernel = np.linalg.lstsq(samples, places, rcond=None)[0].astype(np.float32)
    encoder = keras.Sequential([keras.Input((n_values,)), keras.layers.Dense(2, use_bias=False)])
    encoder.set_weights([kernel])
    network = decoder_training.style_encoder(encoder)
    at = np.asarray(encoder(samples[:20]))
    expected = decoder_training.codes(np.arange(20), at)
    np.testing.assert_allclose(np.asarray(network(samples[:20])), expected, atol=2e-4)


def test_without_axes_the_style_encoder_reads_standardised_samples(rng):
    X = rng.random((30, 4)).astype(np.float32)
    reconstruction = relative_reconstruction(as_rows(X), np.arange(30), None)
    encoder = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    decoder = keras.Sequential([keras.Input((2 + N_STYLE,)), keras.layers.Dense(4)])
    head = style_head(4, N_STYLE)
    head.set_weights([rng.normal(size=(4, N_STYLE)), rng.normal(size=N_STYLE)])
    typical = with_empty_code(decoder, 2)
    network = style_encoder(encoder, typical, head, None, reconstruction)
    drawn = np.asarray(decoder(np.pad(np.asarray(encoder(X)), ((0, 0), (0, N_STYLE)))))
    expected = np.asarray(head(reconstruction.standardised(X) - drawn))
    np.testing.assert_allclose(np.asarray(network(X)), expected, atol=1e-4)


# -- spread --------------------------------------------------------------------------------------


def test_the_spread_is_that_of_samples_around_the_typical_one(rng):
    places = rng.uniform(-5.0, 5.0, size=(4_000, 2)).astype(np.float32)
    deviation = np.where(places[:, :1] < 0.0, 1.0, 3.0)
    squares = np.square(deviation * rng.normal(size=(4_000, 6)))
    seen, unseen = slice(0, 3_000), slice(3_000, 4_000)
    network = fit_spread(
        places[seen],
        lambda block: squares[seen][block],
        places[unseen],
        lambda block: 1.44 * squares[unseen][block],  # unseen ones are a fifth farther off
        (6,),
        rng,
    )
    left, right = np.sqrt(np.asarray(network(np.array([[-4.0, 0.0], [4.0, 0.0]], np.float32))))
    np.testing.assert_allclose(left, 1.2, rtol=0.15)
    np.testing.assert_allclose(right, 3.6, rtol=0.15)
    far = np.asarray(network(np.array([[1e6, -1e6]], np.float32)))
    assert np.isfinite(far).all()


def test_samples_at_one_position_have_one_spread(rng):
    places = np.ones((50, 2), np.float32)
    squares = np.full((50, 3), 4.0)
    network = fit_spread(
        places, lambda block: squares[block], places, lambda block: squares[block], (3,), rng
    )
    np.testing.assert_allclose(np.asarray(network(places[:1])), 4.0, rtol=1e-5)


# -- the estimator -------------------------------------------------------------------------------


def test_unseen_samples_are_explained_by_position_and_better_with_their_codes(fitted, few):
    places = fitted.transform(few.test)
    codes = fitted.style(few.test)
    assert codes.shape == (200, 8)
    assert codes.dtype == np.float32
    own = fitted.inverse_transform(places, codes)
    typical = fitted.inverse_transform(places)
    mean = few.train.mean(axis=0)
    nothing, by_place, by_code = (
        np.square(few.test - drawn).sum() for drawn in (mean, typical, own)
    )
    assert by_place < 0.75 * nothing
    assert by_code < 0.75 * by_place
    # An empty code is no code.
    np.testing.assert_array_equal(fitted.inverse_transform(places, 0.0 * codes), typical)


def test_the_spread_is_right_for_samples_held_out(fitted, few):
    rows = fitted.validation_rows_
    places = fitted.embedding_[rows]
    deviation = fitted.inverse_std(places)
    assert deviation.shape == (30, 64)
    found = np.square(few.train[rows] - fitted.inverse_transform(places)).sum()
    # Clipping to 0..1 may bring a typical sample a little nearer.
    assert np.square(deviation).sum() == pytest.approx(found, rel=0.02)


def test_the_history_holds_losses_of_both_parts(fitted, few):
    names = {
        "loss",
        "reconstruction_loss",
        "val_reconstruction_loss",
        "style_reconstruction_loss",
        "val_style_reconstruction_loss",
    }
    assert set(fitted.history_) == names
    assert {len(values) for values in fitted.history_.values()} == {10}
    rows = fitted.validation_rows_
    assert len(rows) == len(set(rows)) == 30
    typical = fitted.inverse_transform(fitted.embedding_[rows])
    mean = np.delete(few.train, rows, axis=0).mean(axis=0)
    found = np.square(few.train[rows] - typical).sum() / np.square(few.train[rows] - mean).sum()
    assert fitted.history_["val_reconstruction_loss"][-1] == pytest.approx(found, rel=0.02)


def test_the_map_is_the_same_with_and_without_a_decoder(few):
    common = {"n_training_epochs": 1, "random_state": 3}
    plain = ParametricUMAP(**common).fit(few.train[:80])
    with_decoder = ParametricUMAP(
        **common, parametric_reconstruction=True, n_style_components=4, validation_fraction=0.2
    ).fit(few.train[:80])
    np.testing.assert_array_equal(plain.embedding_, with_decoder.embedding_)


def test_a_saved_and_a_pickled_estimator_decode_the_same(fitted, few, tmp_path):
    fitted.save(tmp_path / "model")
    places = fitted.embedding_[:5]
    codes = fitted.style(few.test[:5])
    pickled = pickle.loads(pickle.dumps(fitted))  # noqa: S301 - our own bytes
    for copy in (load_ParametricUMAP(tmp_path / "model"), pickled):
        np.testing.assert_array_equal(copy.style(few.test[:5]), codes)
        np.testing.assert_array_equal(
            copy.inverse_transform(places, codes), fitted.inverse_transform(places, codes)
        )
        np.testing.assert_array_equal(copy.inverse_std(places), fitted.inverse_std(places))
        np.testing.assert_array_equal(copy.validation_rows_, fitted.validation_rows_)


@pytest.mark.parametrize("network", ["decoder", "style_encoder", "spread_decoder"])
def test_onnx_decodes_the_same(fitted, few, tmp_path, network):
    onnxruntime = pytest.importorskip("onnxruntime")

    file = fitted.to_onnx(tmp_path / f"{network}.onnx", network)
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    places, codes = fitted.embedding_[:7], fitted.style(few.train[:7])
    fed, expected = {
        "decoder": (np.c_[places, codes], fitted.decoder_(np.c_[places, codes])),
        "style_encoder": (few.train[:7], codes),
        "spread_decoder": (places, fitted.spread_decoder_(places)),
    }[network]
    (got,) = session.run(None, {"input": fed.astype(np.float32)})
    np.testing.assert_allclose(got, np.asarray(expected), atol=1e-4)


def test_what_does_not_fit_is_refused(fitted, few):
    places = fitted.embedding_[:2]
    with pytest.raises(InvalidInputError, match=r"style must be of shape \(2, 8\)"):
        fitted.inverse_transform(places, np.zeros((2, 7)))
    with pytest.raises(InvalidInputError, match=r"style must be of shape \(2, 8\)"):
        fitted.inverse_transform(places, np.zeros((1, 8)))
    with pytest.raises(InvalidInputError, match="style"):
        fitted.inverse_transform(places, np.full((2, 8), np.nan))
    with pytest.raises(InvalidInputError, match="Z must"):
        fitted.inverse_std([[0.0, 0.0, 0.0]])
    early = {"progress": lambda report: report.phase == "fit" and report.fraction > 0.301}
    plain = ParametricUMAP(parametric_reconstruction=True, **early).fit(few.train[:40])
    with pytest.raises(InvalidInputError, match="n_style_components must be above 0"):
        plain.style(few.test)
    with pytest.raises(InvalidInputError, match="n_style_components must be above 0"):
        plain.inverse_transform(places, np.zeros((2, 8)))
    with pytest.raises(InvalidInputError, match="validation_fraction must be above 0"):
        plain.inverse_std(places)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"n_style_components": 300}, "n_style_components must be at most 39"),
        ({"n_style_components": -1}, "n_style_components must be an int of at least 0"),
        ({"n_style_components": 2, "validation_fraction": 0.98}, "must leave the decoder"),
        ({"validation_fraction": 1.0}, r"validation_fraction must be a number in \[0, 1\)"),
        ({"n_style_components": 2, "parametric_reconstruction": False}, "must come with"),
        ({"n_style_components": 2, "parametric_embedding": False}, "0 without an encoder"),
        (
            {"validation_fraction": 0.1, "reconstruction_validation": np.zeros((3, 64))},
            "reconstruction_validation must be None",
        ),
        (
            {
                "n_style_components": 2,
                "decoder": keras.Sequential([keras.Input((2,)), keras.layers.Dense(64)]),
            },
            r"decoder must take a position of 2 numbers followed by a style code of 2",
        ),
    ],
)
def test_parameters_that_do_not_go_together_are_refused(few, parameters, message):
    estimator = ParametricUMAP(**{"parametric_reconstruction": True, **parameters})
    with pytest.raises(InvalidInputError, match=message):
        estimator.fit(few.train[:40])


@pytest.mark.parametrize(
    "parameters",
    [
        {"solver": "edges", "n_epochs": 30},
        {"autoencoder_loss": True},
        {"unique": True},
        {"n_style_components": 0},
        pytest.param({"optimizer": keras.optimizers.SGD(0.01)}, marks=pytest.mark.long),
        {"parametric_reconstruction_loss_fcn": keras.losses.mean_absolute_error},
        pytest.param(
            {
                "parametric_reconstruction_loss_fcn": keras.losses.mean_absolute_error,
                "autoencoder_loss": True,
            },
            marks=pytest.mark.long,  # of the two, each is tried always
        ),
        {"validation_fraction": 0.0},
        {"n_components": 3},
    ],
    ids=lambda parameters: "-".join(parameters),
)
def test_it_goes_with_the_other_parameters(few, parameters):
    X = few.train[:60].copy()
    X[59] = X[0]
    estimator = ParametricUMAP(
        **{
            "parametric_reconstruction": True,
            "n_style_components": 4,
            "validation_fraction": 0.1,
            "random_state": 0,
            **parameters,
        }
    ).fit(X)
    places = estimator.transform(X)
    codes = estimator.style(X) if estimator.n_style_components else None
    drawn = estimator.inverse_transform(places, codes)
    assert np.isfinite(drawn).all()
    assert np.square(drawn - X).mean() < np.square(X.mean(axis=0) - X).mean()
    if estimator.validation_fraction:
        assert (estimator.inverse_std(places) >= 0.0).all()
        assert 6 <= len(estimator.validation_rows_) <= 7  # a repeated row counts twice
    else:
        assert len(estimator.validation_rows_) == 0


def test_a_users_decoder_takes_a_position_and_a_code(few):
    decoder = keras.Sequential(
        [
            keras.Input((2 + 4,)),
            keras.layers.Dense(64, activation="relu"),
            keras.layers.Dense(64),
        ]
    )
    before = [weight.copy() for weight in decoder.get_weights()]
    estimator = ParametricUMAP(
        decoder=decoder,
        parametric_reconstruction=True,
        n_style_components=4,
        validation_fraction=0.1,
        random_state=0,
    ).fit(few.train)
    for ours, theirs in zip(before, decoder.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    places, codes = estimator.transform(few.test), estimator.style(few.test)
    typical, own = (
        np.square(estimator.inverse_transform(places, style) - few.test).sum()
        for style in (None, codes)
    )
    assert own < 0.9 * typical
    assert estimator.history_["val_reconstruction_loss"][-1] < 0.9


def test_an_update_decodes_old_and_new_samples(fitted, few):
    updated = pickle.loads(pickle.dumps(fitted)).update(few.test)  # noqa: S301 - our own bytes
    for X in (few.train, few.test):
        drawn = updated.inverse_transform(updated.transform(X), updated.style(X))
        assert np.square(drawn - X).sum() < 0.7 * np.square(X.mean(axis=0) - X).sum()


def test_a_stop_before_the_first_report_leaves_codes(few):
    seen = []

    def stop(report):
        seen.append(report.phase)
        return seen.count("fit") > 1

    estimator = ParametricUMAP(
        parametric_reconstruction=True,
        n_style_components=4,
        validation_fraction=0.1,
        progress=stop,
        random_state=0,
    ).fit(few.train[:100])
    codes = estimator.style(few.train[:100])
    assert codes.std(axis=0).min() > 0.0
    assert np.isfinite(estimator.inverse_std(estimator.embedding_)).all()


def test_a_diverging_encoder_warns_and_leaves_a_map(few):
    estimator = ParametricUMAP(
        parametric_reconstruction=True,
        n_style_components=4,
        validation_fraction=0.1,
        optimizer=keras.optimizers.SGD(1e30),
        random_state=0,
    )
    with pytest.warns(RuntimeWarning, match="must stay finite"):
        estimator.fit(few.train[:60])
    drawn = estimator.inverse_transform(estimator.embedding_, estimator.style(few.train[:60]))
    assert np.isfinite(drawn).all()
