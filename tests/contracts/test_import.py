"""`import embedscope` is free: what is heavy is paid for by its first user."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

BUDGET_S = 0.2
HEAVY = {
    "ipywidgets",
    "keras",
    "matplotlib",
    "napari",
    "numba",
    "pandas",
    "pynndescent",
    "qtpy",
    "scipy",
    "skimage",
    "sklearn",
    "tensorflow",
}


def run(code: str) -> str:
    """Run `code` in a fresh interpreter and return what it printed."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        # The import itself must be quiet, so no -W flag or log level is handed down.
        env={k: v for k, v in os.environ.items() if not k.startswith(("PYTHONWARNINGS", "TF_"))},
    )
    assert done.stderr == ""
    return done.stdout.strip()


def test_import_loads_nothing_heavy():
    loaded = run("import embedscope, sys; print(*{name.split('.')[0] for name in sys.modules})")
    assert "embedscope" in loaded.split()
    assert HEAVY.isdisjoint(loaded.split())


@pytest.mark.speed
def test_import_is_fast():
    code = (
        "import time; start = time.perf_counter(); import embedscope;"
        "print(time.perf_counter() - start)"
    )
    # The best of several: the machine may be busy, but the import cannot be faster than it is.
    assert min(float(run(code)) for _ in range(5)) < BUDGET_S


@pytest.mark.parametrize(
    "package", ["embedscope.samples", "embedscope.training", "embedscope.explorer"]
)
def test_what_front_ends_import_loads_no_network_library_and_no_toolkit(package):
    loaded = run(f"import {package}, sys; print(*{{n.split('.')[0] for n in sys.modules}})").split()
    assert "embedscope" in loaded
    heavy = {"anywidget", "ipywidgets", "keras", "napari", "numba", "qtpy", "tensorflow", "vispy"}
    assert heavy.isdisjoint(loaded)


def test_public_names_arrive_when_asked_for():
    names = ["Explorer", "ParametricUMAP", "load_ParametricUMAP"]
    code = f"import embedscope; print(*(getattr(embedscope, name).__name__ for name in {names}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == names


def test_unknown_name_is_an_attribute_error():
    import embedscope

    with pytest.raises(AttributeError, match="no_such_name"):
        _ = embedscope.no_such_name
