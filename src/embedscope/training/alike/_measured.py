"""Measurements: pictures are alike if their objects measure alike.

The objects are those of the labels, if the samples were cut from labels, else found by Otsu's
threshold. The encoder reads what a turn does not change, as for "any orientation".
"""

from __future__ import annotations

import numpy as np

from embedscope.samples import Samples
from embedscope.samples.images import object_masks
from embedscope.training._parameters import TrainingParameters
from embedscope.training.alike import _any_orientation
from embedscope.training.alike._comparison import Comparison, Report, Show
from embedscope.training.alike._measurements import measured_features

_MEASURING_SHARE = 0.8  # of the time, for the reports


def compare(
    samples: Samples,
    X: np.ndarray,
    parameters: TrainingParameters,
    report: Report,
    show: Show,
) -> Comparison:
    """Standardised measurements, and the encoder of "any orientation"; see `Compare`."""
    features = measured_features(
        X, _flat_masks(samples), lambda share: report(_MEASURING_SHARE * share)
    )
    turned = _any_orientation.compare(
        samples,
        X,
        parameters,
        lambda share: report(_MEASURING_SHARE + (1.0 - _MEASURING_SHARE) * share),
        show,
    )
    return Comparison(features, turned.encoder)


def _flat_masks(samples: Samples) -> np.ndarray | None:
    """The objects of the samples; those of volumes from above."""
    masks = object_masks(samples)
    if masks is None or masks.ndim == 3:
        return masks
    return np.asarray(masks.any(axis=1))
