"""Samples as the parts that a session stores, and samples from these parts.

Tables, features and identities are stored, and pictures of an array, since no image holds these.
Pictures that were cut from images are cut again when the session is opened, unless the session
includes them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from embedscope._errors import InvalidInputError
from embedscope.explorer.session._session_columns import columns_from_arrays, columns_to_arrays
from embedscope.explorer.session._session_images import ImageReference, open_image
from embedscope.explorer.session._session_labels import label_arrays, labels_in
from embedscope.explorer.session._session_learned import learned_in, store_learned
from embedscope.explorer.session._session_pictures import attach_pictures, cut_pictures
from embedscope.samples import (
    ChannelScale,
    GroupScales,
    Identities,
    LeftOut,
    Recipe,
    Samples,
    Source,
)
from embedscope.samples.common import kind_of
from embedscope.samples.identity import source_from_dict, source_to_dict

Arrays = Mapping[str, npt.NDArray[Any]]

_OPTIONAL = ("table", "bounding_boxes", "centroids")
_ROLES = ("image", "labels")


class Absence(NamedTuple):
    """An image of a session that is missing or has changed.

    Attributes
    ----------
    source : str
        Name of its source.
    role : {"image", "labels"}
        Its role in the source.
    reason : str
        Why it is absent, a phrase.
    reference : ImageReference
        The reference, to be stored again.
    """

    source: str
    role: str
    reason: str
    reference: ImageReference


@dataclass(frozen=True)
class StoredSamples:
    """The parts of samples: JSON values and plain arrays."""

    described: dict[str, Any]
    arrays: dict[str, npt.NDArray[Any]]


def store_samples(
    samples: Samples, session: Path, absences: Sequence[Absence], *, include_images: bool
) -> StoredSamples:
    """Convert samples to parts for a session.

    Parameters
    ----------
    samples : Samples
    session : Path
        Folder of the session, to which paths of images become relative.
    absences : sequence of Absence
        Images that were absent when the samples were read from a session.
    include_images : bool
        Whether pictures that were cut from images are stored too.
    """
    identities = samples.identities
    columns, arrays = columns_to_arrays(samples.features)
    arrays |= {
        "identity_source": identities.source.astype(np.int64),
        "identity_frame": identities.frame,
        **label_arrays("identity_label", identities.label),
    }
    arrays |= {name: value for name in _OPTIONAL if (value := getattr(samples, name)) is not None}
    if samples.scale is not None:
        arrays |= {"scale_low": samples.scale.low, "scale_high": samples.scale.high}
    if samples.groups is not None:
        scales = samples.groups.scales.values()
        arrays |= {
            "group_low": np.stack([scale.low for scale in scales]),
            "group_high": np.stack([scale.high for scale in scales]),
        }
    if samples.images is not None and (include_images or not kind_of(samples).is_cut):
        arrays["pictures"] = samples.images
    learned, learned_arrays = store_learned(samples)
    arrays |= learned_arrays
    held = {(absence.source, absence.role): absence.reference for absence in absences}
    described = {
        "identity_sources": list(identities.sources),
        "sources": [_describe(source, held, session) for source in samples.sources.values()],
        "recipe": samples.recipe.to_dict(),
        "feature_names": list(samples.feature_names),
        "channel_names": list(samples.channel_names),
        "left_out": [list(entry) for entry in samples.left_out],
        "features": columns,
        "absent": dict(samples.absent),
        "learned": learned,
        "groups": None
        if samples.groups is None
        else {"column": samples.groups.column, "names": list(samples.groups.scales)},
        "pictures": None
        if samples.images is None
        else {"shape": list(samples.sample_shape), "dtype": samples.images.dtype.str},
    }
    return StoredSamples(described, arrays)


def restore_samples(
    described: Mapping[str, Any], arrays: Arrays, session: Path | None
) -> tuple[Samples, tuple[Absence, ...]]:
    """Make samples of stored parts, and open their images.

    Parameters
    ----------
    described, arrays
        From `store_samples`; there may be other arrays.
    session : Path or None
        Folder of the session; if None, no image is opened.

    Returns
    -------
    samples : Samples
        Samples of absent images have no pictures; see ``samples.absent``.
    absences : tuple of Absence
        Absent images, with reasons.

    Raises
    ------
    InvalidInputError, InvalidModelError, KeyError, TypeError, ValueError
        If the parts do not fit together.
    """
    identities = Identities(
        described["identity_sources"],
        arrays["identity_source"],
        arrays["identity_frame"],
        labels_in("identity_label", arrays),
    )
    opened = [_open_source(entry, session) for entry in described["sources"]]
    absences = tuple(absence for _, found in opened for absence in found)
    samples = Samples(
        identities=identities,
        sources={source.name: source for source, _ in opened},
        recipe=Recipe.from_dict(described["recipe"]),
        images=_pictures(described["pictures"], arrays, len(identities)),
        scale=_scale(arrays, len(described["channel_names"])) if "scale_low" in arrays else None,
        feature_names=tuple(described["feature_names"]),
        features=columns_from_arrays(described["features"], arrays, len(identities)),
        channel_names=tuple(described["channel_names"]),
        left_out=tuple(LeftOut(*entry) for entry in described["left_out"]),
        table=arrays.get("table"),
        bounding_boxes=arrays.get("bounding_boxes"),
        centroids=arrays.get("centroids"),
        groups=_groups(described.get("groups"), arrays, len(described["channel_names"])),
        learned=learned_in(described.get("learned"), arrays),
    )
    if described["pictures"] is None:
        return samples, absences
    if "pictures" in arrays:
        return replace(samples, absent=described["absent"]), absences
    return _cut_again(samples, absences), absences


def take_back(
    samples: Samples,
    absences: Sequence[Absence],
    source: str,
    image: Any,
    labels: Any = None,
) -> tuple[Samples, tuple[Absence, ...]]:
    """Return samples with the pictures of one source, whose images were absent.

    Parameters
    ----------
    samples, absences
        From `restore_samples`.
    source : str
        Name of the source.
    image, labels : array or pyramid
        Those with which the samples were made.

    Returns
    -------
    samples, absences
        Both without absences of this source.

    Raises
    ------
    InvalidInputError
        If there is no such source, the image does not hold all of its samples, or it is not the
        one that the session was saved with.
    """
    for absence in absences:
        given = image if absence.role == "image" else labels
        if absence.source == source and given is not None:
            absence.reference.check(given, absence.role)
    attached = attach_pictures(samples, source, image, labels)
    return attached, tuple(each for each in absences if each.source != source)


def trained_part(samples: Samples, in_training: npt.NDArray[np.bool_]) -> Samples:
    """The samples that a map was trained on; not a copy if these are all samples."""
    return samples if in_training.all() else samples.subset(np.flatnonzero(in_training))


def _describe(
    source: Source, held: Mapping[tuple[str, str], ImageReference], session: Path
) -> dict[str, Any]:
    """A source for JSON, with references to its images."""
    references = {}
    for role in _ROLES:
        image = getattr(source, role)
        reference = held.get((source.name, role))
        if image is not None:
            reference = ImageReference.of(image, getattr(source, f"{role}_path"))
        references[role] = None if reference is None else reference.relative_to(session).to_dict()
    return {**source_to_dict(source), **references}


def _open_source(entry: Mapping[str, Any], session: Path | None) -> tuple[Source, list[Absence]]:
    """A source with the images that could be opened, and the absent ones."""
    images: dict[str, Any] = {}
    absences = []
    for role in _ROLES:
        if entry[role] is None:
            continue
        reference = ImageReference.from_dict(entry[role])
        if session is None:
            images[role], reason = None, "it was not opened"
        else:
            reference = reference.absolute_from(session)
            images[role], reason = open_image(reference)
        images[f"{role}_path"] = reference.path
        if reason:
            absences.append(Absence(entry["name"], role, reason, reference))
    return source_from_dict(entry, **images), absences


def _scale(arrays: Arrays, n_channels: int) -> ChannelScale:
    scale = ChannelScale(arrays["scale_low"], arrays["scale_high"])
    if not scale.low.shape == scale.high.shape == (n_channels,):
        raise ValueError(f"a scale of shape {scale.low.shape} for {n_channels} channels")
    return scale


def _groups(
    described: Mapping[str, Any] | None, arrays: Arrays, n_channels: int
) -> GroupScales | None:
    """The scales of groups; None in sessions without, and in those of earlier versions."""
    if described is None:
        return None
    low, high, names = arrays["group_low"], arrays["group_high"], described["names"]
    if not low.shape == high.shape == (len(names), n_channels):
        raise ValueError(f"scales of shape {low.shape} for {len(names)} groups")
    pairs = zip(low, high, strict=True)
    scales = {str(name): ChannelScale(*pair) for name, pair in zip(names, pairs, strict=True)}
    return GroupScales(str(described["column"]), scales)


def _pictures(
    described: Mapping[str, Any] | None, arrays: Arrays, n_samples: int
) -> npt.NDArray[Any] | None:
    """The stored pictures, or zeros where they are cut again."""
    if described is None or "pictures" in arrays:
        return arrays.get("pictures")
    dtype = np.dtype(described["dtype"])
    if dtype.kind not in "uif":
        raise ValueError(f"pictures of dtype {dtype}")
    return np.zeros((n_samples, *map(int, described["shape"])), dtype)


def _cut_again(samples: Samples, absences: Sequence[Absence]) -> Samples:
    """Fill in the pictures of all sources whose images are open."""
    assert samples.images is not None
    absent: dict[str, str] = {}
    for absence in absences:
        absent.setdefault(absence.source, f"its {absence.role}: {absence.reason}")
    for name, source in samples.sources.items():
        if name in absent:
            continue
        try:
            rows, pictures = cut_pictures(samples, name, source.image, source.labels)
            samples.images[rows] = pictures
        except InvalidInputError as error:
            absent[name] = str(error)
    return replace(samples, absent=absent)
