"""The explorer in a notebook."""

from __future__ import annotations

import itertools
import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from embedscope._errors import MissingDependencyError

try:
    from embedscope.jupyter_widget._host import is_open, show_widget
    from embedscope.jupyter_widget._traits import ExplorerTraits
except ImportError as error:
    raise MissingDependencyError(
        f"the notebook widget must have anywidget and ipywidgets; got {error}. Run: pip install "
        '"embedscope[jupyter]"'
    ) from error

from embedscope._errors import InvalidInputError
from embedscope._notebook import is_in_kernel
from embedscope.explorer import ColorBy, Explorer, Presenter, Selection
from embedscope.jupyter_widget._catalog import Abilities
from embedscope.jupyter_widget._dispatcher import IntentDispatcher
from embedscope.jupyter_widget._page_view import PageView
from embedscope.jupyter_widget._saved_picture import SavedPicture
from embedscope.jupyter_widget._static_page import STATIC, write_page
from embedscope.jupyter_widget.pictures._atlas import AtlasUpdater
from embedscope.jupyter_widget.protocol._message_base import Message
from embedscope.jupyter_widget.wire._outbox import Buffers
from embedscope.samples import SampleId

if TYPE_CHECKING:
    import pandas as pd

_numbers = itertools.count(1)  # of the widgets: part of the origin of a selection


class ExplorerWidget(ExplorerTraits):
    """An `Explorer` in a notebook: its map, live while it trains, with images, gates and decoder.

    Several widgets may show one explorer, and one widget may be shown several times; all show the
    same. An explorer at the end of a cell is shown as such a widget.

    Parameters
    ----------
    explorer : Explorer, Samples, DataFrame or array, optional
        What to show. Anything but an explorer is passed to a new `Explorer`.
    height : int, default=480
        Height of the map in pixels, in 200..2000.

    Attributes
    ----------
    selection : tuple of SampleId
        The selected samples: (source, frame, label) of each. Set it to select; `observe` or link
        it.
    parameters : dict
        Values of the parameter form by name. Set it to change them.
    status, catalog, history : dict
        What the page shows; set by the widget alone.
    selected : dict
        Count and revision of the selection, as the page saves them; marimo runs dependent cells
        when the page saves them.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from embedscope import Explorer
    >>> from embedscope.jupyter_widget import ExplorerWidget
    >>> widget = ExplorerWidget(Explorer(load_digits(as_frame=True).data))
    >>> len(widget.selection)
    0
    >>> widget.close()

    Notes
    -----
    A widget has three threads, which end with `close` or the process: one sends, one runs commands
    of the page, and one decodes and draws. Once the widget is shown, a fourth draws the picture
    that is saved in the notebook. Observers of `selection` are called in the thread that changed
    it, those of `parameters` in the thread that sends.
    """

    # As text: anywidget watches files, and its watcher references every widget for ever.
    _esm = (STATIC / "widget.js").read_text(encoding="utf-8")
    _css = (STATIC / "widget.css").read_text(encoding="utf-8")

    def __init__(self, explorer: Any = None, *, height: int = 480) -> None:
        shown = explorer if isinstance(explorer, Explorer) else Explorer(explorer)
        super().__init__(shown, height)
        self._view = _WidgetView(self)
        self._dispatcher = IntentDispatcher(self._view)
        self._presenter = Presenter(shown, self._view, f"widget {next(_numbers)}")
        put_atlas = partial(self._view.outbox.put, "atlas")
        self._atlas = AtlasUpdater(shown, put_atlas, self._dispatcher.draw)
        self._picture = SavedPicture(shown, f"embedscope {self.model_id}")
        self.on_msg(self._receive)

    # -- public ----------------------------------------------------------------------------------

    @property
    def explorer(self) -> Explorer:
        """The explorer that is shown, with all of its commands."""
        return self._explorer

    @property
    def gates(self) -> pd.DataFrame:
        """Counts of the samples in each gate: gate, source, frame, count and share."""
        return self.explorer.gate_counts()

    def to_png(self, path: str | os.PathLike[str] | None = None, *, dpi: int = 150) -> bytes:
        """Draw the map with its colours, legend and selection.

        Parameters
        ----------
        path : str or path, optional
            Where to write it as well.
        dpi : int, default=150
            Pixels per inch; the picture is 6.4 x 4.8 inches.

        Returns
        -------
        bytes
            A PNG.

        Raises
        ------
        InvalidInputError
            If `dpi` is not from 10 to 2400.
        """
        png = self.explorer.draw_map(dpi=dpi)
        if path is not None:
            Path(path).write_bytes(png)
        return png

    def save_html(
        self,
        path: str | os.PathLike[str],
        *,
        title: str = "embedscope",
        most_thumbnails: int = 2048,
    ) -> None:
        """Write a page that shows the map without a kernel and without a network.

        It contains the map and its snapshots, colours, gates, selection, images of up to 1024
        pixels a side, and decoded pictures on a grid. Nothing can be trained in it.

        Parameters
        ----------
        path : str or path
        title : str
            Of the page.
        most_thumbnails : int, default=2048
            Number of samples whose pictures are included, evenly over the rows.

        Raises
        ------
        InvalidInputError
            If `most_thumbnails` is negative.
        """
        if most_thumbnails < 0:
            raise InvalidInputError(
                f"most_thumbnails must be 0 or more; got {most_thumbnails!r}. 0 leaves them "
                "all out."
            )
        write_page(
            Path(path),
            self.explorer,
            title=title,
            height=self.height,
            most_thumbnails=most_thumbnails,
        )

    def _ipython_display_(self) -> None:
        """Show the widget, and after it the picture for readers of the saved notebook."""
        if not is_in_kernel():
            raise NotImplementedError  # IPython then shows what `repr` gives
        show_widget(self)
        self._picture.show()

    def close(self) -> None:
        """Remove the widget from the page and end its threads. The explorer and its run go on."""
        if not is_open(self):
            return
        self._atlas.close()
        self._picture.close()
        self._presenter.close()
        self._dispatcher.close()
        self._view.close()
        super().close()

    # -- between the page and the explorer -------------------------------------------------------

    def _send_message(self, message: Message, buffers: Buffers) -> None:
        self.send(message.to_dict(), list(buffers))

    def _receive(self, _: Any, content: Any, buffers: Any) -> None:
        self._dispatcher.receive(content, buffers or ())


class _WidgetView(PageView):
    """The view of a widget: it also sets the trait `selection`, for observers in Python."""

    def __init__(self, widget: ExplorerWidget) -> None:
        self._widget = widget
        super().__init__(
            widget._send_message,
            widget._show_trait,
            lambda: Abilities.of(widget.explorer),
            self._current_color_by,
        )

    def _current_color_by(self) -> ColorBy:
        return self._widget.explorer.color_by

    def show_selection(self, selection: Selection) -> None:
        # The trait first: when the page saves the selection, other cells may read the trait.
        try:
            self._widget._show_selection(_ids_of(self.samples, selection))
        finally:
            super().show_selection(selection)


def _ids_of(samples: Any, selection: Selection) -> list[SampleId]:
    return [] if samples is None else list(samples.identities.take(selection.rows))
