"""Turned and mirrored pictures have the same upright picture, and the same magnitudes on rings."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import rotate

from embedscope import ParametricUMAP, load_ParametricUMAP
from embedscope.core.networks import RingSpectrum, Upright, count_magnitudes, keras
from embedscope.samples import jurkat_cells, samples_from_labels

TURNS = {
    "turned by 90": lambda X: np.rot90(X, 1, (-3, -2)),
    "turned by 180": lambda X: np.rot90(X, 2, (-3, -2)),
    "mirrored": lambda X: X[..., ::-1, :],
    "turned and mirrored": lambda X: np.swapaxes(X, -3, -2),
}
AWKWARD = {
    "one pixel": (1, 1, 1),
    "one row": (1, 7, 1),
    "two by two": (2, 2, 3),
    "not square": (9, 14, 2),
    "one plane": (1, 8, 8, 1),
    "few planes": (3, 8, 8, 2),
}


@pytest.fixture(scope="module")
def cells() -> np.ndarray:
    """80 crops of Jurkat cells."""
    field = jurkat_cells()
    return samples_from_labels(field.image, field.labels, size=40, features=False).X[:80]


def as_array(made: object) -> np.ndarray:
    return np.asarray(made)


def spectrum_of(shape: tuple[int, ...]) -> RingSpectrum:
    layer = RingSpectrum(2, 1.0)
    layer.build((None, *shape))
    return layer


@pytest.mark.parametrize("turn", TURNS.values(), ids=TURNS)
def test_turned_and_mirrored_copies_have_the_same_upright_picture(cells, turn):
    copies = np.ascontiguousarray(turn(cells))
    np.testing.assert_allclose(as_array(Upright()(copies)), as_array(Upright()(cells)), atol=1e-3)


@pytest.mark.parametrize("turn", TURNS.values(), ids=TURNS)
def test_turned_and_mirrored_copies_have_the_same_magnitudes(cells, turn):
    spectrum = spectrum_of(cells.shape[1:])
    found = as_array(spectrum.magnitudes(np.ascontiguousarray(turn(cells))))
    np.testing.assert_allclose(found, as_array(spectrum.magnitudes(cells)), atol=1e-4)


def test_a_turn_by_any_angle_changes_the_magnitudes_little(cells):
    upright, spectrum = Upright(), spectrum_of(cells.shape[1:])
    turned = rotate(cells, 37, axes=(1, 2), reshape=False, order=1, mode="nearest")
    before, after = (as_array(spectrum.magnitudes(upright(X))) for X in (cells, turned))
    changes = np.linalg.norm(after - before, axis=1)
    between = np.linalg.norm(before - np.roll(before, 1, axis=0), axis=1)
    assert np.median(changes) < 0.2 * np.median(between)


def distances_to_copies(cells: np.ndarray, copies: np.ndarray) -> np.ndarray:
    """Between the magnitudes of pictures and their copies, as shares of that to another picture."""
    upright, spectrum = Upright(), spectrum_of(cells.shape[1:])
    before, after = (as_array(spectrum.magnitudes(upright(X))) for X in (cells, copies))
    between = np.linalg.norm(before[:, None] - before[None], axis=2)
    return np.linalg.norm(after - before, axis=1) / np.median(between, axis=1)


def test_a_copy_shifted_by_two_pixels_has_nearly_the_same_magnitudes(cells):
    assert np.percentile(distances_to_copies(cells, np.roll(cells, (2, 1), (1, 2))), 95) < 0.1


def test_corners_do_not_count(cells):
    """A turned crop has other corners, in which other cells may lie."""
    other = cells.copy()
    other[:, :5, :5] = other[:, -4:, -4:] = 1.0
    assert distances_to_copies(cells, other).max() < 0.05
    np.testing.assert_allclose(as_array(Upright()(other)), as_array(Upright()(cells)), atol=0.05)


def test_a_bar_becomes_upright_in_the_middle():
    picture = np.zeros((1, 21, 21, 1), np.float32)
    picture[0, 6:8, 3:14] = 1.0
    upright = as_array(Upright()(picture))[0, ..., 0]
    expected = np.zeros((21, 21))
    expected[5:16, 9:12] = 1.0
    assert upright[expected == 0].max() < 0.6  # the bar is two pixels wide, between three
    assert upright[6:15, 10].min() > 0.9


def test_upright_pictures_turn_back(cells):
    upright = Upright()
    back = as_array(upright.turned_back(upright(cells), upright.poses(cells)))
    error = np.square(back - cells).mean() / cells.var()
    assert error < 0.02  # interpolated twice


def test_planes_turn_together():
    planes = np.zeros((1, 2, 11, 11, 1), np.float32)
    planes[0, 0, 4:7, 1:10] = 1.0
    planes[0, 1, 1:4, 4:7] = 0.5
    turned = np.ascontiguousarray(np.rot90(planes, 1, (2, 3)))
    found = as_array(Upright()(planes))
    np.testing.assert_allclose(as_array(Upright()(turned)), found, atol=1e-3)
    assert found.shape == planes.shape


@pytest.mark.parametrize("shape", AWKWARD.values(), ids=AWKWARD)
@pytest.mark.parametrize("content", ["constant", "noise"])
def test_awkward_pictures_stay_finite(rng, shape, content):
    pictures = np.full((5, *shape), 0.25, np.float32)
    if content == "noise":
        pictures = rng.random((5, *shape)).astype(np.float32)
    upright = as_array(Upright()(pictures))
    assert upright.shape == pictures.shape
    magnitudes = as_array(spectrum_of(shape).magnitudes(upright))
    assert magnitudes.shape == (5, count_magnitudes(shape))
    assert np.isfinite(magnitudes).all()
    if content == "constant":
        np.testing.assert_allclose(upright, pictures, atol=1e-6)


def fit(cells: np.ndarray, *, is_read: bool) -> ParametricUMAP:
    layers = [keras.layers.Flatten(), keras.layers.Dense(2, name="out")]
    return ParametricUMAP(
        n_neighbors=5,
        n_epochs=5,
        encoder=keras.Sequential([keras.Input(cells.shape[1:]), Upright(is_read), *layers]),
        parametric_reconstruction=True,
        n_style_components=2,
        validation_fraction=0.1,
        random_state=0,
    ).fit(cells)


@pytest.fixture(scope="module")
def fitted(cells) -> ParametricUMAP:
    return fit(cells, is_read=True)


def test_all_networks_of_a_fit_learn_from_upright_samples(cells, fitted):
    turned = np.ascontiguousarray(np.rot90(cells, 1, (1, 2)))
    np.testing.assert_allclose(fitted.transform(cells), fitted.embedding_, atol=1e-4)
    np.testing.assert_allclose(fitted.transform(turned), fitted.embedding_, atol=1e-2)
    np.testing.assert_allclose(fitted.style(turned), fitted.style(cells), atol=1e-2)
    decoded = fitted.inverse_transform(fitted.embedding_, style=fitted.style(cells))
    upright = as_array(Upright()(cells))
    assert np.square(decoded - upright).mean() < np.square(decoded - cells).mean()


def test_an_upright_map_is_saved_and_updated(cells, fitted, tmp_path):
    fitted.save(tmp_path / "map")
    loaded = load_ParametricUMAP(tmp_path / "map")
    np.testing.assert_array_equal(loaded.transform(cells), fitted.transform(cells))
    np.testing.assert_array_equal(loaded.style(cells), fitted.style(cells))
    loaded.update(cells[:40])
    assert isinstance(loaded.encoder_.layers[0], Upright)


def test_the_decoder_alone_learns_from_upright_samples(cells, tmp_path):
    fitted = fit(cells, is_read=False)
    read = fitted.encoder_.layers[-1](cells.reshape(len(cells), -1))
    np.testing.assert_allclose(fitted.transform(cells), as_array(read), atol=1e-3)
    upright = as_array(Upright()(cells))
    fitted.save(tmp_path / "map")
    loaded = load_ParametricUMAP(tmp_path / "map")
    loaded.update(cells[:40])
    for each in (fitted, loaded):
        decoded = each.inverse_transform(each.transform(cells), style=each.style(cells))
        error, chance = np.square(decoded - upright).mean(), np.square(decoded - cells).mean()
        assert error < 0.5 * chance


def test_saliency_is_finite(cells, fitted):
    assert np.isfinite(fitted.encoder_jacobian(cells[:2])).all()


def test_an_upright_encoder_is_exported(cells, fitted, tmp_path):
    pytest.importorskip("tf2onnx")
    onnxruntime = pytest.importorskip("onnxruntime")
    file = fitted.to_onnx(tmp_path / "encoder.onnx")
    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    (found,) = session.run(None, {session.get_inputs()[0].name: cells})
    width = np.ptp(fitted.embedding_, axis=0).max()
    np.testing.assert_allclose(found, fitted.transform(cells), atol=1e-3 * width)
