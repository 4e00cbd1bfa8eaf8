"""Of very many samples a random part is drawn, which the graph, the layout and the training use.

The trained encoder places the others. Both time and memory of a fit are then those of the part, but
for the passes in which all samples are read: to check them, to draw, and to place them.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from embedscope.core.fitting._request import Request


def draw_part(request: Request) -> tuple[Request, np.ndarray | None]:
    """The request for a random part of the user's samples, with all appended landmarks.

    Parameters
    ----------
    request : Request

    Returns
    -------
    part : Request
        With its samples in memory; the request itself if nothing is left out.
    drawn : ndarray of int or None
        The user's samples that are drawn, ascending; None for all.
    """
    parameters, n_own = request.parameters, request.n_own
    most = parameters["max_graph_samples"]
    is_given = parameters["precomputed_knn"] is not None or parameters["metric"] == "precomputed"
    if n_own <= most or is_given or not parameters["parametric_embedding"]:
        return request, None
    rng = np.random.default_rng([request.seed, 12])
    drawn = np.sort(rng.choice(n_own, most, replace=False))
    kept = np.concatenate([drawn, np.arange(n_own, len(request.rows))])
    init = parameters["init"]
    if request.earlier is None and not isinstance(init, str):
        parameters = {**parameters, "init": np.asarray(init)[kept]}
    part = replace(
        request,
        parameters=parameters,
        rows=request.rows.subset(kept),
        decoded=None if request.decoded is None else request.decoded.subset(kept),
        y=None if request.y is None else request.y[kept],
        landmarks=None if request.landmarks is None else request.landmarks[kept],
        n_own=most,
    )
    return part, drawn
