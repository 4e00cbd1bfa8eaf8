"""The view model that all front ends share: state, events and commands, without any toolkit."""

from embedscope.explorer._explorer import Explorer
from embedscope.explorer._presenter import Presenter
from embedscope.explorer._view import ExplorerView, ViewIntents
from embedscope.explorer.answers._decoding import Reconstruction
from embedscope.explorer.answers._depth import depth_in_words
from embedscope.explorer.answers._description import (
    SampleDescription,
    describe_row,
    name_of,
    names_of_rows,
)
from embedscope.explorer.answers._explained import Explained
from embedscope.explorer.answers._explanation import Explanation
from embedscope.explorer.answers._left_out import LeftOutInWords, left_out_in_words
from embedscope.explorer.answers._map_grid import MapGrid
from embedscope.explorer.answers._reconstructing import SampleReconstruction
from embedscope.explorer.coloring._colors import ColorBy, Coloring, LegendEntry
from embedscope.explorer.commands._samples_commands import PreparedSamples
from embedscope.explorer.export._csv_files import read_csv
from embedscope.explorer.export._gates_in_tables import gates_of
from embedscope.explorer.marks._events import Embedding, ExplorerEvents, Hovered
from embedscope.explorer.marks._gates import Gate, GateSet
from embedscope.explorer.marks._selection import MODES, Selection
from embedscope.explorer.marks._undo import History

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
    "LeftOutInWords",
    "LegendEntry",
    "MapGrid",
    "PreparedSamples",
    "Presenter",
    "Reconstruction",
    "SampleDescription",
    "SampleReconstruction",
    "Selection",
    "ViewIntents",
    "depth_in_words",
    "describe_row",
    "gates_of",
    "left_out_in_words",
    "name_of",
    "names_of_rows",
    "read_csv",
]
