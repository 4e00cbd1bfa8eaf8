"""Any orientation: turned, mirrored and slightly shifted copies of a picture are the same.

Pictures are turned upright (`Upright`), which also gives the decoder its targets. Neighbours and
the encoder read the magnitudes on rings (`RingSpectrum`), which a turn does not change, so a nearly
round cell needs no axis. The encoder so places a turned copy where it places the picture.
"""

from __future__ import annotations

import numpy as np

from embedscope._errors import InvalidInputError
from embedscope.core.networks import RingSpectrum, Upright, count_magnitudes
from embedscope.samples import Samples
from embedscope.training._networks import spectrum_encoder
from embedscope.training._parameters import TrainingParameters
from embedscope.training.alike._comparison import Comparison, Report, Show

_N_COMPONENTS = 40
_BLOCK_VALUES = 2**20  # values turned between two reports: some tens of milliseconds


def compare(
    samples: Samples,
    X: np.ndarray,
    parameters: TrainingParameters,
    report: Report,
    show: Show,
) -> Comparison:
    """Components of the magnitudes on rings, and the network that reads them; see `Compare`."""
    if parameters.encoder != "automatic":
        raise InvalidInputError(
            f"encoder must be 'automatic' for alike={parameters.alike!r}, which has a network of "
            f"its own; got {parameters.encoder!r}. Choose 'automatic', or alike='pixels'."
        )
    shape = X.shape[1:]
    n_components = min(_N_COMPONENTS, count_magnitudes(shape), len(X))
    upright = Upright(name="upright")
    spectrum = RingSpectrum(n_components, parameters.neighbor_blur_px, name="ring_spectrum")
    spectrum.build((None, *shape))
    step = max(1, _BLOCK_VALUES // max(1, int(np.prod(shape))))
    magnitudes = []
    for start in range(0, len(X), step):
        magnitudes.append(np.asarray(spectrum.magnitudes(upright(X[start : start + step]))))
        report(min(1.0, (start + step) / len(X)))
    read = np.concatenate(magnitudes)
    spectrum.fit(read)
    mean, axes = spectrum.get_weights()
    features = np.ascontiguousarray((read - mean) @ axes)
    return Comparison(features, spectrum_encoder(shape, upright, spectrum, parameters.random_state))
