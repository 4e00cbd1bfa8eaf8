"""What people install: the wheel holds the whole package and nothing else."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "embedscope"
MAX_MB = 4.0  # at most 3 MB of them sample data


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> zipfile.ZipFile:
    folder = tmp_path_factory.mktemp("wheel")
    # The backend itself, without an isolated environment, so that this works offline.
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    (built,) = folder.glob("*.whl")
    with zipfile.ZipFile(built) as archive:
        yield archive


def source_files() -> set[str]:
    """Every file of the package that is not a by-product of running it."""
    return {
        path.relative_to(SOURCE.parent).as_posix()
        for path in SOURCE.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_wheel_holds_the_package_and_nothing_else(wheel):
    shipped = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert shipped == source_files()


def test_wheel_says_that_it_is_typed(wheel):
    assert "embedscope/py.typed" in wheel.namelist()


def test_wheel_ships_the_sample_cells(wheel):
    data = [
        entry
        for entry in wheel.infolist()
        if entry.filename.startswith("embedscope/samples/")
        and not entry.filename.endswith((".py", "/"))
    ]
    assert sum(entry.file_size for entry in data) > 100_000
    assert sum(entry.compress_size for entry in data) <= 3_000_000


def test_wheel_is_small(wheel):
    assert sum(entry.compress_size for entry in wheel.infolist()) < MAX_MB * 1e6


def test_wheel_ships_the_licence_and_the_command(wheel):
    (info,) = {name.split("/")[0] for name in wheel.namelist() if ".dist-info/" in name}
    assert b"Redistribution and use" in wheel.read(f"{info}/licenses/LICENSE")
    assert b"embedscope = embedscope.cli:main" in wheel.read(f"{info}/entry_points.txt")
