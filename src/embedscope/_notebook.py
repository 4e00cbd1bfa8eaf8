"""Show an explorer at the end of a notebook's cell as its widget.

The explorer imports no front end, so `embedscope.__init__` sets `Explorer.display`. The widget is
imported when an explorer is shown, and only in a kernel: a terminal shows the `repr`.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING
from weakref import ReferenceType, WeakKeyDictionary, ref

if TYPE_CHECKING:
    from embedscope.explorer import Explorer
    from embedscope.jupyter_widget import ExplorerWidget

# Both references are weak, since a widget refers to its explorer; ipywidgets keeps open widgets.
_shown: WeakKeyDictionary[Explorer, ReferenceType[ExplorerWidget]] = WeakKeyDictionary()


def show_in_notebook(explorer: Explorer) -> None:
    """Show an explorer under the running cell.

    An explorer that is shown again gets another view of the same widget.

    Raises
    ------
    NotImplementedError
        Outside a kernel: IPython then shows the `repr`.
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
    """Whether this process is the kernel of a notebook, not a terminal."""
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    return getattr(shell, "kernel", None) is not None
