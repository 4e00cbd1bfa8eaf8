"""The objects of a Labels layer that have a row in its features, if only these are wanted."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from embedscope._wording import counted
from embedscope.napari_dock.data._layer_keys import TableKeys, object_table
from embedscope.napari_dock.data._layer_places import affine_of, finest_of
from embedscope.samples import LeftOut, Samples, Source
from embedscope.samples.images import known_objects


@dataclass(frozen=True, eq=False)
class NamedObjects:
    """The objects to cut.

    Attributes
    ----------
    label_ids : ndarray of shape (n,), int64, or None
        Their labels; None for all objects.
    pairs : frozenset of (int, int), optional
        Frame and label of each, if the table has frames.
    n_others : int
        Objects that have no row.
    """

    label_ids: npt.NDArray[np.int64] | None = None
    pairs: frozenset[tuple[int, int]] | None = None
    n_others: int = 0

    @classmethod
    def of(cls, labels: Any, axes: str, keys: TableKeys) -> NamedObjects:
        """Those of a layer.

        Parameters
        ----------
        labels : napari.layers.Labels
        axes : str
            Axes of the layer.
        keys : TableKeys

        Raises
        ------
        InvalidInputError
            If only objects with a row are wanted, and the object of a row cannot be determined or
            is not in the image.
        """
        if not keys.only_named:
            return cls()
        source = Source(
            labels.name, "labels", labels=finest_of(labels), axes=axes, affine=affine_of(labels)
        )
        there = known_objects(source)
        table = object_table(labels, keys, there).table
        has_row = np.isin(there.label, table["label"])
        pairs = None
        if "frame" in table:
            pairs = frozenset(zip(table["frame"].tolist(), table["label"].tolist(), strict=True))
            objects = zip(there.frame.tolist(), there.label.tolist(), strict=True)
            has_row = np.array([each in pairs for each in objects], bool)
        label_ids = np.unique(there.label[has_row]).astype(np.int64)
        return cls(label_ids, pairs, int((~has_row).sum()))

    def kept(self, samples: Samples) -> Samples:
        """The samples without those of other frames, and with a note of what has no row."""
        if self.pairs is not None:
            who = samples.identities
            objects = zip(who.frame.tolist(), who.label.tolist(), strict=True)
            samples = samples.subset(np.array([each in self.pairs for each in objects], bool))
        if not self.n_others:
            return samples
        note = LeftOut(counted(self.n_others, "object"), "no row in the table")
        return replace(samples, left_out=(*samples.left_out, note))
