"""Commands that describe, explain and embed samples."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from embedscope._wording import counted
from embedscope.explorer.answers._description import SampleDescription, describe_row
from embedscope.explorer.commands._command import command
from embedscope.explorer.commands._explorer_state import ExplorerState
from embedscope.samples import samples_like

if TYPE_CHECKING:
    from embedscope.explorer.answers._explanation import Explanation


class QuestionCommands(ExplorerState):
    """Describe, explain and embed samples. See `Explorer`."""

    @command
    def describe(self, row: int) -> SampleDescription:
        """Describe a sample in words, as front ends show it under the pointer.

        Parameters
        ----------
        row : int
            Row in ``explorer.samples``.

        Returns
        -------
        SampleDescription
            Its name, and the values of its features, first the one that the map is coloured by.

        Raises
        ------
        InvalidInputError
            If there are no samples, or there is no such row.
        """
        samples = self._need_samples()
        self._mask([row])  # a clear error if there is none
        return describe_row(samples, int(row), self._state.color_by.name)

    def explain(self, rows: Any = None) -> Explanation:
        """Find and show what drives the positions of samples on the map.

        Parameters
        ----------
        rows : array-like of int, optional
            The selected ones, by default.

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
        """Find what drives the positions of samples on the map, and show nothing.

        May be called in a worker thread: other threads can issue commands meanwhile.

        Parameters
        ----------
        rows : array-like of int, optional
            The selected ones, by default.
        gate : str
            Name of a gate whose samples are taken instead of `rows`.

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
        """Show the result of `find_reasons`, or nothing.

        Parameters
        ----------
        explanation : Explanation or None
            Of the explored samples.

        Raises
        ------
        InvalidInputError
            If a row of it does not exist: it is about other samples.
        """
        if explanation is not None:
            self._mask(explanation.rows)  # a clear error if they are not there
        self._change(explanation=explanation)
        if explanation is not None:
            self._say(f"What drives the position of {counted(len(explanation.rows), 'sample')}")

    @command
    def embed(self, samples: Any) -> tuple[np.ndarray, np.ndarray]:
        """Compute the positions of samples on the trained map, and add nothing; see `add_samples`.

        Parameters
        ----------
        samples : Samples, DataFrame or array
            As for `add_samples`.

        Returns
        -------
        positions : ndarray of shape (n_new, 2), float32
            In the coordinates of the map; NaN where a function that the map learns from gives no
            finite numbers.
        novelty : ndarray of shape (n_new,), float32
            Out-of-distribution score, 0..1; from 0.99 on, a sample is unlike those trained on.

        Raises
        ------
        InvalidInputError
            If there is no map yet, or the samples are of another kind or scale.
        """
        analysis = self._need_model()
        return analysis.embed(samples_like(analysis.model.samples, samples))
