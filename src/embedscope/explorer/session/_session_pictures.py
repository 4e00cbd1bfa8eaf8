"""Pictures of samples, cut again from their images."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from embedscope._errors import InvalidInputError
from embedscope.samples import Samples
from embedscope.samples.common import kind_of


def attach_pictures(samples: Samples, name: str, image: Any, labels: Any = None) -> Samples:
    """Return samples with the pictures of one source, which were absent.

    Parameters
    ----------
    samples : Samples
        The samples of this source have no pictures: see ``samples.absent``.
    name : str
        The source.
    image, labels : array or pyramid
        The image, and for labelled objects its labels, with which the samples were made.

    Returns
    -------
    Samples
        The same samples, their source with its image and labels.

    Raises
    ------
    InvalidInputError
        If there is no such source, or the image does not hold all of its samples.
    """
    if name not in samples.sources:
        raise InvalidInputError(
            f"name must be one of the sources {list(samples.sources)}; got {name!r}. Choose one."
        )
    rows, pictures = cut_pictures(samples, name, image, labels)
    images = np.array(samples.images)
    images[rows] = pictures
    source = replace(samples.sources[name], image=image, labels=labels)
    return replace(
        samples,
        images=images,
        sources={**samples.sources, name: source},
        absent={other: reason for other, reason in samples.absent.items() if other != name},
    )


def cut_pictures(
    samples: Samples, name: str, image: Any, labels: Any = None
) -> tuple[npt.NDArray[np.int64], npt.NDArray[Any]]:
    """Cut the pictures of the samples of one source from its image, as before.

    Parameters
    ----------
    samples, name, image, labels
        As in `attach_pictures`.

    Returns
    -------
    rows : ndarray of shape (k,), int64
        Rows of the samples of the source.
    pictures : ndarray of shape (k, [z,] h, w, n_channels)
        Raw pixels.

    Raises
    ------
    InvalidInputError
        If the image does not hold all samples of the source.
    """
    identities = samples.identities
    cut = kind_of(samples).cut_again(samples, name, image, labels)
    rows = np.flatnonzero(identities.source == identities.sources.index(name))
    found = cut.identities.rows(name, identities.label[rows], identities.frame[rows])
    if (found < 0).any():
        raise InvalidInputError(
            f"labels must hold all of the {len(rows)} samples of {name!r}; got none for "
            f"{int((found < 0).sum())} of them. Attach the labels that the samples were made from."
        )
    assert cut.images is not None  # a kind that is cut has pictures
    return rows, cut.images[found]
