"""An explorer at the end of a notebook's cell shows itself as its widget.

The explorer knows no front end, so the package's front door hands this to it. Nothing is imported
before an explorer is really shown, and only in a kernel: a terminal shows its ordinary `repr`.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING
from weakref import ReferenceType, WeakKeyDictionary, ref

if TYPE_CHECKING:
    from embedscope.explorer import Explorer
    from embedscope.jupyter_widget import ExplorerWidget

# Weakly both ways, since a widget holds its explorer; an open one is kept by ipywidgets itself.
_shown: WeakKeyDictionary[Explorer, ReferenceType[ExplorerWidget]] = WeakKeyDictionary()


def show_in_notebook(explorer: Explorer) -> None:
    """Show an explorer under the cell that runs.

    An explorer that is shown again is another view of the same widget.

    Raises
    ------
    NotImplementedError
        Outside a kernel: IPython then shows what `repr` gives.
    """
    if not is_in_kernel():
        raise NotImplementedError
    from IPython.display import display

    try:
        from embedscope.jupyter_widget import ExplorerWidget
    except ImportError as error:
        display({"text/plain": f"{explorer!r}\n{error}"}, raw=True)
        return
    known = _shown.get(explorer)
    widget = None if known is None else known()
    if widget is None or widget.comm is None:
        widget = ExplorerWidget(explorer)
        _shown[explorer] = ref(widget)
    display(widget)


def is_in_kernel() -> bool:
    """Whether a notebook's kernel runs this process, not a terminal."""
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    return getattr(shell, "kernel", None) is not None
