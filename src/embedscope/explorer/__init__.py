"""The view model that all front ends share: state, events and commands, without any toolkit."""

from embedscope.explorer._colors import ColorBy, Coloring, LegendEntry
from embedscope.explorer._decoding import Reconstruction
from embedscope.explorer._events import Embedding, ExplorerEvents, Hovered
from embedscope.explorer._explained import Explained
from embedscope.explorer._explanation import Explanation
from embedscope.explorer._explorer import Explorer
from embedscope.explorer._gates import Gate, GateSet
from embedscope.explorer._map_grid import MapGrid
from embedscope.explorer._presenter import Presenter
from embedscope.explorer._reconstructing import SampleReconstruction
from embedscope.explorer._samples_commands import PreparedSamples
from embedscope.explorer._selection import MODES, Selection
from embedscope.explorer._undo import History
from embedscope.explorer._view import ExplorerView, ViewIntents

__all__ = [
    "MODES",
    "ColorBy",
    "Coloring",
    "Embedding",
    "Explained",
    "Explanation",
    "Explorer",
    "ExplorerEvents",
    "ExplorerView",
    "Gate",
    "GateSet",
    "History",
    "Hovered",
    "LegendEntry",
    "MapGrid",
    "PreparedSamples",
    "Presenter",
    "Reconstruction",
    "SampleReconstruction",
    "Selection",
    "ViewIntents",
]
