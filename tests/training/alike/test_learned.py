"""Features learned by contrast: what a turn must not change, and a whole run with few steps."""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np
import pytest

from embedscope import load_ParametricUMAP
from embedscope.core.networks import InvariantFeatures, Upright, ViewNoise, keras
from embedscope.samples import jurkat_cells, samples_from_labels
from embedscope.training import Phase, TrainingParameters, TrainingRun
from embedscope.training.alike import _learned
from embedscope.training.alike._contrast import CONVOLUTIONS, Contrast
from embedscope.training.alike._light import light_changes

TURNS = (
    lambda X: np.rot90(X, 1, (1, 2)),
    lambda X: np.rot90(X, 2, (1, 2)),
    lambda X: X[:, :, ::-1],
    lambda X: np.rot90(X, 3, (1, 2))[:, :, ::-1],
)


@pytest.fixture(scope="module")
def cells():
    field = jurkat_cells()
    return samples_from_labels(
        field.image, field.labels, 24, label_ids=field.label_ids[:80], features=False
    )


@pytest.fixture
def three_steps(monkeypatch):
    monkeypatch.setattr(_learned, "_FEWEST_STEPS", 3)
    monkeypatch.setattr(_learned, "_MOST_STEPS", 3)
    monkeypatch.setattr(_learned, "_SHOW_EVERY", 1)


def trained(pictures: np.ndarray) -> Contrast:
    contrast = Contrast(pictures, np.ones(pictures.shape[-1], np.float32), 3, seed=0)
    assert list(contrast.train()) == [1, 2, 3]
    return contrast


def layer_of(contrast: Contrast, shape: tuple[int, ...]) -> InvariantFeatures:
    layer = InvariantFeatures(1, CONVOLUTIONS, 8)
    layer.build((None, *shape))
    layer.set_convolutions(contrast.means, contrast.folded())
    rng = np.random.default_rng(0)
    n_outputs = 256 + layer.n_on_rings
    layer.set_axes(rng.normal(size=(n_outputs, 8)).astype(np.float32), np.ones(8, np.float32))
    return layer


def without_border(pictures: np.ndarray) -> np.ndarray:
    n, *_, n_channels = pictures.shape
    inside = np.zeros(pictures.shape[1:3], bool)
    inside[1:-1, 1:-1] = True
    border = pictures[:, ~inside].reshape(n, -1, n_channels).mean(axis=1)
    return (pictures - border[:, None, None]).astype(np.float32)


def test_the_layer_is_the_mean_of_the_trained_network_over_all_orientations(cells):
    pictures = without_border(cells.X[:40])
    contrast = trained(pictures)
    layer = layer_of(contrast, pictures.shape[1:])
    copies = [
        np.ascontiguousarray(np.rot90(each, quarters, (1, 2)))
        for quarters in range(4)
        for each in (pictures, pictures[:, :, ::-1])
    ]
    wanted = np.mean([np.asarray(contrast.trunk(each, training=False)) for each in copies], axis=0)
    np.testing.assert_allclose(np.asarray(layer.read(cells.X[:40]))[:, :256], wanted, atol=1e-3)


@pytest.mark.parametrize("turn", TURNS)
def test_turned_and_mirrored_pictures_have_the_same_features(cells, turn):
    X = cells.X[:20]
    layer = layer_of(trained(without_border(X)), X.shape[1:])
    one = np.asarray(layer(X))
    assert one.std() > 0
    np.testing.assert_allclose(np.asarray(layer(np.ascontiguousarray(turn(X)))), one, atol=1e-3)


def test_the_layer_survives_a_copy_of_its_network(cells):
    X = cells.X[:5]
    layer = layer_of(trained(without_border(X)), X.shape[1:])
    network = keras.Sequential([keras.Input(X.shape[1:]), layer])
    copy = keras.models.clone_model(network)
    copy.set_weights(network.get_weights())
    np.testing.assert_array_equal(np.asarray(copy(X)), np.asarray(network(X)))


def test_light_may_change_much_only_where_it_is_transmitted(rng):
    glow = rng.random((20, 8, 8, 1), np.float32)
    both = np.concatenate([glow, glow - 0.5], axis=-1)
    assert light_changes(both, 2, np.zeros(20, int)).tolist() == pytest.approx([0.05, 1.0])


def test_light_may_change_as_much_as_sources_differ(rng):
    glow = rng.random((20, 8, 8, 1), np.float32)
    source = np.arange(20) % 2
    glow[source == 1] *= 2.0
    found = light_changes(glow, 1, source)
    assert found[0] == pytest.approx(np.sqrt(3.0) * np.log(2.0) / 2, abs=0.1)


def test_a_run_shows_a_first_map_and_places_turned_cells_alike(cells, three_steps, tmp_path):
    run = TrainingRun(cells, TrainingParameters(alike="learned", n_neighbors=5))
    phases: list[Phase] = []
    run.embedding_changed.connect(lambda *_: phases.append(run.status.phase))
    run.start()
    assert run.wait().phase is Phase.DONE, run.status.traceback
    assert phases
    assert run.replay.fractions[0] < 0.85
    estimator = run.result.estimator
    placed, width = estimator.transform(cells.X), np.ptp(run.result.embedding, axis=0).max()
    for turn in TURNS:
        turned = estimator.transform(np.ascontiguousarray(turn(cells.X)))
        away = np.linalg.norm(turned - placed, axis=1) / width
        assert np.percentile(away, 95) < 0.02
    decoded = estimator.inverse_transform(placed, style=estimator.style(cells.X))
    upright = np.asarray(Upright().upright(cells.X))
    assert np.square(decoded - upright).mean() < 0.5 * np.square(decoded - cells.X).mean()
    estimator.save(tmp_path / "map")
    loaded = load_ParametricUMAP(tmp_path / "map")
    np.testing.assert_allclose(loaded.transform(cells.X), placed, atol=1e-4)
    if find_spec("tf2onnx") and find_spec("onnxruntime"):
        estimator.to_onnx(tmp_path / "encoder.onnx")  # which compares the results


def test_a_run_stops_within_a_batch(cells, monkeypatch):
    monkeypatch.setattr(_learned, "_FEWEST_STEPS", 10_000)
    monkeypatch.setattr(_learned, "_MOST_STEPS", 10_000)
    run = TrainingRun(cells, TrainingParameters(alike="learned", n_neighbors=5))
    run.status_changed.connect(lambda status: status.fraction > 0 and run.stop())
    run.start()
    assert run.wait(60).phase is Phase.STOPPED


@pytest.mark.parametrize(
    ("shape", "constant"),
    [
        ((12, 1, 1, 1), True),
        ((12, 5, 9, 2), False),
        ((12, 3, 12, 12, 1), False),
        # Each shape and each kind is tried always.
        pytest.param((12, 1, 1, 1), False, marks=pytest.mark.long),
        pytest.param((12, 5, 9, 2), True, marks=pytest.mark.long),
        pytest.param((12, 3, 12, 12, 1), True, marks=pytest.mark.long),
    ],
)
def test_small_constant_and_deep_pictures_are_learned(rng, three_steps, shape, constant):
    from embedscope.samples import samples_from_array

    X = np.full(shape, 0.5, np.float32) if constant else rng.random(shape, np.float32)
    samples = samples_from_array(X)
    parameters = TrainingParameters(alike="learned")
    shown: list[np.ndarray] = []
    made = _learned.compare(
        samples,
        samples.X,
        parameters,
        lambda share: None,
        lambda positions: shown.append(positions()),
    )
    assert np.isfinite(made.features).all()
    assert np.isfinite(np.asarray(made.encoder(samples.X))).all()
    assert all(np.isfinite(each).all() for each in shown)


def test_noise_varies_as_the_differences_of_views_and_only_in_training(rng):
    noise = ViewNoise(0)
    noise.build((None, 3))
    wanted = np.array([[4.0, 2.0, 0.0], [2.0, 4.0, 0.0], [0.0, 0.0, 0.0]])
    noise.fit(rng.multivariate_normal(np.zeros(3), wanted, 20_000).astype(np.float32))
    rows = rng.normal(size=(20_000, 3)).astype(np.float32)
    np.testing.assert_array_equal(np.asarray(noise(rows)), rows)
    added = np.asarray(noise(rows, training=True)) - rows
    np.testing.assert_allclose(np.cov(added.T), wanted, atol=0.2)
    copy = ViewNoise.from_config(noise.get_config())
    copy.build((None, 3))
    copy.set_weights(noise.get_weights())
    np.testing.assert_array_equal(np.asarray(copy(rows, training=True)), rows + added)


def test_the_noise_of_a_run_is_in_the_directions_of_moved_copies(cells, three_steps):
    comparison = _learned.compare(
        cells, cells.X, TrainingParameters(alike="learned"), lambda _: None, lambda _: None
    )
    (noise,) = (each for each in comparison.encoder.layers if isinstance(each, ViewNoise))
    rows = np.zeros((5_000, comparison.features.shape[1]), np.float32)
    spread = np.square(np.asarray(noise(rows, training=True))).sum(axis=1).mean()
    layer = comparison.encoder.get_layer("learned")
    shifted = np.asarray(layer(np.roll(cells.X, (1, 1), axis=(1, 2))))
    turned = np.asarray(layer(np.ascontiguousarray(np.rot90(cells.X, 1, (1, 2)))))
    length = np.square(comparison.features).sum(axis=1).mean()
    assert np.square(turned - comparison.features).sum(axis=1).mean() < 1e-4 * spread
    assert 0 < np.square(shifted - comparison.features).sum(axis=1).mean() < 4 * spread < 4 * length
