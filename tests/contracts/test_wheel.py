"""What people install: the wheel holds the whole package and nothing else."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "embedscope"
BUNDLE_SOURCE = SOURCE / "jupyter_widget" / "js"  # what jupyter_widget/static is made from
MAX_MB = 4.0  # at most 3 MB of them sample data


def build(kind: str, project: Path, folder: Path) -> Path:
    """Build a "wheel" or an "sdist" of the project in a folder, and return the file."""
    # The backend itself, without an isolated environment, so that this works offline.
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", str(folder)],
        cwd=project,
        capture_output=True,
        check=True,
    )
    (built,) = folder.iterdir()
    return built


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Iterator[zipfile.ZipFile]:
    with zipfile.ZipFile(build("wheel", ROOT, tmp_path_factory.mktemp("wheel"))) as archive:
        yield archive


@pytest.fixture(scope="module")
def sdist(tmp_path_factory) -> Path:
    return build("sdist", ROOT, tmp_path_factory.mktemp("sdist"))


@pytest.fixture(scope="module")
def unpacked(sdist, tmp_path_factory) -> Path:
    """The source distribution, unpacked as by somebody who builds from it."""
    folder = tmp_path_factory.mktemp("unpacked")
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="data")
    (project,) = folder.iterdir()
    return project


def source_files() -> set[str]:
    """Every file of the package that is no by-product of running it and no source of the bundle."""
    return {
        path.relative_to(SOURCE.parent).as_posix()
        for path in SOURCE.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and BUNDLE_SOURCE not in path.parents
    }


def test_wheel_holds_the_package_and_nothing_else(wheel):
    shipped = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert shipped == source_files()


@pytest.mark.parametrize(
    "name",
    [
        "py.typed",
        "napari.yaml",
        "jupyter_widget/static/widget.js",
        "jupyter_widget/static/widget.css",
        "jupyter_widget/static/uPlot-LICENSE.txt",
    ],
)
def test_wheel_holds_what_is_no_python(wheel, name):
    assert wheel.getinfo(f"embedscope/{name}").file_size == (SOURCE / name).stat().st_size


def test_wheel_leaves_out_what_the_bundle_is_made_from(wheel):
    assert (BUNDLE_SOURCE / "package.json").is_file()
    left_out = ("embedscope/jupyter_widget/js/", "node_modules", ".ts", "package-lock.json")
    assert [name for name in wheel.namelist() if any(part in name for part in left_out)] == []


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


def test_wheel_ships_the_licence_and_the_entry_points(wheel):
    (info,) = {name.split("/")[0] for name in wheel.namelist() if ".dist-info/" in name}
    assert b"Redistribution and use" in wheel.read(f"{info}/licenses/LICENSE")
    bundled = "src/embedscope/jupyter_widget/static/uPlot-LICENSE.txt"
    assert b"Leon Sorokin" in wheel.read(f"{info}/licenses/{bundled}")
    entry_points = wheel.read(f"{info}/entry_points.txt")
    assert b"embedscope = embedscope.cli:main" in entry_points
    assert b"embedscope = embedscope:napari.yaml" in entry_points


def test_a_package_index_takes_both(wheel, sdist):
    command = [sys.executable, "-m", "twine", "--no-color", "check", "--strict"]
    done = subprocess.run([*command, wheel.filename, sdist], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("PASSED") == 2


def test_source_distribution_can_be_built_from(wheel, unpacked, tmp_path):
    with zipfile.ZipFile(build("wheel", unpacked, tmp_path)) as again:
        assert sorted(again.namelist()) == sorted(wheel.namelist())


def test_source_distribution_holds_the_sources_of_the_bundle_but_not_what_npm_installs(unpacked):
    bundle_source = unpacked / BUNDLE_SOURCE.relative_to(ROOT)
    assert {"package.json", "package-lock.json", "src"} <= {p.name for p in bundle_source.iterdir()}
    assert [*unpacked.rglob("node_modules")] == []


def test_source_distribution_leaves_out_what_only_this_repository_needs(unpacked):
    names = {path.name for path in unpacked.iterdir()}
    assert {"LICENSE", "README.md", "docs", "src", "tests"} <= names
    assert {".ci", ".git", ".venv", "dist"}.isdisjoint(names)
