"""The explorer in a notebook."""

from __future__ import annotations

import itertools
import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from embedscope._errors import MissingDependencyError

try:
    from IPython.display import display

    from embedscope.jupyter_widget._traits import ExplorerTraits
except ImportError as error:
    raise MissingDependencyError(
        f"the notebook widget must have anywidget and ipywidgets; got {error}. Install them: "
        "pip install 'embedscope[jupyter]'."
    ) from error

from embedscope._errors import InvalidInputError
from embedscope._notebook import is_in_kernel
from embedscope.explorer import ColorBy, Explorer, Presenter, Selection
from embedscope.jupyter_widget._catalog import Abilities
from embedscope.jupyter_widget._desk import Desk
from embedscope.jupyter_widget._page_view import PageView
from embedscope.jupyter_widget._saved_picture import SavedPicture
from embedscope.jupyter_widget._static_page import STATIC, write_page
from embedscope.jupyter_widget.pictures._atlas import AtlasKeeper
from embedscope.jupyter_widget.protocol._heads import Message
from embedscope.jupyter_widget.wire._outbox import Buffers
from embedscope.samples import SampleId

if TYPE_CHECKING:
    import pandas as pd

_numbers = itertools.count(1)


class ExplorerWidget(ExplorerTraits):
    """An `Explorer` in a notebook: its map, live while it trains, with images, gates and decoder.

    Several widgets may show one explorer, and one widget several times; all stay in step. An
    explorer at the end of a cell shows itself as such a widget.

    Parameters
    ----------
    explorer : Explorer, Samples, DataFrame or array, optional
        What to show; anything else than an explorer is given to a new one.
    height : int, default=480
        Height of the map in pixels, in 200..2000.

    Attributes
    ----------
    selection : tuple of SampleId
        Who is selected: (source, frame, label) of each. Set it to select; `observe` or link it.
    parameters : dict
        Values of the parameter form by name. Set it to change them.
    status, catalog, history : dict
        What the page shows; set by the widget alone.
    selected : dict
        Count and revision of the selection, as the page saves them: small, for hosts like marimo
        that run other cells when a page saves something.

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
    Three threads belong to a widget, and end with `close` or the process: one sends, one does what
    the page asks, and one draws; once it is shown, a fourth draws the picture that the notebook
    keeps. `selection` is told in the thread that changed it, `parameters` in the thread that sends.
    """

    # As text: anywidget watches files, and ties every widget to them for good.
    _esm = (STATIC / "widget.js").read_text(encoding="utf-8")
    _css = (STATIC / "widget.css").read_text(encoding="utf-8")

    def __init__(self, explorer: Any = None, *, height: int = 480) -> None:
        shown = explorer if isinstance(explorer, Explorer) else Explorer(explorer)
        super().__init__(shown, height)
        self._view = _WidgetView(self)
        self._desk = Desk(self._view)
        self._presenter = Presenter(shown, self._view, f"widget {next(_numbers)}")
        put_atlas = partial(self._view.outbox.put, "atlas")
        self._atlas = AtlasKeeper(shown, put_atlas, self._desk.draw)
        self._picture = SavedPicture(shown, f"embedscope {self.model_id}")
        self.on_msg(self._receive)

    # -- for people in Python --------------------------------------------------------------------

    @property
    def explorer(self) -> Explorer:
        """The explorer that is shown, with all of its commands."""
        return self._explorer

    @property
    def gates(self) -> pd.DataFrame:
        """How many samples each gate holds: gate, source, frame, count and share."""
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

        It holds the map and how it formed, colours, gates, selection, images at up to 1024 pixels a
        side, and a decoder atlas. Nothing can be trained in it.

        Parameters
        ----------
        path : str or path
        title : str
            Of the page.
        most_thumbnails : int, default=2048
            Pictures of so many samples are kept, evenly over the rows.

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
        """Show the widget, and beside it the picture for those who open the saved notebook."""
        if not is_in_kernel():
            raise NotImplementedError  # IPython then shows what `repr` gives
        data, _ = cast("tuple[dict[str, Any], Any]", self._repr_mimebundle_())
        display(data, raw=True)
        self._picture.show()

    def close(self) -> None:
        """Take the widget off the page and end its threads; the explorer, and a run, go on."""
        if self.comm is None:
            return
        self._atlas.close()
        self._picture.close()
        self._presenter.close()
        self._desk.close()
        self._view.close()
        super().close()

    # -- between the page and the explorer -------------------------------------------------------

    def _send_message(self, message: Message, buffers: Buffers) -> None:
        self.send(message.to_dict(), list(buffers))

    def _receive(self, _: Any, content: Any, buffers: Any) -> None:
        self._desk.receive(content, buffers or ())


class _WidgetView(PageView):
    """The page of a widget, which also tells the selection to those who observe it in Python."""

    def __init__(self, widget: ExplorerWidget) -> None:
        self._widget = widget
        super().__init__(
            widget._send_message,
            widget._show_trait,
            lambda: Abilities.of(widget.explorer),
            self._what_is_colored,
        )

    def _what_is_colored(self) -> ColorBy:
        return self._widget.explorer.color_by

    def show_selection(self, selection: Selection) -> None:
        # Python first: what the page saves of it may make other cells read `selection` at once.
        try:
            self._widget._show_selection(_ids_of(self.samples, selection))
        finally:
            super().show_selection(selection)


def _ids_of(samples: Any, selection: Selection) -> list[SampleId]:
    return [] if samples is None else list(samples.identities.take(selection.rows))
