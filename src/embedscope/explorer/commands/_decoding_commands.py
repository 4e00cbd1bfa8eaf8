"""Commands that decode points, paths and grids, and reconstruct real samples."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from embedscope._errors import InvalidInputError
from embedscope._wording import counted
from embedscope.explorer.answers._decoding import (
    DecodeFunction,
    Reconstruction,
    Turn,
    as_decoded,
    decode,
    decode_path,
    decode_points,
)
from embedscope.explorer.answers._map_grid import MapGrid, draw_grid
from embedscope.explorer.answers._orientation import check_angle
from embedscope.explorer.answers._places import PlaceIndex
from embedscope.explorer.answers._reconstructing import (
    SampleReconstruction,
    check_rows,
    may_be_rows,
    reconstruct,
    thin_rows,
)
from embedscope.explorer.answers._spread import MapSpread
from embedscope.explorer.answers._styles import (
    RANDOM,
    ChooseStyles,
    StyleOfNeighbor,
    StyleOfSample,
    choose_typical,
    find_row,
)
from embedscope.explorer.answers._support import MapSupport
from embedscope.explorer.commands._command import command
from embedscope.explorer.commands._explorer_state import ExplorerState
from embedscope.samples import Display, SampleId, Samples, samples_like
from embedscope.training import TrainingRun


class DecodingCommands(ExplorerState):
    """Decode and reconstruct samples. See `Explorer`."""

    @command
    def decode(self, point: Any, style: Any = None, *, angle: float = 0.0) -> Reconstruction:
        """Decode a point of the map, and show it with the nearest real samples.

        During training, a recent copy of the network decodes.

        Parameters
        ----------
        point : array-like of shape (2,)
            Map coordinates.
        style : SampleId or "random", optional
            The sample whose style code is used; by default none, which decodes the typical sample
            of the point. At its own position a sample is reconstructed, elsewhere it is carried to
            the point. "random" takes one of the 15 nearest real samples, another one each time.
        angle : float, default=0.0
            Degrees by which the decoded picture is turned, counter-clockwise. On a map of pictures
            trained with any `alike` but "pixels" a picture is upright at 0, and with the style of a
            sample it lies as the sample does. Other maps take 0 only.

        Returns
        -------
        Reconstruction
            With the five nearest real samples, how much data supports the point, and how far unseen
            samples are from the typical one.

        Raises
        ------
        InvalidInputError
            If the point is not a finite pair of numbers, or there is no map. With a `style`, also
            if there is no such sample, the map has no style codes, or a run goes on. With an
            `angle`, also if the map does not decode upright pictures, or a run goes on.
        """
        styles, turn = self._styles(style, may_be_random=True), self._turn(angle)
        draw, around, spread = self._decoder(), self._surroundings(), self._spread()
        decoded = decode(draw, point, *around, styles=styles, spread=spread, turn=turn)
        self._set_reconstruction(decoded)
        return decoded

    @command
    def decode_path(
        self, points: Any, n_steps: int = 12, style: Any = None, *, angle: float = 0.0
    ) -> tuple[Reconstruction, ...]:
        """Decode and show points along a path on the map.

        Parameters
        ----------
        points : array-like of shape (n_points, 2)
            Corners of the path, at least two.
        n_steps : int, default=12
            Points, evenly spaced along its length.
        style : SampleId, optional
            The sample that is carried along the path; by default, typical samples are decoded.
        angle : float, default=0.0
            Degrees by which the pictures are turned, as for `decode`.

        Returns
        -------
        tuple of Reconstruction

        Raises
        ------
        InvalidInputError
            As for `decode`.
        """
        styles, turn = self._styles(style), self._turn(angle)
        draw, around, spread = self._decoder(), self._surroundings(), self._spread()
        decoded = decode_path(
            draw, points, *around, n_steps, styles=styles, spread=spread, turn=turn
        )
        self._set_reconstruction(decoded)
        self._say(f"{len(decoded)} samples decoded along a path")
        return decoded

    @command
    def draw(self, points: Any, style: Any = None) -> tuple[Reconstruction, ...]:
        """Decode many points and show none of them: for a front end's own atlas.

        Parameters
        ----------
        points : array-like of shape (n_points, 2)
            Map coordinates, at least one point.
        style : SampleId, optional
            The sample that is carried to each point; by default, typical samples are decoded.

        Returns
        -------
        tuple of Reconstruction
            Without the spread, which would take as long again.

        Raises
        ------
        InvalidInputError
            As for `decode`.
        """
        styles, turn = self._styles(style), self._turn(0.0)
        around = self._surroundings()
        return decode_points(self._decoder(), points, *around, styles=styles, turn=turn)

    def draw_grid(self, n_per_side: int = 12) -> MapGrid:
        """Decode a grid over the whole map and show nothing.

        Other threads can issue commands meanwhile, so a front end can call this in a worker thread.

        Parameters
        ----------
        n_per_side : int, default=12
            Points along each side, in [1, 256].

        Returns
        -------
        MapGrid

        Raises
        ------
        InvalidInputError
            If there is no map, or none any more before the end, or `n_per_side` is out of range.
        """
        return draw_grid(self.draw, self._state.embedding.positions, n_per_side)

    def save_grid(
        self,
        path: str | os.PathLike[str],
        n_per_side: int = 12,
        *,
        display: Display | None = None,
    ) -> None:
        """Write the pictures of `draw_grid` as one PNG, as they lie on the map.

        Parameters
        ----------
        path : str or path
        n_per_side : int, default=12
            In [1, 256].
        display : Display, optional
            As for `save_montage`.

        Raises
        ------
        InvalidInputError
            As `draw_grid`, or if the samples are no pictures, or the display does not fit.
        """
        from embedscope.explorer.export._montage import write_grid_picture

        grid = self.draw_grid(n_per_side)
        samples = self._need_samples()
        write_grid_picture(path, samples, grid.samples, grid.support, display=display)

    @command
    def clear_reconstruction(self) -> None:
        """Show no reconstruction."""
        self._set_reconstruction(None)

    @property
    def has_style(self) -> bool:
        """Whether decoding takes style codes now: never while a run goes on."""
        analysis = self._state.analysis
        return analysis is not None and analysis.has_style and self._run_at_work() is None

    @property
    def can_turn(self) -> bool:
        """Whether decoding takes an angle now: on maps that decode upright pictures."""
        analysis = self._state.analysis
        return analysis is not None and self._run_at_work() is None and analysis.can_turn

    def _decoder(self) -> DecodeFunction:
        """The decoder: a recent copy of the one in training, or the trained one."""
        run = self._run_at_work()
        return self._need_model().draw if run is None else run.decode

    def _run_at_work(self) -> TrainingRun | None:
        """The run whose map is shown as it forms."""
        run = self._runs.watched
        # By the status in the state: the run may have ended, and its result not have arrived yet.
        return run if run is not None and self._state.status.phase.is_at_work else None

    def _spread(self) -> MapSpread | None:
        """The spread of decoded samples; unknown before the run has ended."""
        return None if self._run_at_work() is not None else self._need_model().spread

    def _styles(self, style: Any, *, may_be_random: bool = False) -> ChooseStyles:
        """The style codes to use, from the argument `style` of `decode`."""
        if style is None:
            return choose_typical
        if self._run_at_work() is not None:
            raise InvalidInputError(
                f"style must be None while a run goes on; got {style!r:.200}. Wait for its end, or "
                "stop it."
            )
        analysis, samples = self._need_model(), self._need_samples()
        if not analysis.has_style:
            raise InvalidInputError(
                f"style must be None on a map without style codes; got {style!r:.200}. Train again "
                "with reconstruction=True and n_style_components above 0."
            )
        places = self._queries.places(self._state.embedding)
        if may_be_random and isinstance(style, str) and style == RANDOM:
            shown = self._state.reconstruction
            before = shown.style_of if isinstance(shown, Reconstruction) else None
            return StyleOfNeighbor(analysis.code_of, places, samples, self._rng, before)
        row = find_row(style, samples, may_be_random=may_be_random)
        home = self._state.embedding.positions[row]
        code = analysis.code_of(samples, row)
        return StyleOfSample(samples.identities[row], code, home, analysis.at_home)

    def _turn(self, angle: Any) -> Turn:
        """How decoded pictures are turned: as the sample of the style lies, and by an angle."""
        angle, analysis = check_angle(angle), self._state.analysis
        orientation = analysis.orientation if analysis is not None and self.can_turn else None
        if orientation is None:
            if angle:
                raise InvalidInputError(
                    f"angle must be 0 for this map; got {angle:g}. Train with alike='any "
                    "orientation' to the end, so that decoded pictures are upright."
                )
            return as_decoded
        samples = self._need_samples()

        def turn(
            pictures: npt.NDArray[Any], styles_of: Sequence[SampleId | None]
        ) -> npt.NDArray[Any]:
            if styles_of[0] is not None:
                rows = [find_row(identity, samples) for identity in styles_of]
                pictures = orientation.as_samples_lie(pictures, samples.inputs(rows))
            return orientation.turned(pictures, angle) if angle else pictures

        return turn

    def _surroundings(self) -> tuple[PlaceIndex, MapSupport, Samples]:
        """The samples that a decoded point is compared with."""
        if not np.isfinite(self._state.embedding.positions).any():
            raise InvalidInputError(
                "The map must have points to decode; got none yet. Wait until they are there."
            )
        support = self._queries.support(self._state.embedding, self._state.in_training)
        return self._queries.places(self._state.embedding), support, self._need_samples()

    def _set_reconstruction(
        self, decoded: Reconstruction | tuple[Reconstruction, ...] | None
    ) -> None:
        self._change(reconstruction=decoded)

    def reconstruct(
        self, samples: Any = None, *, n_most: int | None = None
    ) -> tuple[SampleReconstruction, ...]:
        """Reconstruct real samples from their positions and their own style codes.

        Shows nothing: give the result to `show_sample_reconstructions`. May be called in a worker
        thread: other threads can issue commands meanwhile.

        Parameters
        ----------
        samples : optional
            The selected ones, by default. Rows of ``explorer.samples`` as int or bool array; or
            further samples, as for `add_samples`, which are not added.
        n_most : int, optional
            At most so many samples, taken evenly along the rows.

        Returns
        -------
        tuple of SampleReconstruction

        Raises
        ------
        InvalidInputError
            If there is no map or no decoder, a run goes on, nothing is selected, there is no such
            row, or the samples are of another kind or scale.
        """
        with self._lock:
            analysis, mine = self._need_model(), self._need_samples()
            if self._run_at_work() is not None:
                raise InvalidInputError(
                    "reconstruct must wait until the run has ended; got one that goes on. Wait for "
                    "its end, or stop it."
                )
            rows = self._rows_to_reconstruct(samples, n_most)
            if rows is not None:
                positions = self._state.embedding.positions
                held_out = np.full(len(mine), None, dtype=object)
                held_out[self._state.in_training] = analysis.held_out
        if rows is not None:
            return reconstruct(analysis, mine, rows, positions, held_out)
        read = samples_like(mine, samples)
        return reconstruct(analysis, read, thin_rows(np.arange(len(read)), n_most))

    def _rows_to_reconstruct(
        self, samples: Any, n_most: int | None
    ) -> npt.NDArray[np.int64] | None:
        """Rows of the explored samples to reconstruct; None for other samples."""
        if samples is None:
            rows = self.selection.rows
        elif samples is self._state.samples:
            rows = np.arange(len(self._need_samples()))
        elif isinstance(samples, Samples) or not may_be_rows(samples):
            return None
        else:
            rows = check_rows(samples, len(self._need_samples()))
        if not len(rows):
            raise InvalidInputError(
                "samples must be at least one; got none. Select samples on the map first, or give "
                "their rows."
            )
        return thin_rows(rows, n_most)

    @command
    def show_sample_reconstructions(
        self, reconstructions: tuple[SampleReconstruction, ...]
    ) -> None:
        """Show the result of `reconstruct`, or nothing.

        Parameters
        ----------
        reconstructions : tuple of SampleReconstruction
            Of the explored samples, or of others; may be empty.

        Raises
        ------
        InvalidInputError
            If the row of one of them holds another sample now.
        """
        shown = tuple(reconstructions)
        for each in shown:
            if each.row is not None and not self._has_in_row(each.row, each.id):
                raise InvalidInputError(
                    f"reconstructions must be of the samples on show; got one of {tuple(each.id)}, "
                    f"which is not in row {each.row}. Reconstruct again."
                )
        self._change(sample_reconstructions=shown)
        if shown:
            self._say(f"{counted(len(shown), 'sample')} reconstructed")

    def _has_in_row(self, row: int, identity: SampleId) -> bool:
        samples = self._state.samples
        return samples is not None and row < len(samples) and samples.identities[row] == identity
