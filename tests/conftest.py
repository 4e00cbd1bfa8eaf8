"""What every test shares: quiet TensorFlow, no windows, and the digits."""

from __future__ import annotations

import os
import random
from typing import NamedTuple

# Read when TensorFlow and matplotlib are first imported, so set before any test module is.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("MPLBACKEND", "Agg")
# Which of the installed bindings to Qt; scripts/test asks for the other one in some of the dock's
# suites. Left to itself, pytest-qt loads the first it finds, whatever QT_API says.
os.environ.setdefault("QT_API", "pyqt6")
os.environ.setdefault("PYTEST_QT_API", os.environ["QT_API"])

import numpy as np
import pytest
from hypothesis import settings

# A test that is slow because the machine is busy has not failed.
settings.register_profile("embedscope", deadline=None)
settings.load_profile("embedscope")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Let the networks that tests build start alike in every run.

    Keras draws the seeds of first weights from Python's own generator. Done before any fixture,
    also those that several tests share.
    """
    random.seed(20_180_213)


class Digits(NamedTuple):
    """scikit-learn's 8 x 8 handwritten digits, one flattened image a row."""

    data: np.ndarray  # (1797, 64) float32 in 0..1
    labels: np.ndarray  # (1797,) int64 in 0..9


@pytest.fixture(scope="session")
def digits() -> Digits:
    from sklearn.datasets import load_digits

    data, labels = load_digits(return_X_y=True)
    shared = Digits((data / 16).astype(np.float32), labels)
    for array in shared:
        array.setflags(write=False)  # one test's accident must not become another test's data
    return shared


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(20_180_213)
