"""Fixtures of the core's tests: a few digits, and fresh interpreters."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pytest


class FewDigits(NamedTuple):
    """Digits to fit, and others for tests of the fitted map."""

    train: np.ndarray  # (300, 64) float32 in 0..1
    labels: np.ndarray  # (300,)
    test: np.ndarray  # (200, 64)
    test_labels: np.ndarray


@pytest.fixture(scope="session")
def few(digits) -> FewDigits:
    return FewDigits(
        digits.data[:300], digits.labels[:300], digits.data[300:500], digits.labels[300:500]
    )


@pytest.fixture(scope="session")
def run_python() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run code in a fresh interpreter, which inherits no log level and no warning filter."""

    def run(code: str, *arguments: object) -> subprocess.CompletedProcess[str]:
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("TF_", "KERAS_", "PYTHONWARNINGS"))
        }
        done = subprocess.run(
            [sys.executable, "-c", code, *map(str, arguments)],
            capture_output=True,
            env=inherited,
        )
        stdout, stderr = done.stdout.decode(), done.stderr.decode()  # "\r" stays what it is
        assert done.returncode == 0, stderr
        return subprocess.CompletedProcess(done.args, done.returncode, stdout, stderr)

    return run
