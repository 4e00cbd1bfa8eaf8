"""embedscope: a parametric UMAP in seconds, linked to the images of the samples.

The public names are imported at their first use, so that importing the package is fast.
"""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from embedscope.core import ParametricUMAP, load_ParametricUMAP
    from embedscope.explorer import Explorer

__all__ = ["Explorer", "ParametricUMAP", "__version__", "load_ParametricUMAP"]

_HOMES = {
    "Explorer": "embedscope.explorer",
    "ParametricUMAP": "embedscope.core",
    "load_ParametricUMAP": "embedscope.core",
}

try:
    __version__ = version("embedscope")
except PackageNotFoundError:  # the source tree itself, not installed
    __version__ = "0.0.0"


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    if name == "Explorer":
        value.display = import_module("embedscope._notebook").show_in_notebook
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
