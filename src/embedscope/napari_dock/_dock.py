"""The dock: joins a viewer's layers, an explorer and its view."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from embedscope._errors import InvalidInputError
from embedscope.explorer import Embedding, Presenter
from embedscope.napari_dock._activity import Activity
from embedscope.napari_dock._dock_ending import DockEnding
from embedscope.napari_dock._dock_view import DockView
from embedscope.napari_dock._qt_dispatcher import QtDispatcher
from embedscope.napari_dock._viewer_explorers import explorer_of, stop_run
from embedscope.napari_dock.data._data_panel import DataPanel
from embedscope.napari_dock.data._live_preview import LivePreview
from embedscope.napari_dock.data._opened_layers import (
    OpenedSession,
    add_source_layers,
    read_session,
    unlinked_namesakes,
)
from embedscope.napari_dock.data._sample_jobs import SampleJobs
from embedscope.napari_dock.layers._decoded_layers import is_decoded
from embedscope.napari_dock.layers._image_link import ImageLink
from embedscope.napari_dock.layers._layer_decoding import LayerDecoding
from embedscope.napari_dock.layers._layer_messages import LayerMessages
from embedscope.napari_dock.layers._layer_return import LayerReturn
from embedscope.napari_dock.layers._linked_layers import LinkedLayers
from embedscope.napari_dock.layers._source_opening import SourceOpening
from embedscope.napari_dock.panels._export_menu import ExportMenu
from embedscope.napari_dock.panels._left_out_note import LeftOutNote
from embedscope.napari_dock.panels._marks_question import (
    OPENING,
    TRAINING,
    TRAINING_ON_CHANGED,
    LossyAction,
    Marks,
    may_replace_marks,
)
from embedscope.napari_dock.panels._outdated_note import OutdatedNote
from embedscope.napari_dock.widgets._background import Background
from embedscope.napari_dock.widgets._buttons import text_button
from embedscope.napari_dock.widgets._theme import map_colors
from embedscope.samples import Samples
from embedscope.training import start_loading

# If IPython is in sys.modules, napari asks it whether it runs in a notebook. This fails while
# another thread imports IPython, as Keras does while TensorFlow loads. So it is imported first.
with suppress(ImportError):
    import IPython  # noqa: F401

_NAME = "napari dock"
_LOADING_DELAY_MS = 1500  # from showing the dock


class ExplorerDock(QWidget):
    """Train a map of the objects in a viewer's layers, and explore both side by side.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        Its layers are read, and changed only when the user asks for it.

    Attributes
    ----------
    explorer : Explorer
        The explorer that the dock shows; scripts may use it too. It stays with the viewer when the
        dock is closed.
    """

    def __init__(self, napari_viewer: Any) -> None:
        super().__init__()
        self._viewer = napari_viewer
        self._dispatcher = QtDispatcher(self)
        self.explorer = explorer_of(napari_viewer)
        self._activity = Activity(self.explorer.stop)
        self._threads: list[Background] = []
        self._reading, decoding = self._thread(), self._thread()
        self._is_closed = False
        self.data_panel = DataPanel()
        self._live_preview = LivePreview(napari_viewer, self.data_panel, self._dispatcher)
        self.view = DockView(
            lambda: self.explorer.color_by,
            self._prepare,
            lambda: self.explorer.has_style,
            lambda: self.explorer.can_turn,
        )
        self.links = LinkedLayers(napari_viewer, self._dispatcher)
        say, complain = self.view.show_message, self.view.show_error
        self._jobs = SampleJobs(self.explorer, self._dispatcher, say, complain)
        opening = SourceOpening(
            napari_viewer, self.explorer, self.links, self._jobs, self._thread(), say, complain
        )
        self._image_link = ImageLink(napari_viewer, self.explorer, self.links, opening)
        self._layer_messages = LayerMessages(napari_viewer, self.links, self._jobs, say)
        self._decoding = LayerDecoding(napari_viewer, self.explorer, decoding, say, complain)
        self.returns = LayerReturn(
            napari_viewer,
            self.explorer,
            self.links,
            self._jobs,
            self.data_panel.choice,
            self._dispatcher,
            self.view.show_message,
        )
        self._lay_out()
        self._connect_own()
        self._offer_layers()
        self._apply_theme()
        self._link(self.explorer.samples)
        self.presenter = Presenter(
            self.explorer, self.view, _NAME, slowly=lambda: self._thread().start
        )
        # Connected after the presenter, so that the view has the new samples before these slots
        # refer to them.
        self._events = self._connections()
        for signal, slot in self._events:
            signal.connect(slot)
        self.links.show_coloring(self.explorer.coloring)
        self.links.show_selection(self.explorer.selection)
        self.links.set_novel(self.explorer.novel)
        self._show_status(self.explorer.status)
        self._show_source_told(self.explorer.embedding)
        self.returns.look()
        stop = partial(stop_run, self.explorer)
        DockEnding(self, self._leave, self._end_with_window, stop)

    def open_session(self, path: str) -> None:
        """Open a saved session, and the layers that its samples came from.

        Parameters
        ----------
        path : str
            Folder of the session. It is read in a worker thread: the viewer stays usable.
        """
        self.view.show_message("Opening the session…")
        layers = list(self._viewer.layers)
        self._reading.start(
            lambda: read_session(path, layers),
            lambda opened: self._show_session(path, opened),
            self.view.show_error,
        )

    def showEvent(self, event: Any) -> None:
        """Load TensorFlow, which training needs, soon after the map is drawn."""
        super().showEvent(event)
        QTimer.singleShot(_LOADING_DELAY_MS, self._load_ahead)

    def _load_ahead(self) -> None:
        # With software rendering, OpenGL fails if TensorFlow is loaded before its first window.
        native: Any = self.view.canvas.native
        if not self._is_closed and native.isValid():
            start_loading()

    def closeEvent(self, event: Any) -> None:
        """Disconnect from viewer and explorer; a run continues, and its result is kept."""
        self.close_links()
        super().closeEvent(event)

    def _leave(self) -> None:
        """Delete the dock: its own close button was pressed, and it is not shown again."""
        self.close_links()
        self.deleteLater()

    def _end_with_window(self) -> None:
        with suppress(RuntimeError):  # Qt may have deleted its objects already
            self.close_links()

    def close_links(self) -> None:
        """Disconnect from the viewer and the explorer; what is shown stays as it is."""
        if self._is_closed:
            return
        self._is_closed = True
        # First the parts that are not Qt objects: if the window is gone, the rest raises.
        self._jobs.close()
        self.returns.close()
        for thread in self._threads:
            thread.forget()
        self.presenter.close()
        for signal, slot in self._events:
            signal.disconnect(slot)
        self._events = []
        self.links.close()
        self._live_preview.close()
        self._activity.close()
        self.data_panel.show_layers(())  # disconnects it from the chosen layer
        self.view.map_container.dock_back()

    def _thread(self) -> Background:
        """Make one more worker thread; its results are ignored once the dock is closed."""
        self._threads.append(Background(self._dispatcher))
        return self._threads[-1]

    def _show_session(self, path: str, opened: OpenedSession) -> None:
        # Asked after reading: meanwhile the user may make more marks, or reading may fail.
        if not self._may_replace_marks(OPENING):
            return
        samples = opened.state.samples
        self.explorer.load(opened.state)
        shown = add_source_layers(self._viewer, opened)
        self._offer_layers()
        self.data_panel.show_learned(samples.learned)
        self._jobs.take_as_prepared(self.data_panel.choice(), shown)
        self._link(samples)
        self.links.show_coloring(self.explorer.coloring)
        self.links.show_selection(self.explorer.selection)
        self.links.set_novel(self.explorer.novel)
        self.menu.remember_session(path)
        others = unlinked_namesakes(self._viewer, samples, shown)
        if others:
            self.view.show_message(
                f"Session opened. Layers named {', '.join(others)} hold other pixels than the "
                "session was saved with: they are not linked."
            )
        self.data_section.collapse(animate=False)

    # -- layout and connections ------------------------------------------------------------------

    def _lay_out(self) -> None:
        self.data_section = self.view.add_section(
            0, "Data", self.data_panel, tooltip="What to embed: layers, and how samples are cut."
        )
        self.data_section.expand(animate=False)
        self.apply = text_button(
            "Add to the map",
            "Place the objects of the layers or files chosen above on the trained map, in the same "
            "coordinates. Objects unlike those that it was trained on are marked. Train then "
            "trains on all objects of the map together.",
            self._add_to_map,
        )
        self.export = text_button("Export", "Save layers, tables or the session.", _nothing)
        self.menu = ExportMenu(
            self.explorer,
            lambda: self.links.layers,
            lambda source: self._jobs.keys_of(source),
            self._viewer,
            self.open_session,
            self.view.show_message,
            self.view.show_error,
            self,
        )
        self.export.setMenu(self.menu)
        below = QWidget()
        row = QHBoxLayout(below)
        row.setContentsMargins(8, 2, 8, 2)
        row.addWidget(self.apply)
        row.addWidget(self.export)
        self.view.add_footer(below)
        self.outdated = OutdatedNote()
        self.view.add_footer(self.outdated)
        self.left_out = LeftOutNote()
        self.view.add_footer(self.left_out)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.view)
        # Otherwise napari adds a stretch below the dock, which takes half of the height.
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def _connect_own(self) -> None:
        """Connect the signals of the dock's own parts, which are deleted with it."""
        view, links = self.view, self.links
        view.visited.connect(self._image_link.visit)
        view.map_panel.colors_on_objects.connect(links.set_colors_objects)
        view.map_panel.novel_marked.connect(links.set_marks_novel)
        view.map_panel.image_box_toggled.connect(links.rectangle.set_on)
        view.sample_panel.path_layer_requested.connect(self._decoding.add_path)
        view.sample_panel.grid_layer_requested.connect(self._decoding.add_grid)
        view.source_note.scaling_requested.connect(self._scale_within)
        self._jobs.busy_changed.connect(self._offer_jobs)
        self._jobs.watch.changed.connect(self.outdated.show_sources)
        self.outdated.cut_again_requested.connect(self._jobs.cut_again)
        links.picked.connect(self._image_link.pick)
        links.framed.connect(self._image_link.frame)
        links.pointed.connect(self._image_link.point)
        links.rectangle.declined.connect(view.show_message)
        links.layer_removed.connect(self._on_layer_removed)

    def _connections(self) -> list[tuple[Any, Callable[..., Any]]]:
        """Signals of the explorer and the viewer, which outlive the dock, and their slots."""
        events, layers = self.explorer.events, self._viewer.layers.events
        return [
            (events.samples_changed, self._link),
            (events.novel_changed, self.links.set_novel),
            (events.selection_changed, self.links.show_selection),
            (events.coloring_changed, self.links.show_coloring),
            (events.hovered_changed, self._image_link.show_hovered),
            (events.status_changed, self._show_status),
            (events.embedding_changed, self._fade_other_frames),
            (events.embedding_changed, self._show_source_told),
            (events.message_sent, self._set_viewer_status),
            (layers.inserted, self._take_layer),
            (layers.removed, self._offer_layers),
            (layers.renamed, self._rename_layer),
            (self._viewer.dims.events.current_step, self._on_slice),
            (self._viewer.events.theme, self._apply_theme),
        ]

    # -- from layers to samples, and from the decoder to layers -----------------------------------

    def _prepare(self, go_on: Callable[[], None]) -> None:
        choice = self.data_panel.choice()
        action = TRAINING_ON_CHANGED if self._jobs.is_on_map(choice) else TRAINING
        if self._jobs.replaces_samples(choice):
            try:
                choice.check()
            except InvalidInputError as error:  # before the user is asked anything
                self.view.show_error(error)
                return
            if not self._may_replace_marks(action):
                return
        asked_about = Marks(self.explorer)
        self._jobs.prepare(
            choice,
            go_on,
            self._end_preparing,
            # Marks made while the samples were read need a question of their own.
            lambda: Marks(self.explorer) == asked_about or self._may_replace_marks(action),
        )

    def _may_replace_marks(self, action: LossyAction) -> bool:
        menu = self.menu
        may = may_replace_marks(self, self.explorer, action, menu.kept, menu.keep_session)
        if not may:
            self.view.show_message("Nothing was changed: the map is as it was")
        return may

    def _end_preparing(self, has_new: bool) -> None:
        if has_new:
            self._layer_messages.show_unlinked()
            self.data_section.collapse(animate=False)
            self.view.parameters.collapse(animate=False)

    def _add_to_map(self) -> None:
        choice = self.data_panel.choice()
        try:
            self._layer_messages.check_is_new(choice.layer)
        except InvalidInputError as error:
            self.view.show_error(error)
        else:
            self._jobs.add_to_map(choice)

    def _scale_within(self) -> None:
        """Scale all samples on the map within their images, if the user may lose the map."""
        if not self._may_replace_marks(TRAINING):
            return
        try:
            self._jobs.scale_within()
        except InvalidInputError as error:
            self.view.show_error(error)
            return
        self.data_panel.scale_within()
        self.view.show_message(
            "Intensities are scaled within each image. Press Train for a new map."
        )

    def _link(self, samples: Samples | None) -> None:
        self.left_out.show_samples(samples)
        self.links.link(samples, self._jobs.layers)
        self._offer_layers()

    # -- what the viewer shows -------------------------------------------------------------------

    def _offer_layers(self, _: Any = None) -> None:
        own = self.links.own_layers
        self.data_panel.show_layers(
            [each for each in self._viewer.layers if each not in own and not is_decoded(each)]
        )

    def _take_layer(self, event: Any) -> None:
        self._offer_layers()
        self.returns.look(event.value)

    def _rename_layer(self, _: Any = None) -> None:
        self._offer_layers()
        self._layer_messages.show_renamed()

    def _on_slice(self, _: Any = None) -> None:
        self._image_link.clear_pointed()
        self._fade_other_frames()

    def _fade_other_frames(self, _: Any = None) -> None:
        """In a time series, fade the points of all frames but the one on the screen."""
        others = self._image_link.in_other_frames()
        points = self.view.canvas.map_view.points
        if len(points.positions) == len(others) and (others.any() or points.any_faded):
            points.set_faded(others)

    def _show_source_told(self, embedding: Embedding) -> None:
        """Say how well the source is told on a finished map; a forming one is not measured."""
        self.view.source_note.show_told(self.explorer.source_told if embedding.is_final else None)

    def _show_status(self, status: Any) -> None:
        self._offer_jobs()
        if status.phase.is_finished:
            self.view.show_replay(self.explorer.replay)
        # Last, since napari processes Qt events in there, and the window may be closed.
        self._activity.show_status(status)

    def _offer_jobs(self, _: Any = None) -> None:
        """Enable the buttons that start a job only while no other job runs."""
        is_free = not self._jobs.is_busy
        is_idle = is_free and not self.explorer.status.phase.is_at_work
        self.view.train_panel.setEnabled(is_free)
        self.outdated.cut_again.setEnabled(is_free)
        self.apply.setEnabled(is_idle and self.explorer.model is not None)

    def _on_layer_removed(self, source: str) -> None:
        self._image_link.clear_pointed()
        self.returns.remember(source)
        self._layer_messages.show_removed(source)

    def _set_viewer_status(self, text: str) -> None:
        self._viewer.status = text

    def _apply_theme(self, _: Any = None) -> None:
        self.view.set_theme(map_colors(self._viewer.theme))


def _nothing() -> None:
    """The button opens its menu."""
