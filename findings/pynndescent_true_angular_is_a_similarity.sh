#!/usr/bin/env bash
# pynndescent: the "distances" of the metric "true_angular" are similarities.
#
# Versions: pynndescent 0.7.0, umap-learn 0.5.12, Python 3.11.
#
# Expected: the angle between two rows in half turns, 0 for the same direction, as the docstring says.
# Seen: 1 minus that angle. The neighbours themselves are right, since they are found by the cosine,
# but the nearest neighbour has the largest "distance". umap-learn takes the first one for the smallest
# and gives all that are not above it a membership of 1: the graph has no weights left.
# What helps: metric="cosine", which orders rows alike.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet pynndescent==0.7.0 umap-learn==0.5.12 "scikit-learn>=1.6" 2>/dev/null
cd "$folder"
cat >probe.py <<'PYTHON'
import numpy as np
from pynndescent import NNDescent
from umap.umap_ import fuzzy_simplicial_set

rows = np.random.default_rng(0).random((500, 8)).astype(np.float32)
units = rows / np.linalg.norm(rows, axis=1, keepdims=True)
angles = np.arccos(np.clip(units @ units.T, -1, 1)) / np.pi


def neighbors(metric):
    return NNDescent(rows, metric=metric, n_neighbors=10, random_state=0).neighbor_graph


indices, distances = neighbors("true_angular")
true = np.take_along_axis(angles, indices, axis=1)
print("true angles of row 0 and its neighbours", true[0, :4].round(3))
print("what pynndescent gives                 ", distances[0, :4].round(3))
assert (np.diff(true, axis=1) >= -1e-3).all(), "the neighbours are in the order of their angles"
assert np.allclose(distances[:, 1:], 1 - true[:, 1:], atol=1e-3), "the values are 1 - angle"

for metric in ("true_angular", "cosine"):
    indices, distances = neighbors(metric)
    graph = fuzzy_simplicial_set(
        rows, 10, np.random.RandomState(0), metric, knn_indices=indices, knn_dists=distances,
        apply_set_operations=False,
    )[0].toarray()
    memberships = np.take_along_axis(graph, indices, axis=1)
    near, far = memberships[:, 1], memberships[:, 9]
    print(f"{metric}: mean membership of the nearest {near.mean():.2f}, of the ninth {far.mean():.2f}")
    if metric == "true_angular":
        assert (graph[graph > 0] == 1).all()
    else:
        assert near.mean() > 0.99 > 0.5 > far.mean()
PYTHON
"$folder/venv/bin/python" probe.py 2>/dev/null
