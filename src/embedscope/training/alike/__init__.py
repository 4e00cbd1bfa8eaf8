"""What counts as alike: one module for each choice of `TrainingParameters.alike`."""

from __future__ import annotations

from importlib import import_module

import numpy as np

from embedscope.samples import Samples
from embedscope.training._parameters import TrainingParameters
from embedscope.training.alike._comparison import Compare, Comparison, Report, Show

__all__ = ["Comparison", "compare_pictures"]

# Modules by choice, imported when needed: each has a function `compare` as `Compare` says.
_HOMES = {
    "pixels": "embedscope.training.alike._pixels",
    "any orientation": "embedscope.training.alike._any_orientation",
    "measurements": "embedscope.training.alike._measured",
    "learned": "embedscope.training.alike._learned",
}


def compare_pictures(
    samples: Samples,
    X: np.ndarray,
    parameters: TrainingParameters,
    report: Report,
    show: Show,
) -> Comparison:
    """Features of pictures whose neighbours make the graph, and the encoder that reads them.

    Parameters are those of `Compare`.

    Raises
    ------
    InvalidInputError
        If the samples do not suit the choice.
    """
    compare: Compare = import_module(_HOMES[parameters.alike]).compare
    return compare(samples, X, parameters, report, show)
