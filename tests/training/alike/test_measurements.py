"""Measurements of pictures: known shapes, and what a turn must not change."""

from __future__ import annotations

import numpy as np
import pytest

from embedscope.samples import jurkat_cells, samples_from_labels
from embedscope.training.alike._measurements import (
    measured_features,
    measurements,
    object_masks,
    standardised,
)

RADIUS_PX = 8


@pytest.fixture(scope="module")
def cells() -> np.ndarray:
    field = jurkat_cells()
    ids = field.label_ids[:60]
    cut = samples_from_labels(field.image, field.labels, 40, label_ids=ids, features=False)
    return cut.X


def disc(side: int = 33) -> np.ndarray:
    away = np.arange(side) - side // 2
    return np.hypot(away[:, None], away) <= RADIUS_PX


@pytest.mark.parametrize(
    "turned",
    [lambda X: np.rot90(X, 1, (1, 2)), lambda X: np.rot90(X, 2, (1, 2)), lambda X: X[:, :, ::-1]],
)
def test_turned_and_mirrored_cells_measure_the_same(cells, turned):
    masks = object_masks(cells)
    other = np.ascontiguousarray(turned(cells))
    assert np.array_equal(object_masks(other), turned(masks))
    one = measurements(cells, masks)
    deviation = np.maximum(one.std(axis=0), 1e-6)
    difference = measurements(other, np.ascontiguousarray(turned(masks))) - one
    assert np.abs(difference / deviation).max() < 1e-2


def test_the_otsu_mask_of_a_disc_is_the_disc():
    picture = np.where(disc(), 0.8, 0.2).astype(np.float32)[None, ..., None]
    wrong = object_masks(picture)[0] ^ disc()
    assert wrong.sum() <= 0.1 * disc().sum()


def test_area_and_mean_of_a_disc():
    picture = np.where(disc(), 0.8, 0.2).astype(np.float32)[None, ..., None]
    found = measurements(picture, disc()[None])[0]
    assert found[0] == disc().sum()
    assert np.isclose(found, 0.8, atol=1e-5).any()
    assert np.isclose(found, 0.8 * disc().sum(), rtol=1e-5).any()


def test_standardised_measurements_have_no_constant_columns_and_no_outliers(rng):
    values = rng.normal(size=(200, 4)).astype(np.float32)
    values[:, 1] = 3.0
    values[0, 2] = 1e6
    found = standardised(values)
    assert found.shape == (200, 3)
    assert np.abs(np.median(found, axis=0)).max() < 1e-6
    assert np.abs(found).max() <= 5.0


@pytest.mark.parametrize("shape", [(6, 1, 1, 1), (6, 5, 9, 2), (6, 3, 12, 12, 1)])
@pytest.mark.parametrize("constant", [False, True])
def test_small_constant_and_deep_pictures_are_measured(rng, shape, constant):
    pictures = np.full(shape, 0.5, np.float32) if constant else rng.random(shape, np.float32)
    found = measured_features(pictures)
    assert found.shape[0] == 6
    assert found.shape[1] >= 1
    assert np.isfinite(found).all()


def test_progress_ends_at_one_and_may_stop(cells):
    shares: list[float] = []
    measured_features(cells, report=shares.append)
    assert shares[-1] == 1.0

    def stop(share: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        measured_features(cells, report=stop)
