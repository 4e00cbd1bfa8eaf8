"""Commands that save and open sessions, and export tables and pictures."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from embedscope._errors import InvalidInputError
from embedscope.explorer.answers._analysis import MapAnalysis
from embedscope.explorer.commands._command import command
from embedscope.explorer.commands._explorer_state import ExplorerState
from embedscope.explorer.commands._map_state import MapState, embedding_at, n_reports
from embedscope.explorer.marks._marks import Marks
from embedscope.samples import TableRecipe
from embedscope.samples.tables import plain_frame
from embedscope.training import TrainingParameters

if TYPE_CHECKING:
    import pandas as pd
    from anndata import AnnData

    from embedscope.explorer.session._session_state import SessionState
    from embedscope.samples import Display


class FileCommands(ExplorerState):
    """Sessions, tables and pictures. See `Explorer`."""

    @command
    def save(self, path: str | os.PathLike[str], *, include_images: bool = False) -> None:
        """Save the session: map, identities, table, gates, colours, selection and losses.

        Images are stored as paths, and checked when the session is opened.

        Parameters
        ----------
        path : str or path
            Folder; a session in it is replaced in one step.
        include_images : bool, default=False
            Store the pictures of the samples too, so that the session can be opened anywhere.

        Raises
        ------
        InvalidInputError
            If there are no samples, or `path` is a file or a folder that holds something else.
        OSError
            If the session cannot be written.
        """
        from embedscope.explorer.session._session import write_session
        from embedscope.explorer.session._session_state import SessionState

        state = self._state
        analysis = state.analysis
        session = SessionState(
            samples=self._need_samples(),
            positions=state.embedding.positions,
            parameters=state.parameters,
            gates=state.marks.gates,
            color_by=state.color_by,
            selected=state.marks.selected,
            in_training=state.in_training,
            novelty=state.novelty,
            losses=dict(state.losses),
            model=state.model,
            replay=state.replay,
            novelty_model=None if analysis is None else analysis.novelty_arrays(),
            absences=state.absences,
        )
        write_session(path, session, include_images=include_images)
        turned = plain_frame(session.samples.features).as_text
        said = f". Stored as text: {', '.join(turned)}" if turned else ""
        learned = session.samples.learned
        if learned is not None and learned.values is None:
            said += f". {learned.name} has computed nothing yet, so the session does not know of it"
        self._say(f"Session saved in {os.fspath(path)}{said}")

    @staticmethod
    def read(path: str | os.PathLike[str]) -> SessionState:
        """Read a session and show nothing: the slow half of `load`, for a worker thread.

        Raises the errors of `open`.

        Parameters
        ----------
        path : str or path

        Returns
        -------
        SessionState
            For `load`.
        """
        from embedscope.explorer.session._session import read_session

        return read_session(path)

    @command
    def load(self, session: str | os.PathLike[str] | SessionState) -> None:
        """Replace the whole state by a session that `save` wrote; see `open`.

        Parameters
        ----------
        session : str, path or SessionState
            A path, or the result of `read`, which is shown at once.

        Raises
        ------
        InvalidModelError
            As for `open`.
        """
        from embedscope.explorer.session._session_state import SessionState

        state = session if isinstance(session, SessionState) else self.read(session)
        self._runs.unwatch()
        if state.model is not None:
            self._runs.results.append(state.model)
        losses = dict(state.losses)
        loaded = replace(
            MapState.of(state.samples, state.parameters, state.color_by),
            absences=state.absences,
            analysis=None if state.model is None else MapAnalysis(state.model, state.novelty_model),
            replay=state.replay,
            losses=losses,
            in_training=state.in_training,
            novelty=state.novelty,
            marks=Marks.of(state.selected, state.gates),
        )
        self._become(loaded.at(embedding_at(state.positions, epoch=n_reports(losses))))
        self._say(self._describe_opened(state.samples.absent))

    def _describe_opened(self, absent: Mapping[str, str]) -> str:
        said = ["Session opened"]
        if absent:
            said.append("No images: " + "; ".join(f"{name}: {why}" for name, why in absent.items()))
        if self._state.analysis is not None and self._state.analysis.blends_stored_samples:
            said.append(
                "The map is of an earlier version: decoded samples are blends of stored samples. "
                "Train again to get a trained decoder"
            )
        return ". ".join(said)

    @command
    def to_frame(self) -> pd.DataFrame:
        """All data of the samples as one table.

        Returns
        -------
        DataFrame
            A row for each sample: source, frame, label, umap_1, umap_2, features (the values of an
            array as "feature 0" and so on), a column "gate:<name>" for each gate and
            "score:novelty". `samples_from_table` gives the same samples again.

        Raises
        ------
        InvalidInputError
            If there are no samples.
        """
        from embedscope.explorer.export._frames import all_features, to_frame

        samples = self._need_samples()
        return to_frame(
            samples.identities,
            self._state.embedding.positions,
            all_features(samples),
            self._memberships(),
            {"novelty": self._state.novelty},
        )

    def to_csv(self, path: str | os.PathLike[str], *, spreadsheet_safe: bool = False) -> None:
        """Write `to_frame` as CSV; `embedscope.explorer.read_csv` reads it back with its gates.

        The outlines of gates are in a file beside it: ``map.gates.json`` for ``map.csv``.

        Parameters
        ----------
        path : str or path
        spreadsheet_safe : bool, default=False
            Put an apostrophe before text that begins with ``=``, ``+``, ``-`` or ``@``. A
            spreadsheet would run such text as a formula.

        Raises
        ------
        InvalidInputError
            If there are no samples.
        OSError
            If the file cannot be written.
        """
        from embedscope.explorer.export._csv_files import write_notes
        from embedscope.explorer.export._exports import write_csv

        frame = self.to_frame()
        write_csv(path, frame, spreadsheet_safe=spreadsheet_safe)
        write_notes(path, frame, self.gates)
        self._say_written(path, frame)

    def to_parquet(self, path: str | os.PathLike[str]) -> None:
        """Write `to_frame` as Parquet; needs the extra ``embedscope[export]``.

        Parameters
        ----------
        path : str or path

        Raises
        ------
        InvalidInputError
            If there are no samples.
        MissingDependencyError
            If pyarrow is not installed.
        OSError
            If the file cannot be written.
        """
        from embedscope.explorer.export._exports import write_parquet

        frame = self.to_frame()
        write_parquet(path, frame, self.gates)
        self._say_written(path, frame)

    def to_fcs(self, path: str | os.PathLike[str]) -> list[Path]:
        """Write the map as an FCS file and its gates as Gating-ML 2.0, for flow cytometry.

        The gates of ``map.fcs`` are in ``map.gating.xml`` beside it. An event is a sample with a
        position; its channels are ``umap_1``, ``umap_2``, ``row`` (of `to_frame`, from 0), and the
        numeric features in single precision. Needs the extra ``embedscope[cytometry]``.

        Parameters
        ----------
        path : str or path
            Ends in .fcs.

        Returns
        -------
        list of Path
            Both files.

        Raises
        ------
        InvalidInputError
            If the path has another ending, no sample has a position, or a number does not fit.
        MissingDependencyError
            If flowio or shapely is not installed.
        """
        from embedscope.explorer.export._cytometry_files import write_cytometry

        files = write_cytometry(path, self.to_frame(), self.gates)
        left_out = f". Without a position: {files.n_left_out} left out" if files.n_left_out else ""
        self._say(f"Map written to {files.events}, gates to {files.gates}{left_out}")
        return [files.events, files.gates]

    def to_anndata(self) -> AnnData:
        """An AnnData object: features as X, the map as obsm["X_umap"], gates and identities in obs.

        ``obs`` has a boolean for each gate, and "gate", the last gate that holds each sample, as
        categories to group by. ``obsm["spatial"]`` has the centroids of objects as (x, y) pixels.
        Needs the extra ``embedscope[export]``.

        Returns
        -------
        AnnData

        Raises
        ------
        InvalidInputError
            If there are no samples.
        MissingDependencyError
            If anndata is not installed.
        """
        from embedscope.explorer.export._annotated import to_anndata

        return to_anndata(self.to_frame(), **self._annotations())

    def to_spatialdata_table(self, regions: Any = None) -> AnnData:
        """Make a SpatialData table that annotates the labels elements of the sources.

        Needs the extra ``embedscope[spatialdata]``.

        Parameters
        ----------
        regions : mapping of str or (str, int) to str, optional
            The labels element of each source, or of each (source, frame). By default it has the
            name of the source.

        Returns
        -------
        AnnData
            For ``sdata.tables``.
        """
        from embedscope.explorer.export._annotated import to_spatialdata_table

        return to_spatialdata_table(self.to_frame(), regions, **self._annotations())

    def to_json(self, path: str | os.PathLike[str]) -> None:
        """Write the parameters of the map as JSON; without a map, those of the next run.

        Parameters
        ----------
        path : str or path

        Raises
        ------
        OSError
            If the file cannot be written.
        """
        from embedscope.explorer.export._exports import write_json

        write_json(path, self._trained_parameters().to_dict())

    @command
    def draw_map(self, kind: str = "png", *, dpi: int = 150) -> bytes:
        """Plot the map that is shown: colours, legend, gates, selection and novel samples.

        Parameters
        ----------
        kind : {"png", "svg", "pdf"}
        dpi : int, default=150
            Pixels per inch; the picture is 6.4 x 4.8 inches.

        Returns
        -------
        bytes
            The file's contents.

        Raises
        ------
        InvalidInputError
            If the kind is another, or `dpi` is not from 10 to 2400.
        """
        from embedscope.explorer.export._map_picture import FORMATS, draw_map

        if kind not in FORMATS:
            raise InvalidInputError(
                f"kind must be one of {', '.join(FORMATS)}; got {kind!r}. Choose one."
            )
        if not 10 <= dpi <= 2400:
            raise InvalidInputError(
                f"dpi must be a number in [10, 2400]; got {dpi!r}. 150 suits a screen, 300 print."
            )
        return draw_map(
            self._state.shown.positions,
            self._state.coloring,
            self._state.marks.selected,
            self.novel,
            self.gates,
            kind=kind,
            dpi=dpi,
        )

    def save_map(self, path: str | os.PathLike[str], *, dpi: int = 150) -> None:
        """Write the picture of `draw_map`; the suffix of the file gives the kind.

        Parameters
        ----------
        path : str or path
            Ends in .png, .svg or .pdf.
        dpi : int, default=150

        Raises
        ------
        InvalidInputError
            If the suffix is another, or `dpi` is not from 10 to 2400.
        OSError
            If the file cannot be written.
        """
        from embedscope.core.storage import as_path, replace_file

        file = as_path(path)
        picture = self.draw_map(file.suffix.lower().lstrip("."), dpi=dpi)
        with replace_file(file) as written:
            written.write_bytes(picture)

    @command
    def save_montage(
        self,
        path: str | os.PathLike[str],
        gate: str | None = None,
        *,
        display: Display | None = None,
    ) -> None:
        """Write the pictures of a gate's samples as one PNG montage.

        Parameters
        ----------
        path : str or path
        gate : str, optional
            The selected samples, by default.
        display : Display, optional
            Limits and colours of the channels, as in a viewer. By default, RGB pictures are as in
            their image, and each channel of others is scaled as for the network.

        Raises
        ------
        InvalidInputError
            If the samples are no pictures, the gate or the selection is empty, or the display does
            not fit.
        """
        from embedscope.explorer.export._montage import write_montage

        if gate is not None:
            self.gates[gate]  # a clear error if there is none
        chosen = self._state.marks.selected if gate is None else self._memberships()[gate]
        write_montage(path, self._need_samples(), np.flatnonzero(chosen), display=display)

    def save_gate_labels(self, path: str | os.PathLike[str]) -> list[Path]:
        """Write label images of the gates: at each pixel of an object the class of its gate.

        Class 1 is the first gate, 0 is none; an object in several gates has the class of the last
        one. The files hold names and colours of the classes. Images are read part by part. Needs
        the extra ``embedscope[images]``.

        Parameters
        ----------
        path : str or path
            Ends in .zarr for OME-Zarr labels, or in .tif or .tiff for OME-TIFF. A path such as
            "cells.ome.zarr/labels/gates" adds the labels to an OME-Zarr image. With several
            sources, the name of each is added: "gates.ome.tif" becomes "gates_plate_1.ome.tif".

        Returns
        -------
        list of Path
            The file of each source that has labels or patches.

        Raises
        ------
        InvalidInputError
            If the path has another ending, or is an OME-Zarr that exists; or if there is no gate,
            or no sample lies in an image.
        """
        from embedscope.explorer.export._gate_image import gate_images
        from embedscope.explorer.export._label_files import write_gate_labels

        images = gate_images(self._need_samples(), self.gates, self._memberships())
        files = write_gate_labels(path, images)
        self._say(f"Gates written to {', '.join(map(str, files))}")
        return files

    def _annotations(self) -> dict[str, Any]:
        """What an annotated matrix holds beside the table."""
        samples = self._need_samples()
        recipe = samples.recipe
        return {
            "parameters": self._trained_parameters().to_dict(),
            "gates": self.gates,
            "name_column": recipe.name_column if isinstance(recipe, TableRecipe) else None,
            "centroids": samples.centroids,
        }

    def _say_written(self, path: str | os.PathLike[str], frame: pd.DataFrame) -> None:
        names = plain_frame(frame).as_text
        turned = f". Written as text: {', '.join(names)}" if names else ""
        self._say(f"Table written to {os.fspath(path)}{turned}")

    def _trained_parameters(self) -> TrainingParameters:
        return self._state.parameters if self._state.model is None else self._state.model.parameters
