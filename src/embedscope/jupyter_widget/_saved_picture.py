"""A picture of the map in the saved notebook, for readers without a kernel.

It is an output of its own. An output that is updated is rendered again, and in the same output the
widget would lose scroll position and focus. Where the widget is alive, its stylesheet
(``host.css``) hides the picture; GitHub, nbconvert and JupyterLab without a kernel do not load it.
"""

from __future__ import annotations

import base64
import threading
from typing import Any

from embedscope._wording import counted
from embedscope.explorer import Explorer
from embedscope.jupyter_widget._host import show_in_output, update_output
from embedscope.jupyter_widget.wire._worker import Worker
from embedscope.training import Phase, Status

_DPI = 100
_DELAY_S = 2.0  # the widget itself is shown first
_AT_REST = (Phase.PAUSED, Phase.DONE, Phase.STOPPED)


class SavedPicture:
    """Draws an explorer's map beside a widget, and again when a training run pauses or ends.

    Parameters
    ----------
    explorer : Explorer
    name : str
        Of the output in the notebook.
    """

    def __init__(self, explorer: Explorer, name: str) -> None:
        self._explorer = explorer
        self._name = name
        self._drawing: Worker | None = None
        self._closing = threading.Event()
        explorer.events.status_changed.connect(self._after_status)

    def show(self) -> None:
        """Add the output under the cell that runs, and draw the picture soon."""
        show_in_output(self._name)
        if self._drawing is None:
            self._drawing = Worker("embedscope-picture")
        self._drawing.post(self._renew, "picture")

    def close(self) -> None:
        """Stop drawing the picture."""
        self._explorer.events.status_changed.disconnect(self._after_status, missing_ok=True)
        self._closing.set()
        if self._drawing is not None:
            self._drawing.close()

    def _after_status(self, status: Status) -> None:
        if self._drawing is not None and status.phase in _AT_REST:
            self._drawing.post(self._renew, "picture")

    def _renew(self) -> None:
        if not self._closing.wait(_DELAY_S):
            update_output(self._name, self._bundle())

    def _bundle(self) -> dict[str, Any]:
        """The picture by MIME type; empty without samples."""
        samples = self._explorer.samples
        if samples is None:
            return {}
        text = f"Map of {counted(len(samples), 'sample')}"
        png = base64.b64encode(self._explorer.draw_map(dpi=_DPI)).decode()
        source = f"data:image/png;base64,{png}"
        return {
            "text/html": f'<img class="embedscope-saved" alt="{text}" src="{source}">',
            "image/png": png,
            "text/plain": text,
        }
