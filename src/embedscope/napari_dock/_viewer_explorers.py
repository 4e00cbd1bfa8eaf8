"""The explorer of each viewer: it outlives the docks and ends with its viewer."""

from __future__ import annotations

import weakref
from contextlib import suppress
from typing import Any

from embedscope._errors import InvalidInputError
from embedscope.explorer import Explorer
from embedscope.napari_dock._qt_dispatcher import QtDispatcher
from embedscope.napari_dock._settings import preferred_parameters

# The explorer outlives the dock: a training run goes on, and the dock can be opened again.
_explorers: weakref.WeakKeyDictionary[Any, Explorer] = weakref.WeakKeyDictionary()


def explorer_of(viewer: Any) -> Explorer:
    """The explorer of a viewer, made with its first dock.

    Parameters
    ----------
    viewer : napari.Viewer

    Returns
    -------
    Explorer
        Starts with the parameters of the user's preferences.
    """
    if viewer not in _explorers:
        explorer = Explorer(dispatcher=QtDispatcher())
        explorer.set_parameters(**preferred_parameters())
        _explorers[viewer] = explorer
        weakref.finalize(viewer, stop_run, explorer)
    return _explorers[viewer]


def stop_run(explorer: Explorer) -> None:
    """Stop the training run of a viewer that is gone, or whose window is closed.

    Parameters
    ----------
    explorer : Explorer
        Keeps the best map so far.
    """
    with suppress(InvalidInputError):  # nothing was trained
        explorer.stop()
