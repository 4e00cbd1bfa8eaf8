"""The input of a solver, and the interface of all solvers."""

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
    """The length of a training.

    Attributes
    ----------
    n_training_epochs : int
        1 is the solver's standard schedule; larger values train proportionally longer.
    loss_report_frequency : int
        Entries of the history for each training epoch.
    n_epochs : int or None
        Passes over the graph in the layout; None for the solver's default.
    batch_size : int or None
        None for the solver's default.
    effort : float
        Multiplies the steps of the standard schedule; see `_qualities`.
    of_pictures : bool
        The encoder is one for pictures, which needs fewer steps.
    """

    n_training_epochs: int = 1
    loss_report_frequency: int = 10
    n_epochs: int | None = None
    batch_size: int | None = None
    effort: float = 1.0
    of_pictures: bool = False

    @property
    def n_reports(self) -> int:
        """Number of entries that the history gets."""
        return self.n_training_epochs * self.loss_report_frequency


@dataclass(frozen=True)
class Problem:
    """A graph to lay out, with the objective, the start and the constraints.

    Attributes
    ----------
    graph : csr_matrix of shape (n_samples, n_samples), float32
        Membership strengths, symmetric.
    objective : Objective
    start : ndarray of shape (n_samples, n_components), float32
        Initial positions of the layout.
    neighbor_distance : float
        Typical distance of a sample to its neighbours in the encoder's input space; the unit of
        noise.
    length : TrainingLength
    learning_rate : float
        Learning rate of the layout.
    landmarks : ndarray of shape (n_samples, n_components), float32, or None
        Positions to hold; NaN in rows without a landmark.
    density : DensityTerm or None
    seed : int
    continues : bool
        The networks are trained already and should change little.
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
        """Which samples have a landmark, ndarray of shape (n_samples,), bool."""
        if self.landmarks is None:
            return None
        return np.asarray(np.isfinite(self.landmarks).all(axis=1))


class Solver(Protocol):
    """Trains the networks of a model on a problem, in place."""

    def solve(self, problem: Problem, model: MapModel, monitor: Monitor) -> None:
        """Run the whole schedule.

        An exception of `monitor` stops the run; the model is usable after every batch.
        """
