"""The package works with the lowest versions of its dependencies that `pyproject.toml` allows."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# The library, its files and exports, samples of all kinds, and the view model of both front ends.
SUITES = (
    "tests/core/test_documented.py",
    "tests/core/test_onnx.py",
    "tests/core/test_storage.py",
    "tests/samples",
    "tests/explorer/test_session.py",
)
RUNNERS = ("hypothesis", "pytest", "pytest-timeout", "pytest-xvfb")  # as new as can be


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_lowest_versions(tmp_path):
    python = tmp_path / "bin" / "python"
    subprocess.run([sys.executable, "-m", "venv", tmp_path], check=True)

    def install(*wanted: str) -> None:
        command = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--python", python]
        subprocess.run([*command, *wanted], cwd=ROOT, check=True)

    install("--resolution", "lowest-direct", "--editable", ".[all]")
    install(*RUNNERS)
    # Old versions warn of what has gone since: only failures count here.
    environment = os.environ | {"PYTHONWARNINGS": "ignore"}
    command = [python, "-m", "pytest", "-q", "-W", "default", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [*command, *SUITES], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout[-4000:]
