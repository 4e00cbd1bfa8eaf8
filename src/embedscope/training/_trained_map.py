"""What a run leaves behind."""

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
    """A trained estimator together with the samples and the choices that it came from.

    Attributes
    ----------
    estimator : ParametricUMAP
        Fitted.
    samples : Samples
        Those it was trained on, whatever is selected meanwhile.
    parameters : TrainingParameters
    embedding : ndarray of shape (n_samples, 2), float32, read-only
        Their places on the map.
    losses : dict of str to list of float
        The history, an entry for each epoch.
    run_id : int
        Of the run that made it.
    """

    estimator: ParametricUMAP
    samples: Samples
    parameters: TrainingParameters
    embedding: np.ndarray
    losses: dict[str, list[float]]
    run_id: int
