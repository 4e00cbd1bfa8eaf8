"""One registry names the solvers; the check, the documentation and the default agree with it."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest

from embedscope import ParametricUMAP
from embedscope._errors import InvalidInputError
from embedscope.core._parameters import check_parameters
from embedscope.core.solvers._registry import SOLVERS, make_solver

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize("name", SOLVERS)
def test_a_registered_solver_can_be_made_and_is_a_valid_parameter(name):
    parameters = inspect.signature(make_solver(name).solve).parameters
    assert list(parameters) == ["problem", "model", "monitor"]
    assert check_parameters(ParametricUMAP(solver=name).get_params())["solver"] == name


def test_the_first_solver_is_the_default():
    assert ParametricUMAP().solver == next(iter(SOLVERS))


def test_the_message_lists_every_solver():
    with pytest.raises(InvalidInputError) as caught:
        check_parameters(ParametricUMAP(solver="none").get_params())
    rule = " or ".join(repr(name) for name in SOLVERS)
    assert str(caught.value).startswith(f"solver must be {rule}; got 'none'. ")


def test_the_documentation_lists_every_solver():
    listed = re.search(r"^ *solver : \{(.*?)\}", inspect.getdoc(ParametricUMAP), re.MULTILINE)
    quoted = [f'"{name}"' for name in SOLVERS]
    assert listed.group(1).split(", ") == quoted
    row = re.search(r"^\| `solver` .*$", (DOCS / "parameters.md").read_text(), re.MULTILINE)
    chapters = (DOCS / "solver.md").read_text()
    for each in quoted:
        assert f"`{each}`" in row.group()
        assert f"## `solver={each}`" in chapters


def test_the_registry_loads_no_tensorflow(run_python):
    code = (
        "import sys; from embedscope.core._parameters import check_parameters;"
        "print(sorted({'keras', 'tensorflow', 'numba'} & set(sys.modules)))"
    )
    assert run_python(code).stdout.strip() == "[]"
