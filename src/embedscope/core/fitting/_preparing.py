"""Prepare the model and the problem of a solver from a request, its networks and its graph."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from embedscope._errors import InvalidInputError
from embedscope.core.arrays._numbers import as_float32
from embedscope.core.arrays._rows import Rows
from embedscope.core.decoder._decoder_training import DecoderTraining
from embedscope.core.fitting._decoder_networks import set_up_decoder
from embedscope.core.fitting._request import Request
from embedscope.core.fitting._trained_networks import Networks, trains_decoder_separately
from embedscope.core.graph._graph import NeighborGraph
from embedscope.core.layout._curve import fit_curve
from embedscope.core.layout._density import (
    DensityTerm,
    edge_lengths,
    log_radii,
    standardised,
    without_distance,
)
from embedscope.core.layout._initial import initial_positions
from embedscope.core.layout._layout import Objective
from embedscope.core.networks._forward import encode
from embedscope.core.networks._inner_encoder import InnerEncoder, begins_with_pooling
from embedscope.core.networks._keras_step import scaled_for
from embedscope.core.networks._networks import hidden_units, table_encoder
from embedscope.core.networks._probe import LossProbe
from embedscope.core.networks._projected import ProjectedEncoder, Projection, fit_projection
from embedscope.core.networks._reconstruction import choose_reconstruction
from embedscope.core.networks._tensorflow import keras
from embedscope.core.solvers._map_model import MapModel
from embedscope.core.solvers._problem import Problem, TrainingLength
from embedscope.core.solvers._qualities import QUALITIES
from embedscope.core.solvers._training_steps import Terms

_SCALE_SAMPLES = 1_000  # enough for the median distance to a neighbour
_AXIS_ROWS = 1_000  # enough for a few axes
_MOST_HELD_OUT = 2_000
_BETA_2 = 0.99  # of Adam: the targets change in each round, and its averages have to follow
_PEAK_RATE = 6.0  # times the 1e-3 of the default optimiser


def prepare(request: Request, networks: Networks, graph: NeighborGraph) -> tuple[MapModel, Problem]:
    """The model to train, and the problem for the solver."""
    parameters, seed = request.parameters, request.seed
    rng = np.random.default_rng([seed, 0])
    projection = _projection(request)
    components = projection.apply(request.rows)
    leading = components.whole()[:, : parameters["n_components"]] / projection.scale
    start = _start(request, networks.encoder, graph, leading, rng)
    inputs = _inputs(request, networks, projection, components, start)
    objective = _objective(parameters)
    separate = trains_decoder_separately(parameters)
    terms = _terms(request, None if separate else networks.decoder)
    probe = LossProbe(graph.strengths, objective, rng)
    make_training = partial(_decoder_training, request, networks.decoder, objective)
    model = _model(request, networks, inputs, terms, probe, make_training if separate else None)
    problem = Problem(
        graph.strengths,
        objective,
        start,
        _neighbor_distance(inputs, graph, rng),
        replace(training_length(parameters), of_pictures=networks.inner is not None),
        learning_rate=parameters["learning_rate"],
        landmarks=request.landmarks if terms.landmark_weight else None,
        density=_density(parameters, graph),
        seed=seed,
        continues=request.earlier is not None,
    )
    return model, problem


def _projection(request: Request) -> Projection:
    """Principal axes, the input of a built-in encoder; for other encoders only for the start."""
    n_samples = len(request.rows)
    if hidden_units(request.parameters["encoder"]) is None:
        rows = request.rows.subset(np.arange(0, n_samples, max(1, n_samples // _AXIS_ROWS)))
        return fit_projection(rows, request.parameters["n_components"] + 1)
    return fit_projection(request.rows)


def _start(
    request: Request,
    encoder: Any,
    graph: NeighborGraph,
    components: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:
    """Initial positions of the layout: those of the earlier map, if there is one."""
    if request.earlier is not None and encoder is not None:
        return encode(encoder, request.rows)
    n_components = request.parameters["n_components"]
    init = given_init(request.parameters["init"], len(request.rows), n_components)
    return initial_positions(init, graph.strengths, components, n_components, rng)


def _inputs(
    request: Request,
    networks: Networks,
    projection: Projection,
    components: Rows,
    start: np.ndarray,
) -> Rows:
    """The input of the network to train, which is made here unless it is the user's encoder."""
    if networks.encoder is None:
        networks.encoder = table_encoder(start)
        numbers = np.arange(len(request.rows), dtype=np.float32)[:, None]
        return Rows(numbers, (1,), (1,))
    if hidden_units(request.parameters["encoder"]) is None:
        if not begins_with_pooling(networks.encoder):
            return request.rows
        networks.inner = InnerEncoder(networks.encoder)
        return networks.inner.inputs(request.rows)
    networks.projection = projection
    networks.projected = ProjectedEncoder(
        networks.encoder,
        projection,
        continues=request.earlier is not None,
        seed=request.seed,
    )
    return components


def _decoder_training(
    request: Request, decoder: Any | None, objective: Objective
) -> DecoderTraining:
    """The training of a separate decoder."""
    parameters = request.parameters
    training, held_out = split_samples(request)
    setup = set_up_decoder(request, decoder, training)
    optimizer = parameters["optimizer"]
    return DecoderTraining(
        setup.networks,
        request.decoder_rows,
        setup.targets,
        setup.reconstruction,
        training,
        held_out,
        parameters["n_components"],
        objective.a ** (-0.5 / objective.b),
        scaled_for(make_optimizer(optimizer), [setup.networks.decoder]),
        peak_rate=1.0 if optimizer is None else None,
        length=parameters["n_training_epochs"],
        seed=request.seed,
    )


def split_samples(request: Request) -> tuple[np.ndarray, np.ndarray]:
    """Rows that the decoder learns from, and rows of the user's own samples that are held out.

    Raises
    ------
    InvalidInputError
        If too few samples are left for the decoder, or for its style codes.
    """
    n_own, n_all = request.n_own, len(request.rows)
    fraction = request.parameters["validation_fraction"]
    n_held_out = min(_MOST_HELD_OUT, math.ceil(fraction * n_own)) if fraction else 0
    if n_all - n_held_out < 2:
        raise InvalidInputError(
            "validation_fraction must leave the decoder at least 2 samples; got "
            f"{fraction} of {n_own}. Lower it, or add samples."
        )
    n_style = request.parameters["n_style_components"]
    most = min(request.decoder_rows.n_features, n_all - n_held_out - 1)
    if n_style > most:
        raise InvalidInputError(
            f"n_style_components must be at most {most}, fewer than the samples that the decoder "
            f"learns from and no more than their values; got {n_style}. Lower it, or add samples."
        )
    held_out = np.sort(np.random.default_rng([request.seed, 10]).permutation(n_own)[:n_held_out])
    return np.setdiff1d(np.arange(n_all), held_out), held_out


def _model(
    request: Request,
    networks: Networks,
    inputs: Rows,
    terms: Terms,
    probe: LossProbe,
    make_decoder_training: Callable[[], DecoderTraining] | None,
) -> MapModel:
    optimizer = request.parameters["optimizer"]
    validation = None
    if request.validation is not None:
        validation = (networks.inputs(request.validation), request.validation)
    encoder = networks.trained
    decoder = networks.decoder if make_decoder_training is None else None
    learning = [network for network in (encoder, decoder) if network is not None]
    return MapModel(
        encoder,
        decoder,
        inputs,
        request.decoder_rows,
        scaled_for(make_optimizer(optimizer, _BETA_2), learning),
        terms,
        probe,
        request.seed,
        peak_rate=_PEAK_RATE if optimizer is None else None,  # a user's optimiser keeps its rate
        validation=validation,
        whole_encoder=_whole_encoder(networks),
        folded=None if networks.projected is None else networks.projected.fold,
        make_decoder_training=make_decoder_training,
        distribution=request.parameters["distribution"],
    )


def _whole_encoder(networks: Networks) -> Callable[[], Any] | None:
    """Makes an encoder that takes samples, if the trained network takes another input."""
    if networks.inner is not None:
        return lambda: networks.encoder
    return None if networks.projected is None else networks.projected.whole


def _objective(parameters: Mapping[str, Any]) -> Objective:
    a, b = parameters["a"], parameters["b"]
    if a is None:
        a, b = fit_curve(parameters["min_dist"], parameters["spread"])
    return Objective(
        float(a), float(b), parameters["negative_sample_rate"], parameters["repulsion_strength"]
    )


def training_length(parameters: Mapping[str, Any]) -> TrainingLength:
    """The length of the training."""
    return TrainingLength(
        parameters["n_training_epochs"],
        parameters["loss_report_frequency"],
        parameters["n_epochs"],
        parameters["batch_size"],
        QUALITIES[parameters["quality"]].effort,
    )


def _terms(request: Request, decoder: Any) -> Terms:
    parameters = request.parameters
    reconstruction = None
    if decoder is not None:
        loss_fn, earlier = parameters["parametric_reconstruction_loss_fcn"], request.earlier
        if loss_fn is None and earlier is not None and earlier.reconstruction is not None:
            reconstruction = earlier.reconstruction
        else:
            reconstruction = choose_reconstruction(request.decoder_rows, decoder, loss_fn)
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
        radii,
        parameters["dens_lambda"],
        parameters["dens_frac"],
        parameters["dens_var_shift"],
        without_distance(lengths),
    )


def given_init(init: Any, n_samples: int, n_components: int) -> str | np.ndarray:
    """The user's `init`, checked: a name, or an array with a position for each sample."""
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


def make_optimizer(optimizer: Any, beta_2: float = 0.999) -> Any:
    """The default optimiser, or a copy of the user's, whose own state stays untouched."""
    if optimizer is None:
        return keras.optimizers.Adam(1e-3, beta_2=beta_2, clipvalue=4.0, name="adam")
    try:
        is_named = isinstance(optimizer, str)  # made with a fixed name: see `_networks`
        named = {"class_name": optimizer, "config": {"name": optimizer}} if is_named else optimizer
        made = keras.optimizers.get(named)
        return made.__class__.from_config(made.get_config())
    except (ValueError, TypeError, AttributeError) as error:
        raise InvalidInputError(
            f"optimizer must be None, a Keras optimiser or its name; got {optimizer!r}, which "
            f"Keras refuses: {error} Use for instance keras.optimizers.Adam(1e-3)."
        ) from error
