"""Pixels: pictures are alike if they are similar, blurred, as they lie.

Compared pixel by pixel, two cells differ most in the random positions of their granules. A blur and
the leading principal components leave the larger structures.
"""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter

from embedscope.core.arrays import principal_axes
from embedscope.samples import Samples
from embedscope.training._networks import picture_encoder
from embedscope.training._parameters import TrainingParameters
from embedscope.training.alike._comparison import Comparison, Report, Show

_N_COMPONENTS = 40
_BLOCK_VALUES = 2**20  # values blurred between two reports: some tens of milliseconds


def compare(
    samples: Samples,
    X: np.ndarray,
    parameters: TrainingParameters,
    report: Report,
    show: Show,
) -> Comparison:
    """Blurred pictures, and the convolutional network; see `Compare`."""
    features = picture_features(
        X, blur_px=parameters.neighbor_blur_px, metric=parameters.metric, report=report
    )
    encoder = None
    if parameters.encoder != "dense":
        encoder = picture_encoder(X.shape[1:], parameters.random_state)
    return Comparison(features, encoder)


def picture_features(
    pictures: np.ndarray, *, blur_px: float, metric: str, report: Report
) -> np.ndarray:
    """Blurred pictures as rows.

    Parameters
    ----------
    pictures : ndarray of shape (n_samples, [depth,] height, width, n_channels), float32
    blur_px : float
        Standard deviation of the blur, in pixels; 0 for none.
    metric : str
        "euclidean" compares 40 principal components of the blurred pictures. Other metrics compare
        the blurred pictures, since they may have no meaning for components.
    report : callable
        Called with the fraction done, 0..1; may raise to stop.

    Returns
    -------
    ndarray of shape (n_samples, n_features), float32
    """
    flat = _blurred(pictures, blur_px, report)
    if metric == "euclidean" and flat.shape[1] > _N_COMPONENTS:
        flat -= flat.mean(axis=0, dtype=np.float64).astype(np.float32)
        flat = flat @ principal_axes(flat, _N_COMPONENTS)
    return flat


def _blurred(pictures: np.ndarray, blur_px: float, report: Report) -> np.ndarray:
    """A copy of the pictures, blurred block by block and flattened."""
    flat = np.empty((len(pictures), int(np.prod(pictures.shape[1:]))), dtype=np.float32)
    blurred = flat.reshape(pictures.shape)
    sigma = (0.0, *[blur_px] * (pictures.ndim - 2), 0.0)
    step = max(1, _BLOCK_VALUES // max(1, flat.shape[1]))
    for start in range(0, len(pictures), step):
        block = slice(start, start + step)
        gaussian_filter(pictures[block], sigma=sigma, output=blurred[block])
        report(min(1.0, (start + step) / len(pictures)))
    return flat
