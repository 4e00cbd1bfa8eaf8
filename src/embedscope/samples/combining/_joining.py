"""Join samples of several sources, scaled as one set, and extract those of one source."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from embedscope._errors import InvalidInputError
from embedscope.samples.common._groups import GroupScales
from embedscope.samples.common._kind import kind_of
from embedscope.samples.common._learned import join_learned, what_is_learned
from embedscope.samples.common._samples import Samples
from embedscope.samples.identity._identity import Identities
from embedscope.samples.identity._labels import joined_labels


def join_samples(parts: Sequence[Samples]) -> Samples:
    """Join samples of different sources into one set.

    Parameters
    ----------
    parts : sequence of Samples
        Made in the same way, of sources with different names. Axes may differ if the shape of the
        samples does not (single images and a time series).

    Returns
    -------
    Samples
        All rows, part by part. If all parts share the scale of intensities (or the standardisation
        of a table), as parts made with `Samples.same_way` do, it stays; else it is measured again,
        over the whole set. Features that a part does not have are NaN. If labels of some parts are
        text, whole numbers become text too.

    Raises
    ------
    InvalidInputError
        If there is no part, sources share a name, or shapes, channels, columns or the way samples
        were made differ.
    """
    parts = list(parts)
    _check_parts(parts)
    if len(parts) == 1:
        return parts[0]
    joined = replace(
        parts[0],
        identities=_join_identities(parts),
        sources={name: source for part in parts for name, source in part.sources.items()},
        images=_concatenated(parts, "images"),
        table=_concatenated(parts, "table"),
        features=_join_features(parts),
        bounding_boxes=_concatenated(parts, "bounding_boxes"),
        centroids=_concatenated(parts, "centroids"),
        left_out=(
            *(entry for part in parts for entry in part.left_out),
            *kind_of(parts[0]).notes_of_joined(parts),
        ),
        absent={name: reason for part in parts for name, reason in part.absent.items()},
        groups=None,
        learned=None,
    )
    held = [part.groups for part in parts if part.groups is not None]
    is_one_scale = share_scale(parts)
    learned = join_learned(parts, are_pictures_scaled_again=not is_one_scale)
    if is_one_scale:
        return replace(joined, groups=_joined_groups(held) if held else None, learned=learned)
    measured = kind_of(joined).measure_scale_again(joined)
    if held:
        measured = measured.scaled_within(held[0].column)
    return replace(measured, learned=learned)


def _joined_groups(held: list[GroupScales]) -> GroupScales:
    """The scales of all groups; that of the first part where two have the same one."""
    scales = {name: scale for each in held[::-1] for name, scale in each.scales.items()}
    return GroupScales(held[0].column, scales)


def of_source(samples: Samples, name: str) -> Samples:
    """Samples of only one source, with the scale of all.

    Parameters
    ----------
    samples : Samples
    name : str
        A source that has samples.
    """
    identities = samples.identities
    chosen = identities.source == identities.sources.index(name)
    alone = Identities.of(name, identities.label[chosen], identities.frame[chosen])
    return replace(
        samples.subset(chosen),
        identities=alone,
        sources={name: samples.sources[name]} if name in samples.sources else {},
        absent={name: samples.absent[name]} if name in samples.absent else {},
    )


def _check_parts(parts: list[Samples]) -> None:
    if not parts:
        raise InvalidInputError("parts must hold at least one set of samples; got none. Add one.")
    names = [name for part in parts for name in part.identities.sources]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise InvalidInputError(
            f"sources must have different names; got {repeated} more than once. Make the samples "
            "with another source=... name."
        )
    check_alike(parts)


def check_alike(parts: Sequence[Samples]) -> None:
    """Raise unless all samples were made in the same way; their sources may differ.

    Raises
    ------
    InvalidInputError
        If shapes, channels, columns or the way samples were made differ.
    """
    for question, answers in (
        ("shape", [part.sample_shape for part in parts]),
        ("channels", [part.channel_names for part in parts]),
        ("columns", [part.feature_names for part in parts]),
        ("spatial axes", [_n_spatial_axes(part) for part in parts]),
        ("groups of intensities", [_groups_of(part) for part in parts]),
        ("values to learn from", [what_is_learned(part) for part in parts]),
        ("settings", [kind_of(part).comparable() for part in parts]),
    ):
        others = [answer for answer in answers if answer != answers[0]]
        if others:
            raise InvalidInputError(
                f"parts must have the same {question}; got {answers[0]} and {others[0]}. Make the "
                "later ones with same_way of the first."
            )


def _groups_of(part: Samples) -> str:
    return "all samples" if part.groups is None else repr(part.groups.column)


def _n_spatial_axes(part: Samples) -> int:
    return 0 if part.centroids is None else part.centroids.shape[1]


def _join_identities(parts: list[Samples]) -> Identities:
    names = [name for part in parts for name in part.identities.sources]
    first = np.cumsum([0, *(len(part.identities.sources) for part in parts)])[:-1]
    return Identities(
        names,
        np.concatenate([p.identities.source + k for p, k in zip(parts, first, strict=True)]),
        np.concatenate([part.identities.frame for part in parts]),
        joined_labels([part.identities.label for part in parts]),
    )


def _concatenated(parts: list[Samples], name: str) -> npt.NDArray[Any] | None:
    arrays = [getattr(part, name) for part in parts]
    return None if arrays[0] is None else np.concatenate(arrays)


def _join_features(parts: list[Samples]) -> Any:
    import pandas as pd

    return pd.concat([part.features for part in parts], ignore_index=True)


def share_scale(parts: Sequence[Samples]) -> bool:
    """Whether all were scaled to 0..1, or standardised, by the same numbers."""
    return len({kind_of(part).scale_values(part) for part in parts}) == 1
