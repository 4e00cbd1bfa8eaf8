"""The recipe for conda-forge asks for what `pyproject.toml` asks for, and is a recipe."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

import embedscope

ROOT = Path(__file__).parents[2]
RECIPE = ROOT / "scripts" / "conda" / "recipe.yaml"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
HEAVY = {"keras", "tensorflow"}  # what embedscope-base leaves out
AT_CONDA_FORGE = {"matplotlib": "matplotlib-base"}  # without a Qt of its own
RENDER = """
import json, sys
from rattler_build import Stage0Recipe
rendered = Stage0Recipe.from_file(sys.argv[1]).render()
print(json.dumps([[one.recipe.package.name, one.recipe.package.version] for one in rendered]))
"""


@pytest.fixture(scope="module")
def recipe() -> dict:
    return yaml.safe_load(RECIPE.read_text())


@pytest.fixture(scope="module")
def outputs(recipe) -> dict:
    return {one["package"]["name"]: one for one in recipe["outputs"]}


def bounds(lines: list[str]) -> set[str]:
    """Requirements of pip as conda writes them: without extras, and with a space."""
    asked = [Requirement(line) for line in lines if not line.startswith("embedscope[")]
    return {f"{AT_CONDA_FORGE.get(one.name, one.name)} {one.specifier}" for one in asked}


def test_both_packages_together_ask_for_what_pip_does(outputs):
    base = [
        line for line in outputs["embedscope-base"]["requirements"]["run"] if "python" not in line
    ]
    rest = [line for line in outputs["embedscope"]["requirements"]["run"] if "pin_" not in line]
    assert sorted(base + rest) == sorted(bounds(PROJECT["dependencies"]))
    assert {line.split()[0] for line in rest} == HEAVY


def test_bounds_of_the_extras_hold_where_their_packages_are_there(outputs):
    extras = [line for lines in PROJECT["optional-dependencies"].values() for line in lines]
    constraints = outputs["embedscope-base"]["requirements"]["run_constraints"]
    assert set(constraints) == bounds(extras)


def test_version_python_and_command_are_those_of_the_project(recipe, outputs):
    assert recipe["context"]["version"] == embedscope.__version__ == PROJECT["version"]
    assert f">={recipe['context']['python_min']}" == PROJECT["requires-python"]
    (command,) = PROJECT["scripts"].items()
    assert outputs["embedscope-base"]["build"]["python"]["entry_points"] == [" = ".join(command)]
    assert all((ROOT / name).is_file() for name in recipe["about"]["license_file"])


@pytest.mark.long
def test_rattler_build_renders_it():
    with_builder = ["--isolated", "--no-project", "--with", "py-rattler-build"]
    command = [sys.executable, "-m", "uv", "run", "--quiet", *with_builder, "python", "-c", RENDER]
    done = subprocess.run([*command, RECIPE], capture_output=True, text=True, check=True)
    version = PROJECT["version"]
    assert json.loads(done.stdout) == [["embedscope-base", version], ["embedscope", version]]
