"""Samples as the parts that a session stores, and samples again.

Tables, features and identities are stored; so are pictures that came as an array, since no file
holds these. Pictures cut out of images are cut again when the session is opened, unless it was
asked to hold them.
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
from embedscope.explorer.session._session_pictures import attach_pictures, cut_pictures
from embedscope.samples import ChannelScale, Identities, LeftOut, Recipe, Samples, Source
from embedscope.samples.common import kind_of
from embedscope.samples.identity import source_from_dict, source_to_dict

Arrays = Mapping[str, npt.NDArray[Any]]

_OPTIONAL = ("table", "bounding_boxes", "centroids")
_ROLES = ("image", "labels")


class Absence(NamedTuple):
    """An image that a session refers to and that is not there, or has changed.

    Attributes
    ----------
    source : str
        The source it belongs to.
    role : {"image", "labels"}
        What it is there.
    reason : str
        Why it was left out, a phrase.
    reference : ImageReference
        Where it lay and how to tell it, to be stored again.
    """

    source: str
    role: str
    reason: str
    reference: ImageReference


@dataclass(frozen=True)
class StoredSamples:
    """Samples taken apart: JSON values and plain arrays."""

    described: dict[str, Any]
    arrays: dict[str, npt.NDArray[Any]]


def store_samples(
    samples: Samples, session: Path, absences: Sequence[Absence], *, include_images: bool
) -> StoredSamples:
    """Take samples apart.

    Parameters
    ----------
    samples : Samples
    session : Path
        Directory of the session, which images' paths become relative to.
    absences : sequence of Absence
        Images that were not there when the samples were read from a session.
    include_images : bool
        Whether pictures that were cut out of images are stored too.
    """
    identities = samples.identities
    columns, arrays = columns_to_arrays(samples.features)
    arrays |= {
        "identity_source": identities.source.astype(np.int64),
        "identity_frame": identities.frame,
        "identity_label": identities.label,
    }
    arrays |= {name: value for name in _OPTIONAL if (value := getattr(samples, name)) is not None}
    if samples.scale is not None:
        arrays |= {"scale_low": samples.scale.low, "scale_high": samples.scale.high}
    if samples.images is not None and (include_images or not kind_of(samples).is_cut):
        arrays["pictures"] = samples.images
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
        "pictures": None
        if samples.images is None
        else {"shape": list(samples.sample_shape), "dtype": samples.images.dtype.str},
    }
    return StoredSamples(described, arrays)


def restore_samples(
    described: Mapping[str, Any], arrays: Arrays, session: Path | None
) -> tuple[Samples, tuple[Absence, ...]]:
    """Put samples together again, and open the images that they came from.

    Parameters
    ----------
    described, arrays
        From `store_samples`; further arrays may stand among them.
    session : Path or None
        Directory of the session; without it no image is looked for.

    Returns
    -------
    samples : Samples
        Those of images that are not there have no pictures, which ``samples.absent`` says.
    absences : tuple of Absence
        What was not there, and why.

    Raises
    ------
    InvalidInputError, InvalidModelError, KeyError, TypeError, ValueError
        If the parts do not fit together.
    """
    names = ("source", "frame", "label")
    columns = [arrays[f"identity_{name}"] for name in names]
    identities = Identities(described["identity_sources"], *columns)
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
    """Give the samples of one source their pictures back, out of the images that were absent.

    Parameters
    ----------
    samples, absences
        From `restore_samples`.
    source : str
        Name of the source.
    image, labels : array or pyramid
        As when the samples were made.

    Returns
    -------
    samples, absences
        The same without what is no longer absent.

    Raises
    ------
    InvalidInputError
        If there is no such source, the image does not hold all of its samples, or it is another
        than the session was saved with.
    """
    for absence in absences:
        given = image if absence.role == "image" else labels
        if absence.source == source and given is not None:
            absence.reference.check(given, absence.role)
    attached = attach_pictures(samples, source, image, labels)
    return attached, tuple(each for each in absences if each.source != source)


def trained_part(samples: Samples, in_training: npt.NDArray[np.bool_]) -> Samples:
    """The samples that a map was trained on; themselves, not a copy, if it is all of them."""
    return samples if in_training.all() else samples.subset(np.flatnonzero(in_training))


def _describe(
    source: Source, held: Mapping[tuple[str, str], ImageReference], session: Path
) -> dict[str, Any]:
    """A source for JSON, its images by reference."""
    references = {}
    for role in _ROLES:
        image = getattr(source, role)
        reference = held.get((source.name, role))
        if image is not None:
            reference = ImageReference.of(image, getattr(source, f"{role}_path"))
        references[role] = None if reference is None else reference.relative_to(session).to_dict()
    return {**source_to_dict(source), **references}


def _open_source(entry: Mapping[str, Any], session: Path | None) -> tuple[Source, list[Absence]]:
    """A source with the images that are there, and those that are not."""
    images: dict[str, Any] = {}
    absences = []
    for role in _ROLES:
        if entry[role] is None:
            continue
        reference = ImageReference.from_dict(entry[role])
        if session is None:
            images[role], reason = None, "it was not looked for"
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


def _pictures(
    described: Mapping[str, Any] | None, arrays: Arrays, n_samples: int
) -> npt.NDArray[Any] | None:
    """The stored pictures, or room for them."""
    if described is None or "pictures" in arrays:
        return arrays.get("pictures")
    dtype = np.dtype(described["dtype"])
    if dtype.kind not in "uif":
        raise ValueError(f"pictures of dtype {dtype}")
    return np.zeros((n_samples, *map(int, described["shape"])), dtype)


def _cut_again(samples: Samples, absences: Sequence[Absence]) -> Samples:
    """Fill in the pictures of all sources whose images are there."""
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
