"""On a map of any orientation copies of a cell lie where the cell does."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import rotate

from embedscope import ParametricUMAP
from embedscope.samples import jurkat_cells, samples_from_array, samples_from_labels
from embedscope.training import TrainingParameters, make_estimator


def with_other_corners(cells: np.ndarray) -> np.ndarray:
    copies = cells.copy()
    copies[:, :5, :5] = copies[:, -5:, -5:] = 1.0
    return copies


COPIES = {
    "turned by 90 degrees": lambda X: np.rot90(X, 1, (1, 2)),
    "turned by 37 degrees": lambda X: rotate(X, 37, axes=(1, 2), reshape=False, mode="nearest"),
    "other corners": with_other_corners,
}


@pytest.fixture(scope="module")
def cells() -> np.ndarray:
    field = jurkat_cells()
    return samples_from_labels(field.image, field.labels, 40, features=False).X


@pytest.fixture(scope="module")
def estimator(cells) -> ParametricUMAP:
    chosen = TrainingParameters(alike="any orientation", quality="fast", reconstruction=False)
    made, fit_kwargs = make_estimator(chosen, samples_from_array(cells[:400]))
    return made.fit(**fit_kwargs)


@pytest.mark.parametrize("copy", COPIES.values(), ids=COPIES)
def test_copies_of_unseen_cells_lie_within_two_percent(cells, estimator, copy):
    unseen = cells[400:600]
    copies = np.ascontiguousarray(np.clip(copy(unseen), 0.0, 1.0), dtype=np.float32)
    away = np.linalg.norm(estimator.transform(copies) - estimator.transform(unseen), axis=1)
    assert np.percentile(away, 95) < 0.02 * np.ptp(estimator.embedding_, axis=0).max()
