"""The estimator and its parts: arrays, graph, layout, networks, solvers, storage.

No threads, no events, no toolkit. The public names are `ParametricUMAP` and
`load_ParametricUMAP`, which `embedscope` also exports; they are imported at first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from embedscope.core._estimator import ParametricUMAP
    from embedscope.core._persistence import load_ParametricUMAP

__all__ = ["ParametricUMAP", "load_ParametricUMAP"]

_HOMES = {
    "ParametricUMAP": "embedscope.core._estimator",
    "load_ParametricUMAP": "embedscope.core._persistence",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__
