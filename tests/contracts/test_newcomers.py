"""What a newcomer meets first: the description of the package, and extras that are missing."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# Makes packages look as if they were not installed.
WITHOUT = """
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {packages!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Absent())
"""


def run_without(packages: set[str], code: str) -> str:
    """What a process prints in which some packages cannot be imported."""
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT.format(packages=packages) + code],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout + done.stderr


def test_description_for_package_indexes_has_no_links_to_files():
    command = [sys.executable, "-m", "hatchling", "metadata"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert "pip install" in done.stdout
    assert re.findall(r"\]\((?!https?:)[^)]*\)", done.stdout) == []


def test_install_lines_come_first_in_the_readme():
    text = (ROOT / "README.md").read_text()
    assert text.index("pip install") < text.index("```python")
    assert "OS Independent" not in (ROOT / "pyproject.toml").read_text()


def test_page_on_smaller_installs_names_every_other_requirement():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = {re.split("[<>=[]", line)[0] for line in project["dependencies"]}
    (line,) = re.findall(r"pip install (filelock .*)", (ROOT / "docs" / "install.md").read_text())
    assert line.split() == sorted(wanted - {"keras", "tensorflow"})


def test_extras_that_open_windows_bring_a_binding_to_qt():
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"][
        "optional-dependencies"
    ]
    assert any("pyqt6" in line for line in extras["napari"])
    assert "napari" in extras["all"][0]
    assert not any("spatialdata" in line for line in extras["export"])  # 75 more packages


def test_dock_without_qt_says_what_to_install():
    code = "import embedscope.napari_dock as dock\ndock.ExplorerDock"
    said = run_without({"PyQt5", "PyQt6", "PySide2", "PySide6"}, code)
    assert 'the dock must find Qt; got "' in said
    assert 'pip install "embedscope[napari]"' in said


def test_demo_without_its_extra_says_so_before_it_loads_tensorflow():
    code = (
        "from embedscope.cli import main\n"
        "import importlib.util as u\n"
        "found = u.find_spec\n"
        "u.find_spec = lambda name: None if name == 'skimage' else found(name)\n"
        "status = main(['demo', '--headless'])\n"
        "print(status, 'tensorflow' in sys.modules)"
    )
    said = run_without(set(), code)
    assert 'pip install "embedscope[images]"' in said
    assert said.splitlines()[0] == "2 False" or said.splitlines()[-1] == "2 False"
    assert "Loading TensorFlow" not in said


@pytest.mark.parametrize("arguments", [["--version"], ["--help"]])
def test_module_is_the_command(arguments):
    command = [sys.executable, "-m", "embedscope", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip()


def test_headless_demo_opens_no_window(monkeypatch, tmp_path):
    from embedscope.cli import _demo, _exploring, main

    shown = []
    monkeypatch.setattr(_demo, "run_demo", lambda out: None)
    monkeypatch.setattr(_exploring, "can_show", lambda: True)
    monkeypatch.setattr(_exploring, "show_sample", lambda: shown.append(True))
    assert main(["demo", "--headless", "--out", str(tmp_path)]) == 0
    assert shown == []
    assert main(["demo", "--out", str(tmp_path)]) == 0
    assert shown == [True]


def test_package_that_is_installed_but_fails_is_told_apart_from_a_missing_one(monkeypatch):
    import importlib

    from embedscope._errors import MissingDependencyError
    from embedscope.explorer.export._exports import require_export

    with pytest.raises(
        MissingDependencyError, match=r"not installed\. Run: .*embedscope\[export\]"
    ):
        require_export("no_such_package", "to_anndata")

    def fail(name):
        raise ImportError("cannot import name 'x' from 'zarr'")

    monkeypatch.setattr(importlib, "import_module", fail)
    with pytest.raises(MissingDependencyError, match="its import failed: cannot import name 'x'"):
        require_export("numpy", "to_anndata")
