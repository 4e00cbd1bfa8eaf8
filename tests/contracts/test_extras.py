"""Each extra alone, newest and lowest, in a clean environment, as strangers install it."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from clean_environment import find_python, make_environment, run_smoke

from embedscope import Explorer
from embedscope.samples import nuclei, samples_from_labels

ROOT = Path(__file__).parents[2]
HERE = f"{sys.version_info.major}.{sys.version_info.minor}"
EXTRAS = ("images", "napari", "jupyter", "export", "spatialdata", "cytometry", "dask", "onnx")
# The scripts of `tests/support/smoke` that run with an extra.
SCRIPTS = {"": ["alone"], "all": [f"with_{extra}" for extra in EXTRAS]} | {
    extra: [f"with_{extra}"] for extra in EXTRAS
}
RESOLUTIONS = ("highest", "lowest-direct")

pytestmark = [pytest.mark.long, pytest.mark.timeout(1800)]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder]
    subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
    (built,) = folder.iterdir()
    return built


def requirements(extra: str) -> list[str]:
    """What embedscope with an extra asks for, with the extras that the extra names."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    if not extra:
        return list(project["dependencies"])
    wanted = []
    for line in project["optional-dependencies"][extra]:
        if named := re.fullmatch(r"embedscope\[(.*)\]", line):
            wanted += [line for other in named[1].split(",") for line in requirements(other)]
        else:
            wanted.append(line)
    return wanted


def check(wheel: Path, folder: Path, python: str, extra: str, resolution: str) -> None:
    """Install an extra into a clean environment, and run what it is for."""
    wanted = [f"embedscope[{extra}] @ {wheel.as_uri()}" if extra else str(wheel)]
    if resolution != "highest":  # only what is asked for by itself is as low as allowed
        wanted += ["--resolution", resolution, *requirements(""), *requirements(extra)]
    environment = folder / "environment"
    inside = make_environment(environment, python, *wanted)
    try:
        for script in SCRIPTS[extra]:
            run_smoke(inside, script, folder / script)
    finally:
        shutil.rmtree(environment)  # some GB each


@pytest.mark.parametrize("resolution", RESOLUTIONS)
@pytest.mark.parametrize("extra", ["", *EXTRAS])
def test_extra_alone(wheel, tmp_path, extra, resolution):
    check(wheel, tmp_path, sys.executable, extra, resolution)


@pytest.mark.parametrize("resolution", RESOLUTIONS)
@pytest.mark.parametrize("extra", ["", "all"])
@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13"])
def test_python(wheel, tmp_path, python, extra, resolution):
    if python == HERE and not extra:
        pytest.skip("is tested above")
    found = find_python(python)
    if found is None:
        pytest.skip(f"Python {python} is not on this machine")
    check(wheel, tmp_path, found, extra, resolution)


def test_other_tensorflow(wheel, tmp_path):
    """`tensorflow-cpu` in place of `tensorflow`, as docs/install.md says."""
    (tmp_path / "not-wanted.txt").write_text("tensorflow\n")
    options = ["--excludes", str(tmp_path / "not-wanted.txt")]
    inside = make_environment(
        tmp_path / "cpu", sys.executable, str(wheel), "tensorflow-cpu", *options
    )
    run_smoke(inside, "alone", tmp_path / "alone")


def test_no_tensorflow(wheel, tmp_path):
    (tmp_path / "not-wanted.txt").write_text("tensorflow\nkeras\n")
    options = ["--excludes", str(tmp_path / "not-wanted.txt")]
    wanted = f"embedscope[export,images,jupyter] @ {wheel.as_uri()}"
    inside = make_environment(tmp_path / "without", sys.executable, wanted, *options)
    save_trained_session(tmp_path / "explored" / "session")
    run_smoke(inside, "without_tensorflow", tmp_path / "explored")


def save_trained_session(folder: Path) -> None:
    """A session with a trained map and its decoder, from this environment."""
    fields = nuclei()
    explorer = Explorer(samples_from_labels(fields.images[0], fields.labels[0], size=16))
    explorer.set_parameters(n_neighbors=5, encoder="dense", quality="fast")
    explorer.train()
    assert explorer.wait().error is None
    explorer.save(folder, include_images=True)


def test_every_extra_has_a_script():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert {*project["optional-dependencies"], ""} == set(SCRIPTS)
