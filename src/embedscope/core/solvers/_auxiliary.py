"""The default solver: the method of auxiliary coordinates.

UMAP's objective is minimised over a free table of positions, where a step costs nanoseconds. The
network is then fitted to the table by regression. A few rounds follow, in each of which the
network's output is relaxed and the network fitted again. The encoder is evaluated some dozen times
for each sample; training on edges evaluates it thousands of times.

References
----------
Carreira-Perpiñán and Vladymyrov, "A fast, universal algorithm to learn parametric nonlinear
embeddings", NIPS 2015.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from embedscope.core.layout._layout import Layout
from embedscope.core.solvers._map_model import MapModel
from embedscope.core.solvers._monitor import Monitor
from embedscope.core.solvers._pacing import Pacer
from embedscope.core.solvers._problem import Problem

# Chosen by scores of held-out samples on seven data sets: see benchmarks/RESULTS.md.
_NOISE = 1.6  # length of the noise vector, in distances to a neighbour
_RELAX_RATE = 0.3  # of the layout's learning rate
_RELAX_EPOCHS = 20
_PULL_EVERY = 5  # epochs of the relaxation, since each pull decodes all samples
_MOST_PULL = 4.0  # of the reconstruction on a sample, the same bound as for the layout's forces
_ROUNDS = 10
_FIRST_SHARE = 0.25  # of all steps, before the first round
_LAST_RATE = 0.05  # of the first learning rate
_BATCH_SIZE = 256
# Steps of the optimiser, and passes over the samples.
_MOST_STEPS, _ENOUGH_PASSES = 2_500, 16
_FEWEST_STEPS = 400  # a handful of samples needs no more
_PICTURES_SHARE = 0.5  # of the steps: longer training placed unseen Jurkat cells no better


@dataclass(frozen=True)
class Schedule:
    """The numbers of steps and rounds, and the batch size.

    Attributes
    ----------
    layout_epochs : int
        Passes over the graph before the network is fitted.
    n_steps : int
        Steps of the optimiser in the whole run.
    n_rounds : int
        Rounds that relax the layout and fit again.
    relax_epochs : int
        Passes over the graph in each round.
    batch_size : int
        Samples in a step of the optimiser.
    """

    layout_epochs: int
    n_steps: int
    n_rounds: int
    relax_epochs: int
    batch_size: int

    @property
    def fits(self) -> list[int]:
        """The steps of the first fit, and of the fit in each round."""
        first = max(1, round(_FIRST_SHARE * self.n_steps))
        ends = np.linspace(first, self.n_steps, self.n_rounds + 1).round().astype(int)
        return [first, *np.diff(ends).tolist()]


def choose_schedule(problem: Problem) -> Schedule:
    """The standard schedule for a problem's size, times `n_training_epochs`.

    Small data need many passes to reach enough steps; from about forty thousand samples on, a fixed
    number of passes is enough.
    """
    n_samples = problem.graph.shape[0]
    length = problem.length
    batch_size = min(length.batch_size or max(1, min(_BATCH_SIZE, n_samples // 4)), n_samples)
    enough_steps = min(_MOST_STEPS, _FEWEST_STEPS + n_samples // 2) * _BATCH_SIZE / batch_size
    n_steps = max(min(enough_steps, _MOST_STEPS), _ENOUGH_PASSES * n_samples / batch_size)
    share = length.effort * (_PICTURES_SHARE if length.of_pictures else 1.0)
    n_steps = max(math.ceil(n_steps * share), length.loss_report_frequency)
    layout_epochs = length.n_epochs or (300 if n_samples <= 10_000 else 200)
    times = length.n_training_epochs
    return Schedule(
        layout_epochs=layout_epochs * times,
        n_steps=n_steps * times,
        n_rounds=max(1, round(_ROUNDS * length.effort)) * times,
        relax_epochs=_RELAX_EPOCHS,
        batch_size=batch_size,
    )


class AuxiliarySolver:
    """Alternates between a free layout and a regression of the network onto it."""

    def solve(self, problem: Problem, model: MapModel, monitor: Monitor) -> None:
        """Run the whole schedule; see `Solver.solve`."""
        _Run(problem, model, monitor).all()


class _Run:
    """One run of the auxiliary solver: its random numbers, its schedule and its targets."""

    def __init__(self, problem: Problem, model: MapModel, monitor: Monitor) -> None:
        self.problem = problem
        self.model = model
        self.monitor = monitor
        self.rng = np.random.default_rng([problem.seed, 1])
        self.schedule = choose_schedule(problem)
        self.n_samples = problem.graph.shape[0]
        self.batches = _batches(self.rng, self.n_samples, self.schedule.batch_size)
        # Standard deviation of the noise on each value; a table has no input to add noise to.
        length = 0.0 if model.is_table else _NOISE * problem.neighbor_distance
        self.noise = length / math.sqrt(model.inputs.n_features)
        self.layout = Layout(
            problem.graph, problem.objective, problem.seed, fixed=problem.is_landmark
        )
        self.pacer = Pacer(
            monitor,
            self.schedule.n_steps,
            problem.length.n_reports,
            model.losses,
            model.values_per_sample,
        )

    def all(self) -> None:
        targets = self._lay_out(self.problem.start)
        self.monitor.enter("fit")
        first, *others = self.schedule.fits
        self._fit(targets, first)
        self.monitor.enter("refine", self.pacer.fraction)
        for n_steps in others:
            self._fit(self._relaxed(), n_steps)

    def _lay_out(self, positions: np.ndarray) -> np.ndarray:
        """Optimise the free table from its initial positions."""
        self.monitor.enter("layout")
        positions = self._at_landmarks(positions)
        n_epochs = self.schedule.layout_epochs
        for epoch in range(n_epochs):
            progress = epoch / n_epochs
            step = self.problem.learning_rate * (1.0 - progress)
            positions = self.layout.epoch(positions, step, self._density_pull(positions, progress))
            self.monitor.show_map(positions.copy)
            self.monitor.advance((epoch + 1) / n_epochs)
        self.monitor.show_map(self.model.encode)
        return positions

    def _relaxed(self) -> np.ndarray:
        """The network's output, relaxed by a few epochs of the layout."""
        positions = self._at_landmarks(self.model.encode())
        n_epochs = self.schedule.relax_epochs
        for epoch in range(n_epochs):
            step = _RELAX_RATE * self.problem.learning_rate * (1.0 - epoch / n_epochs)
            positions = self.layout.epoch(positions, step, self._density_pull(positions, 1.0))
            if epoch % _PULL_EVERY == 0:
                positions = self._pulled(positions, step * _PULL_EVERY)
            self.monitor.advance(self.pacer.fraction)
        return positions

    def _pulled(self, positions: np.ndarray, step: float) -> np.ndarray:
        """A step down the reconstruction loss, if the encoder minimises it too.

        On average the objective weighs a sample's reconstruction like one of its edges. So the step
        is multiplied by the number of edges that act on the sample in an epoch of the layout.
        """
        pull = self.model.reconstruction_pull(positions)
        if pull is None:
            return positions
        strength = self.problem.graph.sum(axis=1) / self.problem.graph.data.max()
        moved = positions + step * np.clip(np.asarray(strength) * pull, -_MOST_PULL, _MOST_PULL)
        return self._at_landmarks(moved.astype(np.float32))

    def _at_landmarks(self, positions: np.ndarray) -> np.ndarray:
        fixed = self.problem.is_landmark
        if fixed is None or self.problem.landmarks is None:
            return positions
        return np.where(fixed[:, None], self.problem.landmarks, positions).astype(np.float32)

    def _density_pull(self, positions: np.ndarray, progress: float) -> np.ndarray | None:
        density = self.problem.density
        if density is None or not density.acts_at(progress):
            return None
        return density.pull(self.problem.graph, positions, self.problem.objective)

    def _fit(self, targets: np.ndarray, n_steps: int) -> None:
        """Regress the network onto the targets."""
        if self.model.is_table:
            self.model.assign_table(targets)
        batch_size = self.schedule.batch_size
        for call in self.pacer.calls(n_steps, batch_size):
            n_batches = call.stop - call.start
            done = self.pacer.coming(n_batches)
            self.model.fit_steps(
                np.stack([next(self.batches) for _ in range(n_batches)]),
                # Noise fades out: early it helps to generalise, late it blurs details.
                (self.noise * (1.0 - done)).astype(np.float32),
                targets,
                self._rates(done),
                self.problem.landmarks,
            )
            self.model.train_decoder(self.pacer.fraction_after(n_batches))

    def _rates(self, done: np.ndarray) -> np.ndarray:
        """Factors of the learning rate, which decays over the whole run."""
        peak = self.model.peak_rate
        if peak is None:
            return np.ones(len(done), dtype=np.float32)
        if self.problem.continues:
            peak /= 2.0
        return (peak * (1.0 - (1.0 - _LAST_RATE) * done)).astype(np.float32)


def _batches(rng: np.random.Generator, n_samples: int, size: int) -> Iterator[np.ndarray]:
    """Batches of sample numbers without end: each pass has all samples in a new random order.

    An incomplete last batch of a pass is left out.
    """
    while True:
        order = rng.permutation(n_samples)
        for start in range(0, n_samples - size + 1, size):
            yield order[start : start + size]
