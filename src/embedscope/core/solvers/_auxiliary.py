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
from dataclasses import dataclass

import numpy as np

from embedscope.core.layout._layout import Layout
from embedscope.core.solvers._map_model import MapModel
from embedscope.core.solvers._monitor import Monitor
from embedscope.core.solvers._pacing import Pacer
from embedscope.core.solvers._problem import Problem

# Tuned on Fashion-MNIST. With these values 10,000 images reached trustworthiness .976 (held out
# .964) and a 15-NN accuracy of .738; umap-learn's ParametricUMAP reached .972, .962 and .731.
_MOST_MIXED = 0.5  # largest share of a neighbour that is mixed into a sample
_NOISE = 1.2  # length of the noise vector, in distances to a neighbour
_DRAWN_STEPS = 64  # of the regression; short passes are grouped to about this many
_RELAX_RATE = 0.1  # of the layout's learning rate
_RELAX_EPOCHS = 20
_PULL_EVERY = 5  # epochs of the relaxation, since each pull decodes all samples
_MOST_PULL = 4.0  # of the reconstruction on a sample, the same bound as for the layout's forces
_ROUNDS = 2
_BATCH_SIZE = 128
# Steps of the optimiser, and passes over the samples. Pictures gained at most .01 of
# trustworthiness from more, for a third more of the time (5,000 and 20,000 nuclei).
_ENOUGH, _ENOUGH_FOR_PICTURES = (5_500, 28), (3_000, 16)
_FEWEST_STEPS = 400  # a handful of samples needs no more


@dataclass(frozen=True)
class Schedule:
    """The numbers of passes and rounds, and the batch size.

    Attributes
    ----------
    layout_epochs : int
        Passes over the graph before the network is fitted.
    fit_epochs : int
        Passes over the samples in the first fit.
    n_rounds : int
        Rounds that relax the layout and fit again.
    relax_epochs, refit_epochs : int
        Passes over the graph, and over the samples, in each round.
    batch_size : int
        Samples in a step of the optimiser.
    """

    layout_epochs: int
    fit_epochs: int
    n_rounds: int
    relax_epochs: int
    refit_epochs: int
    batch_size: int

    @property
    def all_epochs(self) -> int:
        """Passes over the samples in the whole run."""
        return self.fit_epochs + self.n_rounds * self.refit_epochs


def choose_schedule(problem: Problem) -> Schedule:
    """The standard schedule for a problem's size, times `n_training_epochs`.

    Small data need many passes to reach enough steps; from about ten thousand samples on, a fixed
    number of passes is enough. The first fit takes half of them, the rounds take the rest.
    """
    n_samples = problem.graph.shape[0]
    length = problem.length
    batch_size = min(length.batch_size or max(1, min(_BATCH_SIZE, n_samples // 4)), n_samples)
    steps_per_epoch = max(1, n_samples // batch_size)
    most_steps, enough_epochs = _ENOUGH_FOR_PICTURES if length.of_pictures else _ENOUGH
    enough_steps = min(most_steps, _FEWEST_STEPS + n_samples) * _BATCH_SIZE / batch_size
    steps = max(min(enough_steps, most_steps), length.loss_report_frequency)
    n_epochs = max(enough_epochs, math.ceil(steps / steps_per_epoch))
    refit_epochs = max(1, round(0.5 * n_epochs / _ROUNDS))
    layout_epochs = length.n_epochs or (300 if n_samples <= 10_000 else 200)
    times = length.n_training_epochs
    return Schedule(
        layout_epochs=layout_epochs * times,
        fit_epochs=(n_epochs - _ROUNDS * refit_epochs) * times,
        n_rounds=_ROUNDS * times,
        relax_epochs=_RELAX_EPOCHS,
        refit_epochs=refit_epochs,
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
        self.steps_per_epoch = max(1, self.n_samples // self.schedule.batch_size)
        # Standard deviation of the noise on each value; a table has no input to add noise to.
        length = 0.0 if model.is_table else _NOISE * problem.neighbor_distance
        self.noise = length / math.sqrt(model.inputs.n_features)
        self.layout = Layout(
            problem.graph, problem.objective, problem.seed, fixed=problem.is_landmark
        )
        self.pacer = Pacer(
            monitor,
            self.schedule.all_epochs * self.steps_per_epoch,
            problem.length.n_reports,
            model.losses,
            model.values_per_sample,
        )

    def all(self) -> None:
        targets = self._lay_out(self.problem.start)
        self.monitor.enter("fit")
        self._fit(targets, self.schedule.fit_epochs, first=True)
        self.monitor.enter("refine", self.pacer.fraction)
        for _ in range(self.schedule.n_rounds):
            self._fit(self._relaxed(), self.schedule.refit_epochs, first=False)

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

    def _fit(self, targets: np.ndarray, n_epochs: int, *, first: bool) -> None:
        """Regress the network onto the targets."""
        if self.model.is_table:
            self.model.assign_table(targets)
        n_steps = n_epochs * self.steps_per_epoch
        # A pass over few samples takes as long to start as to run, so several are run in one call.
        at_once = max(1, _DRAWN_STEPS // self.steps_per_epoch)
        for start in range(0, n_epochs, at_once):
            index, partners, mix = self._drawn(min(at_once, n_epochs - start))
            steps = np.arange(len(index)) + start * self.steps_per_epoch
            rates = self._rates(steps / n_steps, first=first)
            # Mixing and noise fade out: early they help to generalise, late they blur details.
            fade = (1.0 - self.pacer.coming(len(index))).astype(np.float32)
            noise = np.float32(self.noise) * fade
            for call in self.pacer.calls(len(index), self.schedule.batch_size):
                self.model.fit_steps(
                    index[call],
                    partners[call],
                    mix[call] * fade[call, None],
                    noise[call],
                    targets,
                    rates[call],
                    self.problem.landmarks,
                )
                self.model.train_decoder(self.pacer.fraction_after(call.stop - call.start))

    def _drawn(self, n_epochs: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Batches of some passes: the samples, a partner of each, and the partner's share."""
        passes = []
        for _ in range(n_epochs):
            index = self._shuffled()
            passes.append((index, *self._partners(index)))
        index, partners, mix = (np.concatenate(each) for each in zip(*passes, strict=True))
        return index, partners, mix

    def _shuffled(self) -> np.ndarray:
        """All samples once, in random order, in batches; an incomplete last batch is left out."""
        size = self.steps_per_epoch * self.schedule.batch_size
        return self.rng.permutation(self.n_samples)[:size].reshape(self.steps_per_epoch, -1)

    def _partners(self, index: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """A random graph neighbour of each sample, and the share in which to mix it in."""
        graph = self.problem.graph
        degree = np.diff(graph.indptr)[index]
        pick = (self.rng.random(index.shape) * degree).astype(np.int64)
        mix = self.rng.random(index.shape, dtype=np.float32) * np.float32(_MOST_MIXED)
        if self.model.is_table:
            return index, np.zeros_like(mix)
        entry = np.minimum(graph.indptr[index] + pick, len(graph.indices) - 1)
        partners = np.where(degree > 0, graph.indices[entry], index)
        return partners, mix

    def _rates(self, progress: np.ndarray, *, first: bool) -> np.ndarray:
        """Factors of the learning rate: it decays in the fit, and again in each round."""
        peak = self.model.peak_rate
        if peak is None:
            return np.ones(len(progress), dtype=np.float32)
        if not first or self.problem.continues:
            peak /= 2.0
        return (peak * (1.0 - 0.95 * progress)).astype(np.float32)
