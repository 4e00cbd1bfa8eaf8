"""The export menu: layers, tables, pictures and sessions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QApplication, QFileDialog, QMenu, QWidget

from embedscope._errors import EmbedscopeError, InvalidInputError
from embedscope.explorer import Explorer
from embedscope.explorer.export import element_names, write_h5ad, write_zarr
from embedscope.napari_dock.data._layer_keys import TableKeys
from embedscope.napari_dock.layers._layer_display import display_of
from embedscope.napari_dock.layers._written_layers import add_gate_layers, write_feature_columns
from embedscope.napari_dock.panels._marks_question import Marks
from embedscope.napari_dock.widgets._file_dialog import ask_where
from embedscope.samples import Display


class ExportMenu(QMenu):
    """Asks for a file name and writes the file.

    Parameters
    ----------
    explorer : Explorer
    layers : callable
        ``layers()`` gives the linked layers by the names of their sources.
    keys_of : callable
        ``keys_of(source)`` gives the columns by which the features of its layer were joined.
    viewer : napari.Viewer
    open_session : callable
        ``open_session(path)``.
    show_message, show_error : callable
        Show what was done, or what is wrong.
    parent : QWidget
    """

    def __init__(
        self,
        explorer: Explorer,
        layers: Callable[[], dict[str, Any]],
        keys_of: Callable[[str], TableKeys],
        viewer: Any,
        open_session: Callable[[str], None],
        show_message: Callable[[str], None],
        show_error: Callable[[Exception], None],
        parent: QWidget,
    ) -> None:
        super().__init__(parent)
        self._explorer, self._layers, self._viewer = explorer, layers, viewer
        self._keys_of, self._open_session = keys_of, open_session
        self._show_message, self._show_error = show_message, show_error
        self._session: str | None = None
        self._n_saved = 0
        self.kept: Marks | None = None  # the state when it was last saved or opened
        self.setToolTipsVisible(True)
        self._add_layers()
        self.addSeparator()
        self._add_files()
        self.addSeparator()
        self._add_sessions()

    def remember_session(self, path: str) -> None:
        """Take the state as saved in this session, and enable "Save session".

        Parameters
        ----------
        path : str
        """
        self._session, self.kept = path, Marks(self._explorer)
        self._again.setEnabled(True)
        self._again.setToolTip(f"Save into {path} again.")

    def keep_session(self) -> bool:
        """Ask for a folder and save the session there; False if that was not done."""
        before = self._n_saved
        self._guarded(self._save_as)
        return self._n_saved > before

    def _add_layers(self) -> None:
        self._add("Gates as a labels layer", "A class for each gate.", self._add_gates)
        self._add("Map and gates as features", "Columns of the layer's features.", self._write)

    def _add_files(self) -> None:
        explorer = self._explorer
        self._add_file(
            "Table as CSV…",
            "A row for each sample.",
            {"csv": "Tables"},
            explorer.to_csv,
        )
        self._add_file(
            "Table for spreadsheets…",
            "The same; text that a spreadsheet would run as a formula gets an apostrophe.",
            {"csv": "Tables"},
            lambda path: explorer.to_csv(path, spreadsheet_safe=True),
        )
        self._add_file(
            "Table as Parquet…",
            "The same, with types.",
            {"parquet": "Parquet"},
            explorer.to_parquet,
        )
        self._add_file(
            "AnnData…",
            "An .h5ad file for scanpy and similar tools.",
            {"h5ad": "AnnData"},
            lambda path: write_h5ad(path, explorer.to_anndata()),
        )
        self._add_file(
            "SpatialData table…",
            "A zarr table that annotates the labels elements named like the layers.",
            {"zarr": "Tables of SpatialData"},
            self._write_spatialdata,
        )
        self._add_file(
            "Gates as label images…",
            "A class for each gate, at the pixels of its objects; a file for each layer.",
            {"zarr": "OME-Zarr", "tif": "OME-TIFF"},
            explorer.save_gate_labels,
            name="gates.ome",
        )
        self._add_file(
            "FCS and Gating-ML…",
            "The map for tools of flow cytometry, with its gates in a file beside it.",
            {"fcs": "Flow cytometry"},
            explorer.to_fcs,
        )
        self._add_file(
            "Parameters as JSON…",
            "Every parameter of the map.",
            {"json": "JSON"},
            explorer.to_json,
            name="parameters",
        )
        self._add_file(
            "Picture of the map…",
            "With colours, legend and gates: PNG, SVG or PDF.",
            {"png": "Picture", "svg": "Drawing", "pdf": "Document"},
            explorer.save_map,
            name="map",
        )
        self._add_file(
            "Montage of the selection…",
            "Selected samples side by side, in the contrast and colours of their layers.",
            {"png": "Pictures"},
            lambda path: explorer.save_montage(path, display=self._display()),
            name="montage",
        )
        self._add_file(
            "Picture of the decoded map…",
            "Decoded samples on a grid over the map.",
            {"png": "Pictures"},
            lambda path: explorer.save_grid(path, display=self._display()),
            name="decoded map",
        )

    def _add_sessions(self) -> None:
        self._again = self._add(
            "Save session", "Nothing was saved or opened yet.", self._save_again
        )
        self._again.setEnabled(False)
        self._add(
            "Save session as…",
            "Samples, map, gates and selection. Image files are referenced, not copied.",
            self._save_as,
        )
        self._add("Open session…", "Open a saved session.", self._open)

    def _add(self, title: str, tooltip: str, act: Callable[[], str | None]) -> Any:
        action = self.addAction(title)
        assert action is not None
        action.setToolTip(tooltip)
        action.triggered.connect(lambda _=False: self._guarded(act))
        return action

    def _add_file(
        self,
        title: str,
        tooltip: str,
        kinds: Mapping[str, str],
        write: Callable[[str], Any],
        name: str = "embedding",
    ) -> None:
        def ask_and_write() -> str | None:
            path = ask_where(self, "Export", f"{name}.{next(iter(kinds))}", kinds)
            if path is None:
                return None
            files = _waiting(write, path)
            names = [each.name for each in files] if isinstance(files, list) else [Path(path).name]
            return f"Wrote {', '.join(names)}"

        self._add(title, tooltip, ask_and_write)

    def _guarded(self, act: Callable[[], str | None]) -> None:
        try:
            said = act()
        except EmbedscopeError as error:
            self._show_error(error)
        except OSError as error:
            self._show_error(_not_written(error))
        else:
            if said:
                self._show_message(said)

    def _add_gates(self) -> str:
        names = add_gate_layers(self._viewer, self._explorer, self._layers())
        return f"Added {', '.join(names)}"

    def _write(self) -> str:
        names = write_feature_columns(self._explorer, self._layers(), self._keys_of)
        return f"Wrote umap_1, umap_2 and the gates into the features of {', '.join(names)}"

    def _display(self) -> Display | None:
        """The contrast and colours that the user has set."""
        samples = self._explorer.samples
        return None if samples is None else display_of(self._viewer.layers, samples)

    def _write_spatialdata(self, path: str) -> None:
        samples = self._explorer.samples
        regions = None if samples is None else element_names(samples.identities)
        write_zarr(path, self._explorer.to_spatialdata_table(regions))

    def _save_as(self) -> None:
        path = ask_where(self, "Save session", "session", {})
        if path is not None:
            self._save(path)

    def _save_again(self) -> None:
        assert self._session is not None  # the entry is disabled before
        self._save(self._session)

    def _save(self, path: str) -> None:
        include_images = not self._are_files()
        _waiting(lambda home: self._explorer.save(home, include_images=include_images), path)
        self._n_saved += 1
        self.remember_session(path)

    def _are_files(self) -> bool:
        """Whether all pictures can be cut again from files; others must be saved too."""
        samples = self._explorer.samples
        return samples is not None and all(
            source.image is None or source.image_path is not None
            for source in samples.sources.values()
        )

    def _open(self) -> None:
        path = QFileDialog.getExistingDirectory(self, "Open session")
        if path:
            self._open_session(path)


def _waiting(write: Callable[[str], Any], path: str) -> Any:
    """Write under a wait cursor: a large table takes seconds."""
    QApplication.setOverrideCursor(Qt.CursorShape.WaitCursor)
    try:
        return write(path)
    finally:
        QApplication.restoreOverrideCursor()


def _not_written(error: OSError) -> InvalidInputError:
    return InvalidInputError(
        "the file must be in a folder that can be written to; got "
        f'"{error.strerror or error}" for {error.filename or "it"}. Choose another folder.'
    )
