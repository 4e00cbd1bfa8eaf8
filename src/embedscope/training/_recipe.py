"""From a user's choices to an estimator: which networks, neighbours and losses suit the samples."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from embedscope._errors import InvalidInputError
from embedscope.training._parameters import TrainingParameters

if TYPE_CHECKING:
    from embedscope.core._estimator import ParametricUMAP
    from embedscope.samples import Samples

Progress = Callable[[Any], Any]

_SAME_NAME = (
    "n_neighbors",
    "min_dist",
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
_PICTURE_RANKS = (3, 4)  # of one sample: height, width, channels, and a depth before them


def make_estimator(
    parameters: TrainingParameters,
    samples: Samples,
    *,
    progress: Progress = lambda report: None,
    callbacks: Sequence[Any] = (),
    report: Callable[[float], None] = lambda fraction: None,
) -> tuple[ParametricUMAP, dict[str, Any]]:
    """An estimator for these samples, ready to fit.

    Pictures get a convolutional encoder, neighbours through a blur, and a decoder of exemplars;
    tables dense networks; volumes a convolutional encoder and a dense decoder.

    Parameters
    ----------
    parameters : TrainingParameters
    samples : Samples
    progress : callable
        The estimator's progress hook.
    callbacks : sequence of keras.callbacks.Callback
        Further ones.
    report : callable
        Told how much of the preparation is done, 0..1; may raise to stop.

    Returns
    -------
    estimator : ParametricUMAP
        Not fitted.
    fit_kwargs : dict
        What to give to its `fit`: X, and y where a feature guides the map.

    Raises
    ------
    InvalidInputError
        If a choice does not suit the samples.
    """
    from embedscope.core._estimator import ParametricUMAP

    X = samples.X
    choices: dict[str, Any] = {name: getattr(parameters, name) for name in _SAME_NAME}
    choices |= _encoder(parameters, X)
    fit_kwargs: dict[str, Any] = {"X": X}
    if parameters.target:
        from embedscope.training._target import read_target

        fit_kwargs["y"], choices["target_metric"] = read_target(samples, parameters.target)
        choices["target_weight"] = parameters.target_weight
    if _is_pictures(X):
        choices |= _neighbors(parameters, X, report)
    exemplars = _exemplars(parameters, X) if parameters.reconstruction else None
    if exemplars is not None:
        choices["decoder"] = exemplars.decoder
        callbacks = [exemplars, *callbacks]
    estimator = ParametricUMAP(
        **choices,
        parametric_reconstruction=parameters.reconstruction,
        parametric_reconstruction_loss_weight=parameters.reconstruction_weight,
        progress=_both(exemplars, progress),
        keras_fit_kwargs={"callbacks": list(callbacks)} if callbacks else None,
    )
    return estimator, fit_kwargs


def _both(exemplars: Any, progress: Progress) -> Progress:
    """A hook that shows each report to the exemplars first, if there are any."""
    if exemplars is None:
        return progress

    def hook(report: Any) -> Any:
        exemplars.see(report)
        return progress(report)

    return hook


def _is_pictures(X: np.ndarray) -> bool:
    return X.ndim - 1 in _PICTURE_RANKS


def _encoder(parameters: TrainingParameters, X: np.ndarray) -> dict[str, Any]:
    if parameters.encoder == "dense" or not _is_pictures(X):
        if parameters.encoder == "convolutional":
            raise InvalidInputError(
                "encoder must be 'automatic' or 'dense' for samples that are no pictures; got "
                "'convolutional'. Choose one of them, or make samples from images."
            )
        return {"dims": X.shape[1:]}
    from embedscope.training._networks import picture_encoder

    shape = X.shape[1:]
    return {"encoder": picture_encoder(shape, parameters.random_state), "dims": shape}


def _exemplars(parameters: TrainingParameters, X: np.ndarray) -> Any:
    """The decoder of exemplars, or None for the estimator's own dense one."""
    suits = _is_pictures(X) and float(X.min()) >= 0.0 and float(X.max()) <= 1.0
    if parameters.decoder == "exemplars" and not suits:
        raise InvalidInputError(
            "decoder must be 'automatic' or 'dense' for samples that are no pictures with pixels "
            "in 0..1; got 'exemplars'. Choose one of them, or make samples from images."
        )
    wanted = parameters.decoder == "exemplars" or (
        parameters.decoder == "automatic" and X.ndim == 4
    )
    if not (suits and wanted):
        return None
    from embedscope.training._exemplars import Exemplars

    return Exemplars(X, parameters.random_state)


def _neighbors(
    parameters: TrainingParameters, X: np.ndarray, report: Callable[[float], None]
) -> dict[str, Any]:
    from embedscope.training._neighbors import picture_neighbors

    indices, distances = picture_neighbors(
        X,
        parameters.n_neighbors,
        blur_px=parameters.neighbor_blur_px,
        metric=parameters.metric,
        seed=parameters.random_state,
        report=report,
    )
    return {"precomputed_knn": (indices, distances)}
