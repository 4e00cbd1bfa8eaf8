"""What a choice of `TrainingParameters.alike` gives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from embedscope.samples import Samples
from embedscope.training._parameters import TrainingParameters

Report = Callable[[float], None]
Show = Callable[[Callable[[], np.ndarray]], None]


@dataclass(frozen=True)
class Comparison:
    """How the pictures of a run are compared, and how they are read.

    Attributes
    ----------
    features : ndarray of shape (n_samples, n_features), float32, C-contiguous
        The rows whose nearest neighbours, by the metric of the parameters, make the graph. Their
        unit has no meaning.
    encoder : keras.Sequential or None
        Built, from pictures as the samples hold them, shape (n, *sample_shape) in 0..1, to
        positions of shape (n, 2). The run trains a copy of it, which starts with its weights;
        layers with ``trainable=False`` stay as they are. If its first layer is
        `core.networks.Upright`, the decoder decodes upright pictures, and all networks learn from
        upright ones, or the decoder alone (``is_read=False``). If the next (or the first) layer is
        one that `core.networks._inner_encoder` lists, it is computed once a sample and not in
        each step. Layers of own classes are registered for Keras in the core, or a saved map could
        not be opened. None for the built-in dense network, which reads the pixels.
    """

    features: np.ndarray
    encoder: Any


class Compare(Protocol):
    """A choice: a function of the samples and the parameters.

    Samples that do not suit it raise an `InvalidInputError` with rule, value and remedy.
    """

    def __call__(
        self,
        samples: Samples,
        X: np.ndarray,
        parameters: TrainingParameters,
        report: Report,
        show: Show,
    ) -> Comparison:
        """Compare the samples.

        Parameters
        ----------
        samples : Samples
        X : ndarray of shape (n_samples, *sample_shape), float32
            ``samples.X``, which must not be changed.
        parameters : TrainingParameters
        report : callable
            Called with the share that is done, 0..1, at least a few times a second; may raise to
            stop.
        show : callable
            Takes a function that returns positions, shape (n_samples, 2), float32, of a map to look
            at before the fit begins; it is called if there is time to show one.
        """
