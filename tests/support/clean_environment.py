"""Environments that hold nothing but embedscope, one of its extras, and what these bring."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

SMOKE = Path(__file__).parent / "smoke"
UV = (sys.executable, "-m", "uv")
# Wheels only, for strangers without a compiler; flowio is pure Python and has no wheel.
INSTALL = ("pip", "install", "--quiet", "--only-binary", ":all:", "--no-binary", "flowio")


def find_python(version: str) -> str | None:
    """A Python of a version, such as "3.12", on this machine; also one that pyenv does not show."""
    done = subprocess.run([*UV, "python", "find", version], capture_output=True, text=True)
    if done.returncode == 0:
        return done.stdout.strip()
    installed = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    found = sorted(installed.glob(f"{version}.*/bin/python"))
    return str(found[-1]) if found else None


def make_environment(folder: Path, python: str, *wanted: str) -> Path:
    """Make an environment of a Python, install into it, and return the Python in it."""
    subprocess.run([*UV, "venv", "--quiet", "--python", python, folder], check=True)
    inside = folder / "bin" / "python"
    command = [*UV, *INSTALL, "--python", inside, *wanted]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return inside


def run_smoke(python: Path, name: str, folder: Path) -> None:
    """Run a script of `smoke` in a folder; if it fails, its last words are the error's."""
    folder.mkdir(exist_ok=True)
    alone = {"PYTHONPATH", "PYTHONSAFEPATH", "PYTHONWARNINGS", "QT_API"}
    variables = {name: value for name, value in os.environ.items() if name not in alone}
    done = subprocess.run(
        [python, SMOKE / f"{name}.py"],
        cwd=folder,
        env=variables,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]
