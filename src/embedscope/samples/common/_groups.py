"""Intensities scaled within groups of samples, such as the plates of a screen.

Staining and lamps differ between plates; scaled over all of them, a map shows first of all which
plate a cell is from.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from embedscope._errors import InvalidInputError
from embedscope.samples.common._kind import kind_of
from embedscope.samples.common._scaling import ChannelScale

if TYPE_CHECKING:
    from embedscope.samples.common._samples import Samples, SamplesPart

_MOST_MEASURED = 8192
"""Samples of an image cut in parts on which the scale of a new group is measured."""


@dataclass(frozen=True, eq=False)
class GroupScales:
    """A scale for each group of samples.

    Attributes
    ----------
    column : str
        The feature that names the group of each sample, or "source".
    scales : mapping of str to ChannelScale
        By the name of the group.
    """

    column: str
    scales: Mapping[str, ChannelScale]

    def apply(
        self, images: npt.NDArray[Any], names: npt.NDArray[np.str_]
    ) -> npt.NDArray[np.float32]:
        """Scale images to 0..1, each by its group.

        Parameters
        ----------
        images : ndarray of shape (n, ..., n_channels)
        names : ndarray of shape (n,), str
            The group of each image.
        """
        scaled = np.empty(images.shape, np.float32)
        for name in np.unique(names):
            own = names == name
            scaled[own] = self.scales[str(name)].apply(images[own])
        return scaled


def groups_of(samples: Samples, column: str) -> npt.NDArray[np.str_]:
    """The group of each sample, as text.

    Raises
    ------
    InvalidInputError
        If there is no such column, or values are missing.
    """
    import pandas as pd

    values = pd.Series(samples.column(column))
    if values.isna().any():
        raise InvalidInputError(
            f"scale_within must be a column with a value for each sample; got {column!r}, where "
            f"{int(values.isna().sum())} are missing. Fill them in."
        )
    return values.astype(str).to_numpy(dtype=np.str_)


def measured_within(samples: Samples, column: str) -> GroupScales:
    """The scales of all groups, each measured on its own pictures.

    Raises
    ------
    InvalidInputError
        If the samples have no pictures, or there is no such column.
    """
    if samples.images is None or samples.absent:
        raise InvalidInputError(
            "samples must have their pictures to be scaled within groups; got "
            f"{'a table' if samples.images is None else 'absent images'}. Attach the images, or "
            "standardise a table before."
        )
    names = groups_of(samples, column)
    return GroupScales(
        column,
        {
            str(name): kind_of(samples).measure_scale(samples.images[names == name])
            for name in np.unique(names)
        },
    )


def group_of_new(samples: Samples, group: Any, source: str) -> Any:
    """The group of a later image.

    Raises
    ------
    InvalidInputError
        If it is not given and the samples are scaled within groups, or given and they are not.
    """
    column = None if samples.groups is None else samples.groups.column
    if column == "source":
        return source
    if (column is None) != (group is None):
        how = "over all of them" if column is None else f"within {column!r}"
        raise InvalidInputError(
            f"group must be given only for samples that are scaled within groups; got {group!r}, "
            f"and these are scaled {how}. "
            + ("Leave it out." if column is None else "Name the group of the image.")
        )
    return group


def with_group(samples: Samples, known: GroupScales, group: Any) -> Samples:
    """Later samples of one group, scaled by it; a new group is measured on them."""
    scale = known.scales.get(str(group))
    if scale is None:
        scale = _measured(samples)
    return _grouped(samples, known, group, scale)


def parts_with_group(
    parts: Iterator[Callable[[], SamplesPart]], known: GroupScales, group: Any, n_rows: int
) -> Iterator[Callable[[], SamplesPart]]:
    """Parts of later samples of one group; if it is new, all are cut once more to measure it."""
    jobs = list(parts)
    scale = known.scales.get(str(group))
    if scale is None:
        step = -(-len(jobs) * n_rows // _MOST_MEASURED)
        cut = (job().samples for job in jobs)
        some = [each.subset(np.arange(0, len(each), step)) for each in cut if each is not None]
        if some:
            images = np.concatenate([each.images for each in some if each.images is not None])
            scale = kind_of(some[0]).measure_scale(images)
    for job in jobs:
        yield partial(_part_with_group, job, known, group, scale)


def _part_with_group(
    job: Callable[[], SamplesPart], known: GroupScales, group: Any, scale: ChannelScale | None
) -> SamplesPart:
    part = job()
    if part.samples is None or scale is None:
        return part
    return part._replace(samples=_grouped(part.samples, known, group, scale))


def _grouped(samples: Samples, known: GroupScales, group: Any, scale: ChannelScale) -> Samples:
    if known.column != "source":
        samples = samples.with_features(**{known.column: [group] * len(samples)})
    scales = {**known.scales, str(group): scale}
    return replace(samples, groups=GroupScales(known.column, scales))


def _measured(samples: Samples) -> ChannelScale:
    assert samples.images is not None  # only pictures are scaled within groups
    return kind_of(samples).measure_scale(samples.images)
