"""The dock for napari: images and map, linked and live. Loaded when napari asks for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from embedscope.napari_dock._dock import ExplorerDock

__all__ = ["ExplorerDock"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from embedscope._desktop import require_desktop

    require_desktop("the dock")
    from embedscope.napari_dock import _dock

    return getattr(_dock, name)
