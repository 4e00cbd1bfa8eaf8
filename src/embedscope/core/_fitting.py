"""From checked parameters and samples to a fitted map: the order in which everything happens.

The only module that knows all the parts. `_estimator` is the public face of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import sparse

from embedscope._errors import InvalidInputError, StoppedError
from embedscope.core._auxiliary import AuxiliarySolver
from embedscope.core._curve import fit_curve
from embedscope.core._density import DensityTerm, edge_lengths, log_radii, standardised
from embedscope.core._edges import EdgesSolver
from embedscope.core._graph import GraphOptions, NeighborGraph, build_graph
from embedscope.core._initial import initial_positions
from embedscope.core._layout import Objective
from embedscope.core._map_model import MapModel, Terms
from embedscope.core._metrics import NeighborSearch
from embedscope.core._monitor import Bar, Monitor, NoBar, StopTraining, TqdmBar
from embedscope.core._networks import (
    check_decoder,
    check_encoder,
    check_loss,
    copy_network,
    dense_decoder,
    dense_encoder,
    hidden_width,
    table_encoder,
)
from embedscope.core._probe import LossProbe
from embedscope.core._problem import Problem, Solver, TrainingLength
from embedscope.core._projected import ProjectedEncoder, Projection, fit_projection
from embedscope.core._reconstruction import Reconstruction, choose_reconstruction
from embedscope.core._rows import Rows, as_float32
from embedscope.core._tensorflow import keras, tf
from embedscope.core._tracing import TracedOnce
from embedscope.core._warning import warn_caller

_SOLVERS: dict[str, type[Solver]] = {"auxiliary": AuxiliarySolver, "edges": EdgesSolver}
_SCALE_SAMPLES = 1_000
_UNEVEN_SCALES = 1_000.0
_SMALLEST_RANGE = 1e-32  # of the data: its inverse still fits in float32
_BUILT_IN_PEAK_RATE = 4.0  # times the 1e-3 of the default optimiser


@dataclass(frozen=True)
class Request:
    """What `fit` was asked for.

    Attributes
    ----------
    parameters : mapping
        The estimator's constructor parameters, checked.
    rows : Rows
        Samples, landmarks included.
    y : ndarray or None
    precomputed_distances : ndarray, sparse matrix or None
    landmarks : ndarray of shape (n_samples, n_components) or None
        NaN in the rows that are free.
    earlier : FittedMap or None
        Go on from this map rather than from fresh networks.
    validation : Rows or None
        Samples whose reconstruction loss is reported.
    seed : int
    n_own : int
        How many of the samples, the first ones, are not appended landmarks.
    """

    parameters: Mapping[str, Any]
    rows: Rows
    y: np.ndarray | None
    precomputed_distances: Any
    landmarks: np.ndarray | None
    earlier: FittedMap | None
    validation: Rows | None
    seed: int
    n_own: int


@dataclass(frozen=True)
class FittedMap:
    """What `fit` gives.

    Attributes
    ----------
    encoder, decoder : keras.Model or None
    embedding : ndarray of shape (n_samples, n_components), float32
        Of the user's own samples, without landmarks that were appended.
    graph : csr_matrix of shape (n_samples, n_samples), float32
        Of the same, or of the distinct ones among them.
    history : dict of str to list of float
    objective : Objective
    reconstruction : Reconstruction or None
    """

    encoder: Any
    decoder: Any
    embedding: np.ndarray
    graph: sparse.csr_matrix
    history: dict[str, list[float]]
    objective: Objective
    reconstruction: Reconstruction | None


@dataclass
class _Networks:
    """The networks that the user gets, and the encoder that trains in its place."""

    encoder: Any
    decoder: Any
    projected: ProjectedEncoder | None
    projection: Projection | None

    @property
    def trained(self) -> Any:
        return self.encoder if self.projected is None else self.projected.network

    def inputs(self, rows: Rows) -> Rows:
        return rows if self.projection is None else self.projection.apply(rows)


def fit_map(request: Request) -> tuple[FittedMap, BaseException | None]:
    """Train a map.

    Returns
    -------
    fitted : FittedMap
        The result, the best so far if training was stopped.
    interruption : exception or None
        What the progress hook or the keyboard raised; to be raised again once the result is kept.

    Raises
    ------
    StoppedError
        If training was stopped before any batch.
    """
    parameters = request.parameters
    networks = _make_networks(request)
    _check_ahead(request)
    monitor = Monitor(
        parameters["progress"],
        _bar(parameters),
        _length(parameters).n_reports,
        (parameters["keras_fit_kwargs"] or {}).get("callbacks"),
    )
    try:
        return _fit_watched(request, networks, monitor)
    finally:
        monitor.finish()


def _fit_watched(
    request: Request, networks: _Networks, monitor: Monitor
) -> tuple[FittedMap, BaseException | None]:
    interruption: BaseException | None = None
    try:
        monitor.enter("graph")
        distinct, places = _distinct(request)
        graph = _build(distinct, monitor)
        model, problem = _prepare(distinct, networks, graph)
        monitor.watch(model, places[: request.n_own])
    except StopTraining as stop:
        raise StoppedError(_NOTHING_LEARNED) from stop
    try:
        _SOLVERS[request.parameters["solver"]]().solve(problem, model, monitor)
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
    embedding = model.encode()[places] if model.is_table else encode(networks.encoder, request.rows)
    history = dict(request.earlier.history) if request.earlier else {}
    for name, values in monitor.history.items():
        history[name] = [*history.get(name, []), *values]
    n_distinct = int(places[: request.n_own].max()) + 1
    fitted = FittedMap(
        networks.encoder,
        networks.decoder,
        embedding[: request.n_own],
        graph.strengths[:n_distinct, :n_distinct],
        history,
        problem.objective,
        model.terms.reconstruction,
    )
    return fitted, interruption


_NOTHING_LEARNED = (
    "progress must let training begin before it asks to stop; got a stop before the first batch, "
    "so there is nothing to keep. Fit again, and stop in phase 'fit' or later."
)


def encode(encoder: Any, rows: Rows) -> np.ndarray:
    """Positions of samples, by an encoder outside of training."""
    return Forward(encoder)(rows)


class Forward:
    """A network as a fast function of rows: compiled once, run in blocks.

    Parameters
    ----------
    network : keras.Model
    """

    def __init__(self, network: Any) -> None:
        self._run = TracedOnce(lambda batch: network(batch, training=False))

    def __call__(self, rows: Rows) -> np.ndarray:
        """The network's output for every row."""
        blocks = [self._run(rows.take(block)).numpy() for block in rows.blocks()]
        return blocks[0] if len(blocks) == 1 else np.concatenate(blocks)


def _make_networks(request: Request) -> _Networks:
    """Fresh or copied networks, tried on two samples before anything slow is done."""
    parameters, rows = request.parameters, request.rows
    n_components, seed = parameters["n_components"], request.seed
    width = hidden_width(parameters["encoder"])
    earlier = request.earlier
    if not parameters["parametric_embedding"]:
        encoder = None
    elif earlier is not None:
        encoder = copy_network(earlier.encoder, "encoder", seed)
    elif width is not None:
        encoder = dense_encoder(rows.shape, n_components, width, seed)
    else:
        encoder = copy_network(parameters["encoder"], "encoder", seed)
    if encoder is not None:
        check_encoder(encoder, rows, n_components)
    decoder = None
    if parameters["parametric_reconstruction"]:
        if earlier is not None and earlier.decoder is not None:
            decoder = copy_network(earlier.decoder, "decoder", seed + 1)
        elif parameters["decoder"] is not None:
            decoder = copy_network(parameters["decoder"], "decoder", seed + 1)
        else:
            decoder = dense_decoder(rows.shape, n_components, width or 256, seed)
        drawn = check_decoder(decoder, rows.shape, n_components)
        loss_fn = parameters["parametric_reconstruction_loss_fcn"]
        if loss_fn is not None:
            samples = rows.take(slice(0, 2))
            check_loss(loss_fn, "parametric_reconstruction_loss_fcn", samples, drawn)
    return _Networks(encoder, decoder, None, None)


def _check_ahead(request: Request) -> None:
    """What else can be found wrong before anything slow is done."""
    parameters = request.parameters
    make_optimizer(parameters["optimizer"])
    if parameters["landmark_loss_fn"] is not None:
        places = np.zeros((2, parameters["n_components"]), dtype=np.float32)
        check_loss(parameters["landmark_loss_fn"], "landmark_loss_fn", places, places + 1.0)
    if request.earlier is None:
        _init(parameters["init"], len(request.rows), parameters["n_components"])


def _distinct(request: Request) -> tuple[Request, np.ndarray]:
    """The request for the distinct rows, in their order, and where each row is among them."""
    rows, parameters = request.rows, request.parameters
    if not parameters["unique"]:
        return request, np.arange(len(rows))
    given = parameters["precomputed_knn"] is not None or request.precomputed_distances is not None
    if sparse.issparse(rows.flat) or given:
        kind = "neighbours or distances that are precomputed" if given else "sparse X"
        raise InvalidInputError(
            f"unique must be False for {kind}; got True. Drop duplicate rows beforehand."
        )
    _, first, places = np.unique(rows.flat, axis=0, return_index=True, return_inverse=True)
    order = np.argsort(first)
    kept, places = first[order], np.argsort(order)[places.ravel()]
    init = parameters["init"]
    if not isinstance(init, str):
        positions = _init(init, len(rows), parameters["n_components"])
        parameters = {**parameters, "init": positions[kept]}
    distinct = replace(
        request,
        parameters=parameters,
        rows=rows.subset(kept),
        y=None if request.y is None else request.y[kept],
        landmarks=None if request.landmarks is None else request.landmarks[kept],
    )
    return distinct, places


def _build(request: Request, monitor: Monitor) -> NeighborGraph:
    parameters, rows = request.parameters, request.rows
    search = NeighborSearch(
        n_neighbors=parameters["n_neighbors"],
        metric="euclidean" if parameters["metric"] == "precomputed" else parameters["metric"],
        metric_kwds=parameters["metric_kwds"] or {},
        n_jobs=parameters["n_jobs"] or 1,
        seed=request.seed,
        low_memory=parameters["low_memory"],
        angular_rp_forest=parameters["angular_rp_forest"],
    )
    options = GraphOptions(
        search,
        local_connectivity=parameters["local_connectivity"],
        set_op_mix_ratio=parameters["set_op_mix_ratio"],
        target_metric=parameters["target_metric"],
        target_metric_kwds=parameters["target_metric_kwds"] or {},
        target_weight=parameters["target_weight"],
        target_n_neighbors=parameters["target_n_neighbors"],
    )
    _check_neighbors(rows, search, parameters)
    return build_graph(
        rows,
        request.y,
        options,
        precomputed_knn=_given_knn(parameters["precomputed_knn"]),
        precomputed_distances=request.precomputed_distances,
        report=monitor.advance,
    )


def _given_knn(given: Any) -> Any:
    """umap-learn's empty default, three times None, means that nothing is given."""
    return None if given is None or given[0] is None else given


def _check_neighbors(rows: Rows, search: NeighborSearch, parameters: Mapping[str, Any]) -> None:
    if search.n_neighbors >= len(rows):
        raise InvalidInputError(
            f"n_neighbors must be an int in [2, n_samples); got {search.n_neighbors} "
            f"(n_samples={len(rows)}). Lower n_neighbors."
        )
    flat = rows.flat
    spread = _spread_of_features(flat)
    if spread.max() < _SMALLEST_RANGE:
        raise InvalidInputError(
            f"X must hold samples that differ, by at least {_SMALLEST_RANGE:g}; got constant data: "
            f"all rows are equal, or differ by at most {spread.max():g}. Check how the samples "
            "were read, or give tiny numbers in smaller units."
        )
    used = spread[spread > 0]
    given = parameters["precomputed_knn"] is not None or parameters["metric"] != "euclidean"
    if not given and len(rows.shape) == 1 and used.max() > _UNEVEN_SCALES * np.median(used):
        warn_caller(
            f"X has features of very different scales (the largest range is "
            f"{used.max() / np.median(used):,.0f} times the median): a few of them decide the "
            "map. Consider sklearn.preprocessing.StandardScaler."
        )


def _spread_of_features(flat: np.ndarray | sparse.csr_matrix) -> np.ndarray:
    """Range of each feature."""
    if sparse.issparse(flat):
        return np.asarray((flat.max(axis=0) - flat.min(axis=0)).toarray()).ravel()
    return np.asarray(np.ptp(flat, axis=0))


def _objective(parameters: Mapping[str, Any]) -> Objective:
    a, b = parameters["a"], parameters["b"]
    if a is None:
        a, b = fit_curve(parameters["min_dist"], parameters["spread"])
    return Objective(
        float(a), float(b), parameters["negative_sample_rate"], parameters["repulsion_strength"]
    )


def _length(parameters: Mapping[str, Any]) -> TrainingLength:
    return TrainingLength(
        parameters["n_training_epochs"],
        parameters["loss_report_frequency"],
        parameters["n_epochs"],
        parameters["batch_size"],
    )


def _prepare(
    request: Request, networks: _Networks, graph: NeighborGraph
) -> tuple[MapModel, Problem]:
    """Everything the solver needs."""
    parameters, rows, seed = request.parameters, request.rows, request.seed
    rng = np.random.default_rng([seed, 0])
    if hidden_width(parameters["encoder"]) is None:  # then they only start the layout
        projection = fit_projection(rows, parameters["n_components"] + 1)
    else:
        projection = fit_projection(rows)
    components = projection.apply(rows)
    if request.earlier is not None and networks.encoder is not None:
        start = encode(networks.encoder, rows)
    else:
        start = initial_positions(
            _init(parameters["init"], len(rows), parameters["n_components"]),
            graph.strengths,
            components.flat / projection.scale,
            parameters["n_components"],
            rng,
        )
    if networks.encoder is None:
        networks.encoder = table_encoder(start)
        numbers = np.arange(len(rows), dtype=np.float32)[:, None]
        inputs = Rows(numbers, (1,), (1,))
    elif hidden_width(parameters["encoder"]) is not None:
        networks.projection = projection
        networks.projected = ProjectedEncoder(
            networks.encoder, projection, continues=request.earlier is not None, seed=seed
        )
        inputs = components
    else:
        inputs = rows
    terms = _terms(request, networks.decoder, rows)
    validation = None
    if request.validation is not None:
        validation = (networks.inputs(request.validation), request.validation)
    optimizer = make_optimizer(parameters["optimizer"])
    objective = _objective(parameters)
    model = MapModel(
        networks.trained,
        networks.decoder,
        inputs,
        rows,
        optimizer,
        terms,
        LossProbe(graph.strengths, objective, rng),
        seed,
        peak_rate=_peak_rate(parameters),
        validation=validation,
        whole_encoder=None if networks.projected is None else networks.projected.whole,
    )
    problem = Problem(
        graph.strengths,
        objective,
        start,
        _neighbor_distance(inputs, graph, rng),
        _length(parameters),
        learning_rate=parameters["learning_rate"],
        landmarks=request.landmarks if terms.landmark_weight else None,
        density=_density(parameters, graph),
        seed=seed,
        continues=request.earlier is not None,
    )
    return model, problem


def _peak_rate(parameters: Mapping[str, Any]) -> float | None:
    """Where the learning rate begins: a built-in network stands more than one we do not know."""
    if parameters["optimizer"] is not None:
        return None
    return 1.0 if hidden_width(parameters["encoder"]) is None else _BUILT_IN_PEAK_RATE


def _terms(request: Request, decoder: Any, rows: Rows) -> Terms:
    parameters = request.parameters
    reconstruction = None
    if decoder is not None:
        loss_fn, earlier = parameters["parametric_reconstruction_loss_fcn"], request.earlier
        if loss_fn is None and earlier is not None and earlier.reconstruction is not None:
            reconstruction = earlier.reconstruction
        else:
            reconstruction = choose_reconstruction(rows, decoder, loss_fn)
    return Terms(
        reconstruction,
        parameters["parametric_reconstruction_loss_weight"],
        parameters["autoencoder_loss"],
        parameters["global_correlation_loss_weight"],
        parameters["landmark_loss_weight"] if request.landmarks is not None else 0.0,
        parameters["landmark_loss_fn"],
    )


def _density(parameters: Mapping[str, Any], graph: NeighborGraph) -> DensityTerm | None:
    if not parameters["densmap"]:
        return None
    lengths = edge_lengths(graph.strengths, graph.indices, graph.distances)
    radii = standardised(log_radii(graph.strengths, lengths**2))
    return DensityTerm(
        radii, parameters["dens_lambda"], parameters["dens_frac"], parameters["dens_var_shift"]
    )


def _init(init: Any, n_samples: int, n_components: int) -> str | np.ndarray:
    if isinstance(init, str):
        return init
    positions = as_float32(init, "init")
    if positions.shape != (n_samples, n_components) or not np.isfinite(positions).all():
        raise InvalidInputError(
            f"init must be finite and of shape ({n_samples}, {n_components}); got shape "
            f"{positions.shape}. Give a start position for each sample."
        )
    return positions


def _neighbor_distance(inputs: Rows, graph: NeighborGraph, rng: np.random.Generator) -> float:
    """Median distance of a sample to its neighbours, in the encoder's input space."""
    sample = rng.permutation(len(inputs))[:_SCALE_SAMPLES]
    column = graph.indices.shape[1] // 2
    neighbor = np.where(graph.indices[sample, column] >= 0, graph.indices[sample, column], sample)
    difference = (inputs.take(sample) - inputs.take(neighbor)).reshape(len(sample), -1)
    return float(np.median(np.linalg.norm(difference, axis=1)))


def make_optimizer(optimizer: Any) -> Any:
    """The default optimiser, or a fresh one like the user's, whose own state stays untouched."""
    if optimizer is None:
        return keras.optimizers.Adam(1e-3, clipvalue=4.0)
    try:
        made = keras.optimizers.get(optimizer)
        return made.__class__.from_config(made.get_config())
    except (ValueError, TypeError, AttributeError) as error:
        raise InvalidInputError(
            f"optimizer must be None, a Keras optimiser or its name; got {optimizer!r}, which "
            f"Keras refuses: {error} Use for instance keras.optimizers.Adam(1e-3)."
        ) from error


def _bar(parameters: Mapping[str, Any]) -> Bar:
    """The progress bar that `verbose`, or Keras's own word for it, asks for."""
    verbose = (parameters["keras_fit_kwargs"] or {}).get("verbose", parameters["verbose"])
    if not verbose:
        return NoBar()
    devices: Sequence[Any] = tf.config.list_logical_devices("GPU")
    return TqdmBar(devices[0].name.split("device:")[-1] if devices else "CPU")
