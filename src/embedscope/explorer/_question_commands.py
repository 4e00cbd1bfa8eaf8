"""What the trained map is asked: to draw, to explain, to place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from embedscope._wording import counted
from embedscope.explorer._decoding import Draw, Reconstruction, decode, decode_path, decode_points
from embedscope.explorer._explorer_state import ExplorerState, command
from embedscope.explorer._map_grid import MapGrid, draw_grid
from embedscope.explorer._places import PlaceIndex
from embedscope.explorer._support import MapSupport
from embedscope.samples import Samples, samples_like

if TYPE_CHECKING:
    from embedscope.explorer._explanation import Explanation


class QuestionCommands(ExplorerState):
    """Ask the map. See `Explorer`."""

    @command
    def decode(self, point: Any) -> Reconstruction:
        """Draw the sample that belongs to a place on the map, with the real ones beside it.

        While training goes on, the network as it was a moment ago draws.

        Parameters
        ----------
        point : array-like of shape (2,)
            Map coordinates.

        Returns
        -------
        Reconstruction
            With the five nearest real samples, and how much data supports the place.
        """
        drawn = decode(self._draw(), point, *self._surroundings())
        self._set_reconstruction(drawn)
        return drawn

    @command
    def decode_path(self, points: Any, n_steps: int = 12) -> tuple[Reconstruction, ...]:
        """Draw samples along a path on the map.

        Parameters
        ----------
        points : array-like of shape (n_points, 2)
            Corners of the path, at least two.
        n_steps : int, default=12
            Pictures, evenly spaced along its length.

        Returns
        -------
        tuple of Reconstruction
        """
        drawn = decode_path(self._draw(), points, *self._surroundings(), n_steps)
        self._set_reconstruction(drawn)
        self._say(f"{len(drawn)} samples drawn along a path")
        return drawn

    @command
    def draw(self, points: Any) -> tuple[Reconstruction, ...]:
        """Draw the samples of many places and show none of them: for a front end's own atlas.

        Parameters
        ----------
        points : array-like of shape (n_points, 2)
            Map coordinates, at least one place.

        Returns
        -------
        tuple of Reconstruction
        """
        return decode_points(self._draw(), points, *self._surroundings())

    def draw_grid(self, n_per_side: int = 12) -> MapGrid:
        """Draw samples on a grid over the whole map and show none of them.

        Other threads get their turn at the explorer meanwhile, so that a front end can ask from a
        thread of its own.

        Parameters
        ----------
        n_per_side : int, default=12
            Pictures along each side, in [1, 256].

        Returns
        -------
        MapGrid

        Raises
        ------
        InvalidInputError
            If there is no map, it is gone before the end, or `n_per_side` is out of its range.
        """
        return draw_grid(self.draw, self._embedding.positions, n_per_side)

    @command
    def clear_reconstruction(self) -> None:
        """Show no reconstruction."""
        self._set_reconstruction(None)

    def _draw(self) -> Draw:
        """Who draws: the network in training, as it was a moment ago, or the trained one."""
        run = self._runs.watched
        # By what was told last: the run itself may have ended, its result not yet be shown.
        if run is not None and self._status.phase.is_at_work:
            return run.decode
        return self._need_model().draw

    def _surroundings(self) -> tuple[PlaceIndex, MapSupport, Samples]:
        """What a place on the map is compared with."""
        support = self._queries.support(self._embedding, self._in_training)
        return self._queries.places(self._embedding), support, self._need_samples()

    def _set_reconstruction(
        self, drawn: Reconstruction | tuple[Reconstruction, ...] | None
    ) -> None:
        self._reconstruction = drawn
        self.events.reconstruction_changed.emit(drawn)

    def explain(self, rows: Any = None) -> Explanation:
        """Say what drives the place of samples on the map.

        Parameters
        ----------
        rows : array-like of int, optional
            Those selected, by default.

        Returns
        -------
        Explanation
            A ranking of features for tables, a saliency picture for crops.

        Raises
        ------
        InvalidInputError
            If there is no map yet, or nothing is selected.
        """
        explanation = self.find_reasons(rows)
        self.show_explanation(explanation)
        return explanation

    def find_reasons(self, rows: Any = None, *, gate: str = "") -> Explanation:
        """Find what drives the place of samples on the map, and show nothing.

        May be called from a front end's own thread: the explorer stays free for others meanwhile.

        Parameters
        ----------
        rows : array-like of int, optional
            Those selected, by default.
        gate : str
            Instead of rows: the samples of the gate of this name.

        Returns
        -------
        Explanation

        Raises
        ------
        InvalidInputError
            If there is no map or no such gate yet, or there is no sample to explain.
        """
        with self._lock:
            analysis, samples = self._need_model(), self._need_samples()
            if gate:
                self.gates[gate]  # a clear error if there is none
                rows = np.flatnonzero(self._memberships()[gate])
            chosen = self.selection.rows if rows is None else np.flatnonzero(self._mask(rows))
        return analysis.explain(samples, chosen)

    @command
    def show_explanation(self, explanation: Explanation | None) -> None:
        """Show what `find_reasons` found, or nothing.

        Parameters
        ----------
        explanation : Explanation or None
            Of the samples that are explored.

        Raises
        ------
        InvalidInputError
            If there are fewer samples than it speaks of: they were others.
        """
        if explanation is not None:
            self._mask(explanation.rows)  # a clear error if they are not there
        self._explanation = explanation
        self.events.explanation_changed.emit(explanation)
        if explanation is not None:
            self._say(f"What drives the place of {counted(len(explanation.rows), 'sample')}")

    @command
    def embed(self, samples: Any) -> tuple[np.ndarray, np.ndarray]:
        """Place samples by the trained map, without adding them; see `add_samples`.

        Parameters
        ----------
        samples : Samples, DataFrame or array
            As for `add_samples`.

        Returns
        -------
        positions : ndarray of shape (n_new, 2), float32
            In the coordinates of the map.
        novelty : ndarray of shape (n_new,), float32
            Out-of-distribution score, 0..1; from 0.99 on, a sample is unlike those trained on.

        Raises
        ------
        InvalidInputError
            If there is no map yet, or the samples are of another kind or scale.
        """
        analysis = self._need_model()
        return analysis.embed(samples_like(analysis.model.samples, samples))
