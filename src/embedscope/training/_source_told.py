"""How well the source of a sample is told by its neighbours on the map, against chance.

A map of cells from several images should show what the cells are. If the neighbours of a sample are
mostly of its own image, the map shows staining, exposure or focus instead.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from embedscope.samples import Samples

_NEIGHBORS = 15
_MOST_ASKED = 5_000  # samples whose neighbours are looked up; of more, an even choice
_DOMINATES = 0.5  # of the way from chance to certainty


@dataclass(frozen=True)
class SourceTold:
    """The share of neighbours on the map that are of the same source.

    Each source counts alike, whatever its number of samples.

    Attributes
    ----------
    share : float
        Of the 15 nearest neighbours of a sample, those of its own source, 0..1; the mean over the
        samples of a source, then over sources.
    chance : float
        The same if the samples were placed at random.
    n_sources : int
    are_pictures : bool
        Whether the samples are pictures, whose intensities may differ between sources.
    are_scaled_within : bool
        Whether intensities are scaled within each source already.
    is_alike_learned : bool
        Whether what is alike was learned.
    """

    share: float
    chance: float
    n_sources: int
    are_pictures: bool = True
    are_scaled_within: bool = False
    is_alike_learned: bool = False

    @classmethod
    def of_map(
        cls, samples: Samples, positions: npt.NDArray[np.float32], alike: str = "pixels"
    ) -> SourceTold | None:
        """Measure a map.

        Parameters
        ----------
        samples : Samples
        positions : ndarray of shape (n_samples, 2)
        alike : str
            What counted as alike in the training.

        Returns
        -------
        SourceTold or None
            None if the samples are of one source, or too few, or have no positions.
        """
        source = samples.identities.source
        kinds, own = np.unique(source, return_inverse=True)
        n_neighbors = min(_NEIGHBORS, len(source) - 1)
        if len(kinds) < 2 or n_neighbors < 1 or not np.isfinite(positions).all():
            return None
        asked = np.linspace(0, len(source) - 1, min(len(source), _MOST_ASKED)).astype(np.int64)
        asked = np.unique(asked)
        _, found = cKDTree(positions).query(positions[asked], n_neighbors + 1)
        is_other = found != asked[:, None]
        # Of several samples at one place, the sample itself need not be the first found.
        is_other[is_other.all(axis=1), -1] = False
        same = (own[found] == own[asked][:, None]) & is_other
        share = same.sum(axis=1) / n_neighbors
        counts = np.bincount(own)
        present = np.unique(own[asked])
        return cls(
            share=float(np.mean([share[own[asked] == kind].mean() for kind in present])),
            chance=float(np.mean((counts[present] - 1) / (len(source) - 1))),
            n_sources=len(kinds),
            are_pictures=samples.is_image and samples.learned is None,
            are_scaled_within=samples.groups is not None and samples.groups.column == "source",
            is_alike_learned=alike == "learned",
        )

    @property
    def dominates(self) -> bool:
        """Whether the source is told so well that the map shows it rather than the samples."""
        return self.share - self.chance > _DOMINATES * (1.0 - self.chance)

    @property
    def may_learn(self) -> bool:
        """Whether a map of what is learned to be alike may help."""
        return self.dominates and self.are_pictures and not self.is_alike_learned

    @property
    def finding(self) -> str:
        """What was measured, in words, and what it means if the source dominates."""
        said = (
            f"{round(100 * self.share)} % of the neighbours on the map are of the same source "
            f"({round(100 * self.chance)} % by chance)"
        )
        means = ": the map shows which source a sample is from" if self.dominates else ""
        return f"{said}{means}."

    @property
    def text(self) -> str:
        """The finding, with a remedy for scripts if the source dominates."""
        if not self.dominates:
            return self.finding
        if not self.are_pictures:
            return f"{self.finding} Standardise the columns within each source first."
        scaling = (
            'scale intensities within each source (samples.scaled_within("source"), or '
            "--scale-within image in the shell)"
        )
        remedies = [] if self.are_scaled_within else [scaling]
        if not self.is_alike_learned:
            remedies.append("set What is alike to learned")
        if not remedies:
            return f"{self.finding} The samples of the sources may truly differ."
        remedy = ", or ".join(remedies)
        return f"{self.finding} {remedy[0].upper()}{remedy[1:]}."
