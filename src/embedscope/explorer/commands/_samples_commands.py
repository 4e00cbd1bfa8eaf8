"""Commands that set, add and replace the explored samples."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from embedscope._errors import InvalidInputError
from embedscope._wording import counted
from embedscope.explorer.answers._analysis import MapAnalysis
from embedscope.explorer.answers._novelty import NOVEL
from embedscope.explorer.commands._command import command
from embedscope.explorer.commands._explorer_state import ExplorerState
from embedscope.explorer.commands._map_state import MapState, embedding_at, read_only, taken
from embedscope.explorer.commands._replacing import replace_source
from embedscope.explorer.marks._events import Hovered
from embedscope.explorer.marks._gates import GateSet
from embedscope.explorer.marks._marks import Marks
from embedscope.samples import (
    CropRecipe,
    Samples,
    TableRecipe,
    as_samples,
    join_samples,
    samples_like,
)
from embedscope.samples.common import names_columns, with_computed
from embedscope.samples.tables import is_annotated, place_of_rows


@dataclass(frozen=True)
class PreparedSamples:
    """Samples with their positions on a map, not yet added to it.

    Attributes
    ----------
    beside : Samples
        The samples that they are to be added to.
    analysis : MapAnalysis
        Of the map that placed them.
    joined : Samples
        `beside` and the new ones.
    positions : ndarray of shape (n_new, 2), float32
    novelty : ndarray of shape (n_new,), float32
        Out-of-distribution score, 0..1; NaN if the training samples are too few.
    """

    beside: Samples
    analysis: MapAnalysis
    joined: Samples
    positions: np.ndarray
    novelty: np.ndarray


class SamplesCommands(ExplorerState):
    """Set, add and replace samples. See `Explorer`."""

    @command
    def set_samples(self, samples: Any) -> None:
        """Explore these samples, without map, selection and gates.

        A run that goes on is not stopped: its result belongs to the samples that it was started
        with, and appears among `results`.

        Parameters
        ----------
        samples : Samples, DataFrame, AnnData, array or None
            A frame becomes a table of its numeric columns, an array samples numbered from 0. The
            map of an AnnData object (``obsm["X_umap"]``) or of an exported table is shown, with
            gates whose outlines are stored: those of AnnData, of Parquet, and of CSV if `read_csv`
            of `embedscope.explorer` reads it.

        Raises
        ------
        InvalidInputError
            If they cannot be read as samples.
        """
        read = None if samples is None else as_samples(samples)
        made = MapState.of(read, self._state.parameters, self._state.color_by)
        places = None if read is None or read is samples else _places_in(read, samples)
        if places is not None:
            marks = Marks.of(made.marks.selected, _gates_in(samples))
            made = replace(made, marks=marks).at(embedding_at(places))
        self._runs.unwatch()
        self._become(made)
        said = "No samples" if read is None else _told(read)
        self._say(said if places is None else f"{said} on the map that the table holds")

    def prepare_samples(self, samples: Any) -> PreparedSamples:
        """Read and place further samples without adding them: the slow half of `add_samples`.

        Changes nothing, and other threads can issue commands meanwhile: for a worker thread.

        Parameters
        ----------
        samples : Samples, DataFrame or array
            As for `add_samples`, with the same errors.

        Returns
        -------
        PreparedSamples
            For `add_samples`.
        """
        with self._lock:
            analysis, mine = self._need_model(), self._need_samples()
            self._runs.check_idle("add_samples")
        read = with_computed(samples_like(mine, samples))
        joined = join_samples([mine, read])
        return PreparedSamples(mine, analysis, joined, *analysis.embed(read))

    def add_samples(self, samples: Any) -> None:
        """Add samples to the trained map, in its coordinates.

        Nothing is trained, gates stay, and each new sample gets an out-of-distribution score: see
        `novelty`.

        Parameters
        ----------
        samples : Samples, DataFrame, array or PreparedSamples
            Of the same kind and scale as those trained on. `Samples.same_way` makes such samples;
            it is called for a frame or an array. `PreparedSamples` are added at once.

        Raises
        ------
        InvalidInputError
            If there is no map yet, a run goes on, the samples are of another kind or scale, or
            they were prepared for other samples or another map.
        """
        if not isinstance(samples, PreparedSamples):
            samples = self.prepare_samples(samples)
        self._add(samples)

    @command
    def _add(self, prepared: PreparedSamples) -> None:
        self._runs.check_idle("add_samples")
        if (
            prepared.beside is not self._state.samples
            or prepared.analysis is not self._state.analysis
        ):
            raise InvalidInputError(
                "samples must have been prepared for the map that is shown; it is another one now. "
                "Prepare them again."
            )
        novelty = prepared.novelty
        n_new = len(novelty)
        state = self._state
        selected = np.append(state.marks.selected, np.zeros(n_new, dtype=bool))
        positions = np.concatenate([state.embedding.positions, prepared.positions])
        changed = replace(
            state,
            samples=prepared.joined,
            in_training=np.append(state.in_training, np.zeros(n_new, dtype=bool)),
            novelty=np.append(state.novelty, novelty),
            marks=Marks.of(selected, state.marks.gates),
            complete=None,
        )
        self._become(changed.at(embedding_at(positions, epoch=state.embedding.epoch)))
        n_outliers = int((novelty >= NOVEL).sum())
        self._say(
            f"{counted(n_new, 'sample')} placed on the map; {n_outliers:,} unlike those trained on"
        )

    @command
    def replace_samples(self, samples: Any) -> None:
        """Replace the samples of one source by new ones.

        For labels or an image that have changed. Samples with unchanged values keep their positions
        and stay selected; the trained map places all others, and they no longer count as trained
        on. The map as it was trained stays among `results`. Undo starts anew.

        Parameters
        ----------
        samples : Samples
            Of one source that is explored, on the same scale, as `Samples.same_way` makes them.

        Raises
        ------
        InvalidInputError
            If there is no such source, the samples are of another kind or scale, a run goes on, or
            no sample that was trained on is left.
        """
        mine = self._need_samples()
        self._runs.check_idle("replace_samples")
        replaced = replace_source(mine, with_computed(samples_like(mine, samples)))
        before, is_same = replaced.rows_before, replaced.is_same
        state = self._state
        positions = taken(state.embedding.positions, before, is_same)
        novelty = taken(state.novelty, before, is_same)
        in_training = taken(state.in_training, before, is_same)
        analysis = state.analysis
        if analysis is not None:
            others = np.flatnonzero(~is_same)
            if not in_training.any():
                raise InvalidInputError(
                    "samples must include some that the map was trained on, as they were; all have "
                    "changed. Set them with set_samples, and train."
                )
            if len(others):
                positions[others], novelty[others] = analysis.embed(replaced.samples.subset(others))
            # The rows of the model whose samples are still there, unchanged.
            rows_of_model = (np.cumsum(state.in_training) - 1)[before[in_training]]
            model = replace(
                analysis.model,
                samples=replaced.samples.subset(in_training),
                embedding=read_only(analysis.model.embedding[rows_of_model]),
            )
            analysis = MapAnalysis(model, analysis.novelty_arrays())
        selected = taken(state.marks.selected, before, before >= 0)
        changed = replace(
            state.without_answers(),
            samples=replaced.samples,
            analysis=analysis,
            replay=None,
            in_training=in_training,
            novelty=novelty,
            marks=Marks.of(selected, state.marks.gates),
            hovered=Hovered(),
            complete=None,
        )
        self._become(changed.at(embedding_at(positions, epoch=state.embedding.epoch)))
        n_gone = len(mine) - int((before >= 0).sum())
        n_changed = int((~is_same & (before >= 0)).sum())
        self._say(
            f"Samples: {int((before < 0).sum()):,} new, {n_changed:,} changed, {n_gone:,} gone"
        )

    @command
    def attach_images(self, source: str, image: Any, labels: Any = None) -> None:
        """Attach an image that was missing when the session was opened.

        Parameters
        ----------
        source : str
            Name of the source, as in ``samples.absent``.
        image, labels : array or pyramid
            The same as when the samples were made.

        Raises
        ------
        InvalidInputError
            If there is no such source, the image does not hold all of its samples, or it is not the
            image of the saved session.
        """
        from embedscope.explorer.session._session_samples import take_back, trained_part

        state = self._state
        samples, absences = take_back(self._need_samples(), state.absences, source, image, labels)
        analysis = state.analysis
        if analysis is not None:
            analysis = _with_samples(analysis, trained_part(samples, state.in_training))
        self._change(samples=samples, absences=absences, analysis=analysis, complete=None)
        self._say(f"Images of {source} attached")

    @command
    def learn_from(self, what: Any, *, standardise: bool | None = None) -> None:
        """Let the next run learn from other values than the samples show.

        Positions, gates and selection stay until then. The trained map stays among `results`, but
        is no longer shown, as with `place`. Samples without values are left out; a later choice
        brings them back, unless samples were added or replaced meanwhile.

        Parameters
        ----------
        what, standardise
            As in `Samples.learning_from`: names of features, an array with a row for each of
            `samples`, a function, or None for what the samples show.

        Raises
        ------
        InvalidInputError
            If `learning_from` raises it, or a run goes on.
        """
        mine = self._need_samples()
        self._runs.check_idle("learn_from")
        if what is None and mine.learned is None:
            return
        has_rows = what is not None and not callable(what) and not names_columns(what)
        given = mine if has_rows else self._state.complete or mine
        taught = given.learning_from(what, standardise=standardise)
        self._runs.unwatch()
        self._become(self._state.learning_from(taught))
        learned = "what the samples show" if taught.learned is None else taught.learned.text
        n_lost = len(given) - len(taught)
        lost = f"; {counted(n_lost, 'sample')} without values left out" if n_lost else ""
        self._say(f"The next map learns from {learned}{lost}")

    @command
    def attach_extractor(self, extractor: Any) -> None:
        """Give a session the function that computes what its map learned from.

        It is needed to place new samples; a session keeps what it computed, but no code.

        Parameters
        ----------
        extractor : callable
            As it was given to `Samples.learning_from`.

        Raises
        ------
        InvalidInputError
            If it is another one: its values of some samples are compared with those kept.
        """
        from embedscope.explorer.session._session_samples import trained_part

        state = self._state
        samples = self._need_samples().with_extractor(extractor)
        analysis = state.analysis
        if analysis is not None:
            analysis = _with_samples(analysis, trained_part(samples, state.in_training))
        self._change(samples=samples, analysis=analysis)
        self._say("The function is the one that the map learned from: new samples can be placed")

    @command
    def place(self, positions: Any) -> None:
        """Set the positions of the samples, as another program computed them.

        Selection, gates and colours work as before; decoding and adding samples need `train`. A
        trained map stays among `results`, but is no longer shown: its losses, novelty scores and
        status are cleared.

        Parameters
        ----------
        positions : array-like of shape (n_samples, 2)
            Map coordinates; NaN for samples without a position.

        Raises
        ------
        InvalidInputError
            If the shape does not fit the samples, a coordinate is infinite, or a run goes on.
        """
        n_samples = len(self._need_samples())
        self._runs.check_idle("place")
        given = np.asarray(positions)
        if given.shape != (n_samples, 2) or given.dtype.kind not in "fiu":
            raise InvalidInputError(
                f"positions must be numbers of shape ({n_samples}, 2); got {given.dtype} of shape "
                f"{given.shape}. Give a position for each sample, NaN where it has none."
            )
        places = given.astype(np.float32)
        if np.isinf(places).any():
            raise InvalidInputError(
                "positions must be finite, or NaN; got infinity. Give NaN where a sample has no "
                "position."
            )
        self._runs.unwatch()
        # Without training: the networks know other coordinates than these.
        state = self._state.without_training().without_answers()
        self._become(state.at(embedding_at(places)))


def _with_samples(analysis: MapAnalysis, samples: Samples) -> MapAnalysis:
    """The same map, of the same samples with something attached."""
    return MapAnalysis(replace(analysis.model, samples=samples), analysis.novelty_arrays())


def _told(samples: Samples) -> str:
    """How many samples there are, and of which size, if they are drawn at another."""
    number, recipe = counted(len(samples), "sample"), samples.recipe
    is_resampled = isinstance(recipe, CropRecipe) and recipe.is_resampled
    return f"{number}, {recipe.crops_told}" if is_resampled else number


def _places_in(samples: Samples, data: Any) -> np.ndarray | None:
    """The map that a table holds of the samples made from it; None without any position."""
    if not (is_annotated(data) or isinstance(samples.recipe, TableRecipe)):
        return None
    places = place_of_rows(samples, data)
    if places is None or np.isnan(places).all():
        return None
    return np.where(np.isfinite(places), places, np.nan).astype(np.float32)


def _gates_in(data: Any) -> GateSet:
    from embedscope.explorer.export._gates_in_tables import outlines_in

    return outlines_in(data)
