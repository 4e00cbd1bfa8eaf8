"""The solvers that `ParametricUMAP(solver=...)` can name.

The one place to add a solver: its entry here and its module. The check of the parameter and its
message read the entries, so this module imports no TensorFlow; a solver's own module is imported
when a fit needs it.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from embedscope.core.solvers._problem import Solver


@dataclass(frozen=True)
class SolverEntry:
    """Where a solver is implemented.

    Attributes
    ----------
    module : str
        Full name of its module.
    class_name : str
        Its class in that module, a `Solver`, made without arguments.
    summary : str
        What it is good for, in a few words; error messages quote it after the name.
    """

    module: str
    class_name: str
    summary: str


# The first is the default of `ParametricUMAP`.
SOLVERS = {
    "auxiliary": SolverEntry("embedscope.core.solvers._auxiliary", "AuxiliarySolver", "is fast"),
    "edges": SolverEntry(
        "embedscope.core.solvers._edges", "EdgesSolver", "trains edge by edge, as umap-learn does"
    ),
}


def make_solver(name: str) -> Solver:
    """A new solver of the given name; imports its module."""
    entry = SOLVERS[name]
    solver: Solver = getattr(import_module(entry.module), entry.class_name)()
    return solver
