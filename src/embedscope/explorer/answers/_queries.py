"""Repeated queries about a map: each answer is cached until the positions change."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numpy as np
import numpy.typing as npt

from embedscope.explorer.answers._places import PlaceIndex
from embedscope.explorer.answers._support import MapSupport
from embedscope.explorer.marks._events import Embedding
from embedscope.explorer.marks._gates import GateSet

_Answer = TypeVar("_Answer")


class MapQueries:
    """Answers about embeddings; of each kind, the last one is cached."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[tuple[Any, ...], Any]] = {}

    def places(self, embedding: Embedding) -> PlaceIndex:
        """The search for the nearest samples."""
        return self._once("places", (embedding,), lambda: PlaceIndex(embedding.positions))

    def support(self, embedding: Embedding, in_training: npt.NDArray[np.bool_]) -> MapSupport:
        """How well points are supported by the training samples; by all samples without a map."""

        def learn() -> MapSupport:
            counted = np.isfinite(embedding.positions).all(axis=1)
            if in_training.any():
                counted &= in_training
            return MapSupport(embedding.positions[counted])

        return self._once("support", (embedding,), learn)

    def memberships(self, embedding: Embedding, gates: GateSet) -> dict[str, npt.NDArray[np.bool_]]:
        """Which samples each gate holds."""
        return self._once(
            "memberships", (embedding, gates), lambda: gates.memberships(embedding.positions)
        )

    def _once(self, kind: str, key: tuple[Any, ...], answer: Callable[[], _Answer]) -> _Answer:
        known = self._known.get(kind)
        if known is None or known[0] != key:
            known = self._known[kind] = (key, answer())
        return cast(_Answer, known[1])
