"""What a solver is given to solve, and the interface that all solvers share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy import sparse

from embedscope.core.layout._density import DensityTerm
from embedscope.core.layout._layout import Objective
from embedscope.core.solvers._map_model import MapModel
from embedscope.core.solvers._monitor import Monitor


@dataclass(frozen=True)
class TrainingLength:
    """How long to train.

    Attributes
    ----------
    n_training_epochs : int
        1 is the solver's standard schedule; more train proportionally longer.
    loss_report_frequency : int
        Entries of the history for each training epoch.
    n_epochs : int or None
        Passes over the graph in the layout; None for the solver's own choice.
    batch_size : int or None
        None for the solver's own choice.
    of_pictures : bool
        The encoder is the built-in one for pictures, which needs fewer steps.
    """

    n_training_epochs: int = 1
    loss_report_frequency: int = 10
    n_epochs: int | None = None
    batch_size: int | None = None
    of_pictures: bool = False

    @property
    def n_reports(self) -> int:
        """Entries that the history gets."""
        return self.n_training_epochs * self.loss_report_frequency


@dataclass(frozen=True)
class Problem:
    """A graph to lay out, and the freedom there is in it.

    Attributes
    ----------
    graph : csr_matrix of shape (n_samples, n_samples), float32
        Membership strengths, symmetric.
    objective : Objective
    start : ndarray of shape (n_samples, n_components), float32
        Where the layout begins.
    neighbor_distance : float
        Typical distance of a sample to its neighbours in the encoder's input space: the natural
        unit of noise.
    length : TrainingLength
    learning_rate : float
        Of the layout.
    landmarks : ndarray of shape (n_samples, n_components), float32, or None
        Places to hold; NaN in the rows that are free.
    density : DensityTerm or None
    seed : int
    continues : bool
        The networks are trained already and should change gently.
    """

    graph: sparse.csr_matrix
    objective: Objective
    start: np.ndarray
    neighbor_distance: float
    length: TrainingLength
    learning_rate: float = 1.0
    landmarks: np.ndarray | None = None
    density: DensityTerm | None = None
    seed: int = 0
    continues: bool = False

    @property
    def is_landmark(self) -> np.ndarray | None:
        """Which samples have a place to hold, ndarray of shape (n_samples,), bool."""
        if self.landmarks is None:
            return None
        return np.asarray(np.isfinite(self.landmarks).all(axis=1))


class Solver(Protocol):
    """Trains the networks of a model on a problem, in place."""

    def solve(self, problem: Problem, model: MapModel, monitor: Monitor) -> None:
        """Run the whole schedule; return early where the monitor says so.

        `monitor` raises whatever stops the run; the model is usable after every batch.
        """
