"""All that depends on the host of the widget: ipywidgets, the kernel, and the notebook.

- JupyterLab and Notebook show messages from any thread. With ipykernel 7.0 a thread has to know the
  cell that it belongs to (see `start_daemon`).
- Colab shows only what is sent by the thread of a message from the page (colabtools #3373): the
  page polls, and `Pump.serve` answers from that thread.
- marimo runs dependent cells when the page saves a trait, and at nothing else: the page saves the
  trait `selected`.
- GitHub, nbconvert and JupyterLab without a kernel show a saved picture (see `show_in_output`).
"""

from __future__ import annotations

import contextvars
import sys
import threading
from collections.abc import Callable
from typing import Any

from IPython.display import display, update_display

# The page fits itself to the width that it is given; ipywidgets' boxes give none without this.
LAYOUT = {"width": "100%"}


def is_open(widget: Any) -> bool:
    """Whether a widget still has its connection to the page; ipywidgets' `close` ends it."""
    return widget.comm is not None


def show_widget(widget: Any) -> None:
    """Show a widget under the cell that runs."""
    bundle, _ = widget._repr_mimebundle_()
    display(bundle, raw=True)


def show_in_output(name: str) -> None:
    """Add an empty output under the cell that runs; `update_output` fills it."""
    display({}, raw=True, display_id=name)


def update_output(name: str, bundle: dict[str, Any]) -> None:
    """Replace the content of an output that `show_in_output` added."""
    update_display(bundle, raw=True, display_id=name)


def start_daemon(name: str, work: Callable[[], None]) -> threading.Thread:
    """Start a thread that ends with the process and whose messages reach the page."""
    ipykernel = sys.modules.get("ipykernel")
    if str(getattr(ipykernel, "__version__", "")).startswith("7.0."):
        # ipykernel 7.0 sends nothing from a thread that does not know its cell (ipykernel #1450).
        context = contextvars.copy_context()
        thread = threading.Thread(target=context.run, args=(work,), name=name, daemon=True)
    else:
        thread = threading.Thread(target=work, name=name, daemon=True)
    thread.start()
    return thread
