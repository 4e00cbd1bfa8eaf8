"""The content of a session, between an explorer and the disk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from embedscope._errors import InvalidInputError
from embedscope.explorer.coloring._colors import ColorBy
from embedscope.explorer.marks._gates import GateSet
from embedscope.explorer.session._session_samples import Absence, take_back, trained_part
from embedscope.samples import Samples
from embedscope.training import Replay, TrainedMap, TrainingParameters


@dataclass(frozen=True, eq=False)
class SessionState:
    """The content of a session with n samples.

    Attributes
    ----------
    samples : Samples
    positions : ndarray of shape (n, 2), float32
        Positions on the map; NaN for samples without one.
    parameters : TrainingParameters
        Parameters of the next run.
    gates : GateSet
    color_by : ColorBy
    selected : ndarray of shape (n,), bool
    in_training : ndarray of shape (n,), bool
        Which samples `model` was trained on; in this order they are the samples of `model`.
    novelty : ndarray of shape (n,), float32
        Out-of-distribution scores, NaN for samples without one.
    losses : mapping of str to list of float
        The history of each loss.
    model : TrainedMap or None
    replay : Replay or None
        Snapshots of the map in training.
    novelty_model : mapping of str to ndarray, or None
        The result of `Novelty.to_arrays`.
    absences : tuple of Absence
        Images that were absent when the session was read. Pass them on when it is saved again, so
        that it still refers to them.
    """

    samples: Samples
    positions: npt.NDArray[np.float32]
    parameters: TrainingParameters
    gates: GateSet
    color_by: ColorBy
    selected: npt.NDArray[np.bool_]
    in_training: npt.NDArray[np.bool_]
    novelty: npt.NDArray[np.float32]
    losses: Mapping[str, list[float]] = field(default_factory=dict)
    model: TrainedMap | None = None
    replay: Replay | None = None
    novelty_model: Mapping[str, npt.NDArray[Any]] | None = None
    absences: tuple[Absence, ...] = ()

    def __post_init__(self) -> None:
        shapes = {
            "positions": (len(self.samples), 2),
            "selected": (len(self.samples),),
            "in_training": (len(self.samples),),
            "novelty": (len(self.samples),),
        }
        for name, shape in shapes.items():
            if getattr(self, name).shape != shape:
                raise InvalidInputError(
                    f"{name} must have shape {shape}; got {getattr(self, name).shape}. Give one "
                    "entry for each sample."
                )
        if self.model is not None and len(self.model.embedding) != self.in_training.sum():
            raise InvalidInputError(
                f"in_training must mark the {len(self.model.embedding)} samples of the model; got "
                f"{self.in_training.sum()} marked. Give the model that these samples trained."
            )
        if self.model is not None and len(self.model.estimator.embedding_) < len(
            self.model.embedding
        ):
            raise InvalidInputError(
                f"model must hold the map of its {len(self.model.embedding)} samples; got one of "
                f"{len(self.model.estimator.embedding_)}. Give the one that these samples trained."
            )
        if self.replay is not None and not self._fits_replay(self.replay):
            raise InvalidInputError(
                "replay must show the samples that are in training, each at every snapshot; got "
                "another number of them. Leave it out."
            )

    def attach_images(self, source: str, image: Any, labels: Any = None) -> SessionState:
        """Return the session with images of one source that were absent.

        Parameters
        ----------
        source : str
            Name of the source.
        image, labels : array or pyramid
            Those with which the samples were made.

        Raises
        ------
        InvalidInputError
            If they are not those that the session was saved with.
        """
        samples, absences = take_back(self.samples, self.absences, source, image, labels)
        model = self.model
        if model is not None:
            model = replace(model, samples=trained_part(samples, self.in_training))
        return replace(self, samples=samples, absences=absences, model=model)

    def _fits_replay(self, replay: Replay) -> bool:
        return not len(replay) or len(replay.positions(0)) == self.in_training.sum()
