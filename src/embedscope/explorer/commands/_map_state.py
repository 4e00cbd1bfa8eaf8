"""The whole state of an explorer: one frozen value, which each change replaces."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from embedscope._wording import counted
from embedscope.explorer.answers._analysis import MapAnalysis
from embedscope.explorer.answers._decoding import Reconstruction
from embedscope.explorer.answers._reconstructing import SampleReconstruction
from embedscope.explorer.coloring._colors import ColorBy, Coloring
from embedscope.explorer.marks._events import Embedding, Hovered
from embedscope.explorer.marks._marks import Marks
from embedscope.samples import Samples
from embedscope.training import Replay, Status, TrainedMap, TrainingParameters

if TYPE_CHECKING:
    from embedscope.explorer.answers._explanation import Explanation
    from embedscope.explorer.session._session_samples import Absence

_revisions = itertools.count(1)  # of embeddings, one for each, so that views can tell them apart


@dataclass(frozen=True, eq=False, kw_only=True)
class MapState:
    """Samples and their map, what is known of both, and what is selected, gated and shown.

    Attributes
    ----------
    samples : Samples or None
        The samples that are explored, n of them.
    absences : tuple of Absence
        Images that were missing when the session was opened.
    parameters : TrainingParameters
        Of the next run.
    embedding : Embedding
        The positions of the samples.
    shown : Embedding
        The same, or a snapshot of how the map formed.
    before_run : Embedding
        The positions to restore if the present run learns nothing.
    analysis : MapAnalysis or None
        The trained map, with the answers computed from it.
    replay : Replay or None
        Snapshots of the map from its training.
    in_training : ndarray of shape (n,), bool
        Which samples the map was trained on.
    novelty : ndarray of shape (n,), float32
        Out-of-distribution scores; NaN for samples without one.
    status : Status
        Of the latest run.
    losses : mapping of str to list of float
        The history of each loss.
    marks : Marks
        Selection, gates, and the steps to undo.
    color_by : ColorBy
    coloring : Coloring
        What `color_by` gives.
    colored_for : tuple
        The `color_key` that `coloring` was computed for.
    hovered : Hovered
    reconstruction : Reconstruction, tuple of Reconstruction, or None
        What was decoded last.
    sample_reconstructions : tuple of SampleReconstruction
        Real samples beside their reconstructions.
    explanation : Explanation or None
    complete : Samples or None
        The samples before some were left out because they lack what the map learns from; None if
        none were.
    """

    samples: Samples | None = None
    absences: tuple[Absence, ...] = ()
    parameters: TrainingParameters
    embedding: Embedding
    shown: Embedding
    before_run: Embedding
    analysis: MapAnalysis | None = None
    replay: Replay | None = None
    in_training: npt.NDArray[np.bool_]
    novelty: npt.NDArray[np.float32]
    status: Status = field(default_factory=lambda: Status(run_id=0))
    losses: Mapping[str, list[float]] = field(default_factory=dict)
    marks: Marks
    color_by: ColorBy
    coloring: Coloring = field(default_factory=Coloring.empty)
    colored_for: tuple[object, ...] = ()
    hovered: Hovered = field(default_factory=Hovered)
    reconstruction: Reconstruction | tuple[Reconstruction, ...] | None = None
    sample_reconstructions: tuple[SampleReconstruction, ...] = ()
    explanation: Explanation | None = None
    complete: Samples | None = None

    @classmethod
    def of(
        cls, samples: Samples | None, parameters: TrainingParameters, color_by: ColorBy
    ) -> MapState:
        """Samples without positions or marks, or none."""
        n_samples = 0 if samples is None else len(samples)
        embedding = embedding_at(np.full((n_samples, 2), np.nan, np.float32))
        return cls(
            samples=samples,
            parameters=parameters,
            embedding=embedding,
            shown=embedding,
            before_run=embedding,
            in_training=np.zeros(n_samples, dtype=bool),
            novelty=np.full(n_samples, np.nan, dtype=np.float32),
            marks=Marks.of(np.zeros(n_samples, dtype=bool)),
            color_by=color_by,
        )

    @property
    def model(self) -> TrainedMap | None:
        """The trained map."""
        return None if self.analysis is None else self.analysis.model

    @property
    def color_key(self) -> tuple[object, ...]:
        """What the colours depend on: they are outdated when one of these is another object."""
        gates = self.marks.gates
        depends: dict[str, tuple[object, ...]] = {
            "gate": (gates, self.embedding if len(gates) else None),
            "selection": (self.marks.selection,),
            "training": (self.in_training,),
            "novelty": (self.novelty,),
        }
        return (self.samples, self.color_by, *depends.get(self.color_by.kind, ()))

    @property
    def left_out_text(self) -> str:
        """How many samples lack what the map learns from, for a message; "" if none do."""
        if self.complete is None or self.samples is None:
            return ""
        n_lost = len(self.complete) - len(self.samples)
        return f" {counted(n_lost, 'sample')} without values left out."

    def at(self, embedding: Embedding) -> MapState:
        """The samples at other positions, which are shown."""
        return replace(self, embedding=embedding, shown=embedding)

    def learning_from(self, taught: Samples) -> MapState:
        """The state with the same samples that learn from other values, without a trained map.

        Positions, gates and selection stay.

        Parameters
        ----------
        taught : Samples
            Some of `complete`, or of the present samples if this is None.
        """
        assert self.samples is not None
        complete = self.complete or self.samples
        rows = rows_of(taught, self.samples)
        is_there = rows >= 0
        are_same = len(rows) == len(self.samples) and bool(is_there.all())
        selected = taken(self.marks.selected, rows, is_there)
        made = replace(
            MapState.of(taught, self.parameters, self.color_by),
            absences=self.absences,
            marks=self.marks if are_same else Marks.of(selected, self.marks.gates),
            complete=complete if len(taught) < len(complete) else None,
        )
        before, start = self.embedding, self.before_run
        return replace(
            made.at(embedding_at(taken(before.positions, rows, is_there), epoch=before.epoch)),
            before_run=embedding_at(taken(start.positions, rows, is_there), epoch=start.epoch),
        )

    def without_training(self) -> MapState:
        """Without the trained map, and without all results of the run."""
        n_samples = len(self.in_training)
        return replace(
            self,
            analysis=None,
            replay=None,
            status=Status(run_id=0),
            losses={},
            in_training=np.zeros(n_samples, dtype=bool),
            novelty=np.full(n_samples, np.nan, dtype=np.float32),
        )

    def without_answers(self) -> MapState:
        """Without reconstructions and explanations: they hold for the map before."""
        return replace(self, reconstruction=None, sample_reconstructions=(), explanation=None)

    def with_result(self, analysis: MapAnalysis) -> MapState:
        """With a trained map of the present samples."""
        result = analysis.model
        n_samples = len(result.samples)
        losses = copied(result.losses)
        embedding = embedding_at(result.embedding, epoch=n_reports(losses))
        return replace(
            self.at(embedding).without_answers(),
            before_run=embedding,  # restored if a run that still goes on learns nothing
            analysis=analysis,
            losses=losses,
            in_training=np.ones(n_samples, dtype=bool),
            novelty=np.full(n_samples, np.nan, dtype=np.float32),
        )


def embedding_at(
    positions: npt.NDArray[np.float32], *, epoch: int = 0, is_final: bool = True
) -> Embedding:
    """Positions, read-only, with a new revision."""
    return Embedding(next(_revisions), read_only(positions), epoch, is_final)


def rows_of(some: Samples, samples: Samples) -> npt.NDArray[np.int64]:
    """The row of each of some samples among others; -1 for one that is not there."""
    if some.identities is samples.identities:
        return np.arange(len(samples))
    identities = some.identities
    rows = np.full(len(some), -1, np.int64)
    for index, name in enumerate(identities.sources):
        own = identities.source == index
        if name in samples.identities.sources:
            rows[own] = samples.identities.rows(name, identities.label[own], identities.frame[own])
    return rows


def taken(
    values: npt.NDArray[Any], rows: npt.NDArray[np.int64], where: npt.NDArray[np.bool_]
) -> npt.NDArray[Any]:
    """Values of other rows, in these rows; NaN (False in a mask) where `where` is False."""
    made = np.full(
        (len(rows), *values.shape[1:]), np.nan if values.dtype.kind == "f" else False, values.dtype
    )
    made[where] = values[rows[where]]
    return made


def read_only(positions: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """A view that cannot be written to."""
    view = positions.view()
    view.flags.writeable = False
    return view


def copied(losses: Mapping[str, list[float]]) -> dict[str, list[float]]:
    """A copy of a history of losses."""
    return {name: list(values) for name, values in losses.items()}


def n_reports(losses: Mapping[str, list[float]]) -> int:
    """Entries of a history of losses."""
    return max((len(values) for values in losses.values()), default=0)
