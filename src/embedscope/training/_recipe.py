"""An estimator from training parameters, with networks and neighbours that suit the samples."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from embedscope._errors import InvalidInputError
from embedscope.training._parameters import TrainingParameters

if TYPE_CHECKING:
    from embedscope.core import ParametricUMAP
    from embedscope.samples import Samples

Progress = Callable[[Any], Any]

_SAME_NAME = (
    "n_neighbors",
    "min_dist",
    "quality",
    "n_training_epochs",
    "random_state",
    "metric",
    "spread",
    "repulsion_strength",
    "negative_sample_rate",
    "init",
    "densmap",
    "autoencoder_loss",
)
_N_COMPONENTS = 2  # of the map
_HELD_OUT = 0.1  # share of the samples
_SAMPLES_PER_NUMBER = 4  # of a style code, at least
_COMPARING_SHARE = 0.95  # of the time before the fit, for the reports
_PICTURE_RANKS = (3, 4)  # of one sample: height, width and channels, or these after a depth


def make_estimator(
    parameters: TrainingParameters,
    samples: Samples,
    *,
    progress: Progress = lambda report: None,
    callbacks: Sequence[Any] = (),
    report: Callable[[float], None] = lambda fraction: None,
    show: Callable[[Callable[[], np.ndarray]], None] = lambda positions: None,
) -> tuple[ParametricUMAP, dict[str, Any]]:
    """An estimator for these samples, ready to fit.

    Pictures and volumes get the encoder and the neighbours of what counts as alike, tables and
    samples that learn from other values (`Samples.learning_from`) a dense encoder. The decoder
    takes a point and a style code, and a tenth of the samples is held out of its fit to measure it.

    Parameters
    ----------
    parameters : TrainingParameters
    samples : Samples
    progress : callable
        The estimator's progress hook.
    callbacks : sequence of keras.callbacks.Callback
        Further callbacks.
    report : callable
        Called with the share of the preparation that is done, 0..1; may raise to stop.
    show : callable
        Called with a function that returns a map to look at meanwhile, (n_samples, 2), float32.

    Returns
    -------
    estimator : ParametricUMAP
        Not fitted.
    fit_kwargs : dict
        Arguments of its `fit`: X; y if a feature guides the map; and what is decoded if this is
        not what is learned from.

    Raises
    ------
    InvalidInputError
        If a parameter does not suit the samples.
    """
    from embedscope.core import ParametricUMAP
    from embedscope.core.fitting import possible_neighbors

    if samples.learned is not None:
        _check_without_pictures(parameters, f"that learn from {samples.learned.text}")
    X = samples.encoder_inputs(report=lambda share: report(_COMPARING_SHARE * share))
    choices: dict[str, Any] = {name: getattr(parameters, name) for name in _SAME_NAME}
    choices["n_neighbors"] = possible_neighbors(parameters.n_neighbors, len(X))
    fit_kwargs: dict[str, Any] = {"X": X}
    decoded = X
    if samples.learned is not None and parameters.reconstruction:
        decoded = fit_kwargs["decoded"] = samples.X
    if parameters.target:
        from embedscope.training._target import read_target

        fit_kwargs["y"], choices["target_metric"] = read_target(samples, parameters.target)
        choices["target_weight"] = parameters.target_weight
    if samples.learned is not None:
        choices["dims"] = X.shape[1:]
    elif _is_pictures(X):
        choices |= _compared(parameters, samples, X, choices["n_neighbors"], report, show)
    else:
        _check_without_pictures(parameters, "without pictures")
        choices["dims"] = X.shape[1:]
    if parameters.reconstruction:
        choices |= {
            "n_style_components": _fitting_style(parameters.n_style_components, decoded),
            "validation_fraction": _HELD_OUT,
        }
    estimator = ParametricUMAP(
        **choices,
        parametric_reconstruction=parameters.reconstruction,
        parametric_reconstruction_loss_weight=parameters.reconstruction_weight,
        progress=progress,
        keras_fit_kwargs={"callbacks": list(callbacks)} if callbacks else None,
    )
    return estimator, fit_kwargs


def _fitting_style(wanted: int, X: np.ndarray) -> int:
    """Numbers in a style code: limited by the values and by the number of samples."""
    n_samples, n_values = len(X), X[0].size
    return max(0, min(wanted, n_values - _N_COMPONENTS, n_samples // _SAMPLES_PER_NUMBER))


def _is_pictures(X: np.ndarray) -> bool:
    return X.ndim - 1 in _PICTURE_RANKS


def _compared(
    parameters: TrainingParameters,
    samples: Samples,
    X: np.ndarray,
    n_neighbors: int,
    report: Callable[[float], None],
    show: Callable[[Callable[[], np.ndarray]], None],
) -> dict[str, Any]:
    """The encoder and the neighbours of pictures, by what counts as alike."""
    from embedscope.training._neighbors import feature_neighbors
    from embedscope.training.alike import compare_pictures

    comparison = compare_pictures(
        samples, X, parameters, lambda share: report(_COMPARING_SHARE * share), show
    )
    found = feature_neighbors(
        comparison.features,
        n_neighbors,
        metric=parameters.metric,
        seed=parameters.random_state,
        report=lambda share: report(_COMPARING_SHARE + (1.0 - _COMPARING_SHARE) * share),
    )
    made = {"precomputed_knn": found, "dims": X.shape[1:]}
    return made if comparison.encoder is None else made | {"encoder": comparison.encoder}


def _check_without_pictures(parameters: TrainingParameters, which: str) -> None:
    """Raise if a choice needs pictures to learn from, which these samples do not have."""
    if parameters.encoder == "convolutional":
        raise InvalidInputError(
            f"encoder must be 'automatic' or 'dense' for samples {which}; got 'convolutional'. "
            "Choose one of them, or make samples that learn from images."
        )
    if parameters.alike != "pixels":
        raise InvalidInputError(
            f"alike must be 'pixels' for samples {which}; got {parameters.alike!r}. Choose "
            "'pixels', which compares the values as they are, or make samples that learn from "
            "images."
        )
