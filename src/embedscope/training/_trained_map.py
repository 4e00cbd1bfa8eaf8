"""The result of a run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from embedscope.training._parameters import TrainingParameters

if TYPE_CHECKING:
    from embedscope.core import ParametricUMAP
    from embedscope.samples import Samples


@dataclass(frozen=True, eq=False)
class TrainedMap:
    """A trained estimator, with the samples and parameters that it was trained with.

    Attributes
    ----------
    estimator : ParametricUMAP
        Fitted.
    samples : Samples
        The samples it was trained on.
    parameters : TrainingParameters
    embedding : ndarray of shape (n_samples, 2), float32, read-only
        Their positions on the map.
    losses : dict of str to list of float
        The history of each loss, an entry for each epoch.
    run_id : int
        Id of the run that made it.
    """

    estimator: ParametricUMAP
    samples: Samples
    parameters: TrainingParameters
    embedding: np.ndarray
    losses: dict[str, list[float]]
    run_id: int
