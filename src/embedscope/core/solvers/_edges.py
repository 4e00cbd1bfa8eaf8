"""The solver of umap-learn's documentation: gradient descent on batches of sampled edges.

Much slower than the auxiliary solver; kept for direct comparison, and for users who build on it.
Edges are sampled by inverting the cumulative distribution of their strengths, negative samples are
taken from the batch, and every sample of a batch is encoded once.

References
----------
Sainburg, McInnes and Gentner, "Parametric UMAP embeddings for representation and semisupervised
learning", Neural Computation 33 (2021), doi:10.1162/neco_a_01434.
"""

from __future__ import annotations

import numpy as np

from embedscope.core.layout._density import squared_lengths
from embedscope.core.networks._probe import draw_edges
from embedscope.core.solvers._map_model import MapModel
from embedscope.core.solvers._monitor import Monitor
from embedscope.core.solvers._pacing import Pacer
from embedscope.core.solvers._problem import Problem

_BATCH_SIZE = 1_000  # edges, as in umap-learn
_DRAWN_STEPS = 64  # steps whose edges are sampled at once
_LEAST_BLOCKS = 20  # of a run with densMAP: by default six of them are in the last 30 %
_TABLE_RATE = 30.0  # times the optimiser's rate: positions have to change more than weights


class EdgesSolver:
    """One Keras step for each batch of edges."""

    def solve(self, problem: Problem, model: MapModel, monitor: Monitor) -> None:
        """Run the whole schedule; see `Solver.solve`."""
        graph, length = problem.graph, problem.length
        rng = np.random.default_rng([problem.seed, 1])
        batch_size = length.batch_size or min(_BATCH_SIZE, graph.shape[0])
        n_steps = count_steps(problem, batch_size)
        if model.is_table:
            model.assign_table(problem.start)
        pacer = Pacer(monitor, n_steps, length.n_reports, model.losses, model.values_per_sample)
        edges = graph.tocoo()
        factor = _TABLE_RATE if model.is_table and model.peak_rate is not None else 1.0
        monitor.enter("fit")
        block = _DRAWN_STEPS
        if (
            problem.density is not None
        ):  # its weights follow the map, and act in the last steps only
            block = min(block, max(1, n_steps // _LEAST_BLOCKS))
        for start in range(0, n_steps, block):
            shape = (min(block, n_steps - start), batch_size)
            drawn = draw_edges(edges.data, shape[0] * shape[1], rng).reshape(shape)
            rate = problem.objective.negative_sample_rate
            negatives = rng.integers(batch_size, size=(shape[0], rate, batch_size))
            density = _density_weights(problem, model, pacer.fraction)
            for call in pacer.calls(shape[0], batch_size):
                model.edge_steps(
                    edges.row[drawn[call]],
                    edges.col[drawn[call]],
                    negatives[call],
                    density[:, drawn[call]].swapaxes(0, 1),
                    np.full(call.stop - call.start, factor, dtype=np.float32),
                    problem.objective,
                    problem.landmarks,
                )
                model.train_decoder(pacer.fraction_after(call.stop - call.start))


def count_steps(problem: Problem, batch_size: int) -> int:
    """Steps of the whole run: an edge of full strength is sampled `n_epochs` times on average."""
    n_samples = problem.graph.shape[0]
    n_epochs = problem.length.n_epochs or (500 if n_samples <= 10_000 else 200)
    strengths = problem.graph.data
    total = float(strengths.sum(dtype=np.float64)) / float(strengths.max())
    standard = round(problem.length.effort * n_epochs * total / batch_size)
    return max(standard, problem.length.loss_report_frequency) * problem.length.n_training_epochs


def _density_weights(problem: Problem, model: MapModel, progress: float) -> np.ndarray:
    """Weight of each edge's squared length in the loss, and its squared length in the current map.

    Array of shape (2, n_edges).
    """
    graph, density = problem.graph, problem.density
    if density is None or not density.acts_at(progress):
        return np.stack([np.zeros(graph.nnz, np.float32), np.ones(graph.nnz, np.float32)])
    positions = model.encode()
    pull = density.pull(graph, positions, problem.objective)
    # The pull is a force per sampled edge; the loss is a mean over attractive and repulsive terms.
    weights = -0.5 * pull / (1.0 + problem.objective.negative_sample_rate)
    edges = graph.tocoo()
    return np.stack([weights, squared_lengths(positions, edges.row, edges.col)], dtype=np.float32)
