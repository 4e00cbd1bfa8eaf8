"""Write umap-learn's results for small inputs, for comparison in the tests.

umap-learn is not among the tests' requirements, so its results and inputs are stored beside this
script. To make them again: ``python tests/core/reference/make_reference.py`` with
umap-learn 0.5.12 installed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from scipy.spatial.distance import cdist
from umap.umap_ import (
    discrete_metric_simplicial_set_intersection,
    find_ab_params,
    fuzzy_simplicial_set,
    general_simplicial_set_intersection,
    reset_local_connectivity,
)

N_NEIGHBORS = 8
FOLDER = Path(__file__).parent


def exact_neighbors(X: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Neighbours in float64, itself first."""
    squared = cdist(X, X)
    np.fill_diagonal(squared, -1.0)
    indices = np.argsort(squared, axis=1, kind="stable")[:, :k].astype(np.int32)
    nearest = np.take_along_axis(squared, indices, axis=1)
    return indices, np.maximum(nearest, 0.0).astype(np.float32)


def data_sets() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(7)
    blobs = np.vstack([rng.normal(centre, 1.0, (20, 3)) for centre in (-4.0, 0.0, 5.0)])
    duplicates = blobs.copy()
    duplicates[:6] = duplicates[0]  # a row with fewer neighbours apart than it asks for
    duplicates[30:42] = duplicates[30]  # more duplicates than neighbours
    grid = np.stack(np.meshgrid(np.arange(8.0), np.arange(7.0)), axis=-1).reshape(-1, 2)
    return {"blobs": blobs, "duplicates": duplicates, "grid": grid, "equal": 3.0 * np.eye(20)}


def dense(graph: Any) -> np.ndarray:
    return np.asarray(graph.todense(), dtype=np.float32)


def umap_graph(indices: np.ndarray, distances: np.ndarray, **options: float) -> Any:
    graph, _, _ = fuzzy_simplicial_set(
        np.zeros((len(indices), 1)),
        N_NEIGHBORS,
        None,
        "euclidean",
        knn_indices=indices,
        knn_dists=distances,
        **options,
    )
    return graph


def fuzzy_sets() -> dict[str, np.ndarray]:
    stored: dict[str, np.ndarray] = {}
    for name, X in data_sets().items():
        indices, distances = exact_neighbors(X, N_NEIGHBORS)
        stored[f"{name}:indices"], stored[f"{name}:distances"] = indices, distances
        for local_connectivity in (0.5, 1.0, 1.5, 2.0):
            graph = umap_graph(indices, distances, local_connectivity=local_connectivity)
            stored[f"{name}:{local_connectivity}:1.0"] = dense(graph)
        for mix_ratio in (0.0, 0.3):
            graph = umap_graph(indices, distances, set_op_mix_ratio=mix_ratio)
            stored[f"{name}:1.0:{mix_ratio}"] = dense(graph)
    return stored


def supervised_sets() -> dict[str, np.ndarray]:
    X = data_sets()["blobs"]
    rng = np.random.default_rng(8)
    labels = rng.integers(-1, 3, len(X))
    targets = X[:, 0] + rng.normal(0, 0.5, len(X))
    data = exact_neighbors(X, N_NEIGHBORS)
    target = exact_neighbors(targets[:, None], N_NEIGHBORS)
    stored = {
        "indices": data[0],
        "distances": data[1],
        "target_indices": target[0],
        "target_distances": target[1],
        "labels": labels,
    }
    for weight in (0.0, 0.3, 0.5, 0.9, 1.0):
        far = 2.5 / (1.0 - weight) if weight < 1.0 else 1e12  # as UMAP.fit sets it
        by_label = discrete_metric_simplicial_set_intersection(
            umap_graph(*data), labels, far_dist=far
        )
        stored[f"labels:{weight}"] = dense(by_label)
        by_target = general_simplicial_set_intersection(
            umap_graph(*data), umap_graph(*target), weight=weight
        )
        stored[f"targets:{weight}"] = dense(reset_local_connectivity(by_target))
    return stored


def curves() -> dict[str, np.ndarray]:
    rows = [
        (min_dist, spread, *find_ab_params(spread, min_dist))
        for spread in (0.5, 1.0, 2.0)
        for min_dist in (0.0, 0.01, 0.1, 0.25, 0.5, 0.8, 0.99, 1.0)
        if min_dist <= spread
    ]
    return {"min_dist_spread_a_b": np.array(rows)}


if __name__ == "__main__":
    np.savez_compressed(FOLDER / "fuzzy.npz", **fuzzy_sets())
    np.savez_compressed(FOLDER / "supervised.npz", **supervised_sets())
    np.savez_compressed(FOLDER / "curve.npz", **curves())
