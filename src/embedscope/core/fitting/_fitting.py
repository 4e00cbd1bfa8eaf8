"""Run a fit: from checked parameters and samples to a fitted map, in the right order.

This is the only module that knows all parts. `_estimator` is its public interface.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from scipy import sparse

from embedscope._errors import InvalidInputError, StoppedError
from embedscope.core.fitting._drawing import draw_part
from embedscope.core.fitting._fitted_graph import fitted_graph
from embedscope.core.fitting._prepared import fit_prepared
from embedscope.core.fitting._preparing import (
    given_init,
    make_optimizer,
    prepare,
    split_samples,
    training_length,
)
from embedscope.core.fitting._request import FittedMap, Request
from embedscope.core.fitting._trained_networks import (
    Networks,
    make_networks,
    trains_decoder_separately,
)
from embedscope.core.networks._devices import check_batch, check_distribution
from embedscope.core.networks._forward import encode
from embedscope.core.networks._inner_encoder import begins_with_pooling
from embedscope.core.networks._networks import check_loss, hidden_units
from embedscope.core.networks._tensorflow import check_process, tf
from embedscope.core.solvers._monitor import Bar, Monitor, NoBar, StopTraining, TqdmBar
from embedscope.core.solvers._registry import make_solver

_NOTHING_LEARNED = (
    "progress must let training begin before it asks to stop; got a stop before the first batch, "
    "so there is nothing to keep. Fit again, and stop in phase 'fit' or later."
)


def fit_map(request: Request) -> tuple[FittedMap, BaseException | None]:
    """Train a map.

    Returns
    -------
    fitted : FittedMap
        The result, the best so far if training was stopped.
    interruption : exception or None
        What the progress hook raised, or KeyboardInterrupt. The caller raises it again after it has
        stored the result.

    Raises
    ------
    StoppedError
        If training was stopped before any batch.
    ForkedError
        If this process was forked from one that had loaded TensorFlow.
    """
    check_process()
    check_distribution(request.parameters["distribution"])
    check_batch(request.parameters["distribution"], request.parameters["batch_size"])
    return fit_prepared(request, _fit)


def _fit(request: Request) -> tuple[FittedMap, BaseException | None]:
    """Fit samples that need no preparation; see `fit_map`."""
    _check_ahead(request)
    part, drawn = draw_part(request)
    parameters = part.parameters
    if _reads_at_random(parameters):
        decoded = None if part.decoded is None else part.decoded.held()
        part = replace(part, rows=part.rows.held(), decoded=decoded)
    networks = make_networks(part)
    monitor = Monitor(
        parameters["progress"],
        _bar(parameters),
        training_length(parameters).n_reports,
        (parameters["keras_fit_kwargs"] or {}).get("callbacks"),
    )
    shown = np.arange(request.n_own)
    if drawn is not None:
        shown = np.full(request.n_own, -1)
        shown[drawn] = np.arange(len(drawn))
    try:
        fitted, interruption = _fit_watched(part, networks, monitor, shown)
    finally:
        monitor.finish()
    if drawn is not None:
        fitted = replace(
            fitted,
            embedding=encode(fitted.encoder, request.rows)[: request.n_own],
            held_out=drawn[fitted.held_out],
        )
    return fitted, interruption


def _fit_watched(
    request: Request, networks: Networks, monitor: Monitor, shown: np.ndarray
) -> tuple[FittedMap, BaseException | None]:
    """Fit all samples of the request; `shown` holds the row of each of the user's, or -1."""
    interruption: BaseException | None = None
    try:
        monitor.enter("graph")
        distinct, row_of = _distinct(request)
        graph = fitted_graph(distinct, monitor.advance)
        model, problem = prepare(distinct, networks, graph)
        monitor.watch(model, np.where(shown < 0, -1, row_of[shown]))
    except StopTraining as stop:
        raise StoppedError(_NOTHING_LEARNED) from stop
    try:
        make_solver(request.parameters["solver"]).solve(problem, model, monitor)
    except StopTraining as stop:
        if not monitor.has_learned:
            raise StoppedError(_NOTHING_LEARNED) from stop
    except BaseException as error:
        if not monitor.has_learned:
            raise
        interruption = error
    monitor.close_training()
    if networks.projected is not None:
        networks.projected.fold()
    decoder_training = model.decoder_training
    embedding = model.encode()[row_of] if model.is_table else encode(networks.encoder, request.rows)
    history = dict(request.earlier.history) if request.earlier else {}
    for name, values in monitor.history.items():
        history[name] = [*history.get(name, []), *values]
    n_distinct = int(row_of[: request.n_own].max()) + 1
    fitted = FittedMap(
        networks.encoder,
        networks.decoder if decoder_training is None else decoder_training.networks.decoder,
        embedding[: request.n_own],
        graph.strengths[:n_distinct, :n_distinct],
        history,
        problem.objective,
        model.reconstruction,
    )
    if decoder_training is not None:
        own = row_of[: request.n_own]
        fitted = replace(
            fitted,
            style_encoder=decoder_training.style_encoder(
                networks.encoder, reads_both=request.decoded is not None
            ),
            spread=decoder_training.spread(),
            held_out=np.flatnonzero(np.isin(own, decoder_training.held_out)),
        )
    return fitted, interruption


def _reads_at_random(parameters: Mapping[str, Any]) -> bool:
    """Whether training takes samples themselves in random order, and not their components."""
    encoder = parameters["encoder"]
    own_network = (
        parameters["parametric_embedding"]
        and hidden_units(encoder) is None
        and not begins_with_pooling(encoder)  # pools them once, in their order
    )
    decodes = parameters["parametric_reconstruction"] or trains_decoder_separately(parameters)
    return bool(own_network or decodes or parameters["global_correlation_loss_weight"])


def _check_ahead(request: Request) -> None:
    """Check everything else that can be checked before anything slow is done."""
    parameters = request.parameters
    make_optimizer(parameters["optimizer"])
    if trains_decoder_separately(parameters):
        split_samples(request)
        loss_fn = parameters["parametric_reconstruction_loss_fcn"]
        if loss_fn is not None and parameters["decoder"] is None:  # the built-in one is made later
            samples = request.decoder_rows.take(slice(0, 2))
            decoded = np.zeros_like(samples)
            check_loss(loss_fn, "parametric_reconstruction_loss_fcn", samples, decoded)
    if parameters["landmark_loss_fn"] is not None:
        positions = np.zeros((2, parameters["n_components"]), dtype=np.float32)
        check_loss(parameters["landmark_loss_fn"], "landmark_loss_fn", positions, positions + 1.0)
    if request.earlier is None:
        given_init(parameters["init"], len(request.rows), parameters["n_components"])


def _distinct(request: Request) -> tuple[Request, np.ndarray]:
    """The request for the distinct rows, in their order, and the distinct row of each row."""
    rows, parameters = request.rows, request.parameters
    if not parameters["unique"]:
        return request, np.arange(len(rows))
    given = parameters["precomputed_knn"] is not None or request.precomputed_distances is not None
    samples = rows.whole()
    if sparse.issparse(samples) or given:
        kind = "neighbours or distances that are precomputed" if given else "sparse X"
        raise InvalidInputError(
            f"unique must be False for {kind}; got True. Drop duplicate rows beforehand."
        )
    _, first, row_of = np.unique(samples, axis=0, return_index=True, return_inverse=True)
    order = np.argsort(first)
    kept, row_of = first[order], np.argsort(order)[row_of.ravel()]
    init = parameters["init"]
    if not isinstance(init, str):
        positions = given_init(init, len(rows), parameters["n_components"])
        parameters = {**parameters, "init": positions[kept]}
    distinct = replace(
        request,
        parameters=parameters,
        rows=rows.subset(kept),
        y=None if request.y is None else request.y[kept],
        landmarks=None if request.landmarks is None else request.landmarks[kept],
        n_own=int(row_of[: request.n_own].max()) + 1,
    )
    return distinct, row_of


def _bar(parameters: Mapping[str, Any]) -> Bar:
    """The progress bar chosen by `verbose`, of the estimator or of `keras_fit_kwargs`."""
    verbose = (parameters["keras_fit_kwargs"] or {}).get("verbose", parameters["verbose"])
    if not verbose:
        return NoBar()
    devices: Sequence[Any] = tf.config.list_logical_devices("GPU")
    return TqdmBar(devices[0].name.split("device:")[-1] if devices else "CPU")
