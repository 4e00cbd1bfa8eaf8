"""A user's function that computes features of samples, called batch by batch and checked."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from embedscope._errors import InvalidInputError
from embedscope.samples.common._checks import finite_rows

if TYPE_CHECKING:
    from embedscope.samples.common._samples import Samples

Extractor = Callable[[npt.NDArray[np.float32]], Any]
"""Takes samples, shape (k, *sample_shape), float32; returns features, shape (k, n_features)."""
Report = Callable[[float], None]

BATCH = 64
"""Samples in one call of the function, at most."""
_CHECKED = 4  # samples for which the features of a function are compared with the kept ones
_TOLERANCE = 1e-3  # between machines and batch sizes, as a share of the largest feature


def name_of(extractor: Extractor) -> str:
    """The name of a function, a network or another object that can be called."""
    for attribute in ("name", "__name__"):
        name = getattr(extractor, attribute, None)
        if isinstance(name, str) and name:
            return name
    inner = getattr(extractor, "func", None)  # of functools.partial
    return type(extractor).__name__ if inner is None else name_of(inner)


class Extraction:
    """The features of samples, computed batch by batch; it goes on where it was stopped.

    Parameters
    ----------
    extractor : callable
    """

    def __init__(self, extractor: Extractor) -> None:
        self._extractor = extractor
        self._batches: list[npt.NDArray[np.float32]] = []

    def run(self, samples: Samples, report: Report) -> npt.NDArray[np.float32]:
        """Compute the features of all samples.

        Parameters
        ----------
        samples : Samples
        report : callable
            Called with the share that is done, 0..1, after each batch; may raise to stop.

        Returns
        -------
        ndarray of shape (n_samples, n_features), float32
            As the function returns them: rows may hold NaN or infinite values.

        Raises
        ------
        InvalidInputError
            If the function fails, or what it returns does not fit.
        """
        n_samples = len(samples)
        for start in range(len(self._batches) * BATCH, n_samples, BATCH):
            report(start / n_samples)
            batch = extract(self._extractor, samples.inputs(slice(start, start + BATCH)))
            if self._batches and batch.shape[1] != self._batches[0].shape[1]:
                raise InvalidInputError(
                    f"{name_of(self._extractor)} must return the same number of features for each "
                    f"sample; got {self._batches[0].shape[1]} and {batch.shape[1]}. Correct the "
                    "function."
                )
            self._batches.append(batch)
        return np.concatenate(self._batches)


def extract(extractor: Extractor, batch: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """The features of one batch, checked.

    Raises
    ------
    InvalidInputError
        If the function fails, or does not return a row of numbers for each sample.
    """
    name = name_of(extractor)
    try:
        made = np.asarray(extractor(batch))
    except Exception as error:  # of any type: the function is the user's
        raise InvalidInputError(
            f"{name} must take samples of shape {batch.shape}, float32; got "
            f"{type(error).__name__}: {error} Correct the function, which you can try on "
            "samples.inputs([0])."
        ) from error
    if made.ndim != 2 or len(made) != len(batch) or not made.size or made.dtype.kind not in "fiu":
        raise InvalidInputError(
            f"{name} must return numbers of shape ({len(batch)}, n_features), a row for each "
            f"sample; got {made.dtype} of shape {made.shape}. Return for example "
            "features.reshape(len(batch), -1)."
        )
    with np.errstate(over="ignore"):
        return made.astype(np.float32)


def check_same(
    extractor: Extractor, samples: Samples, features: npt.NDArray[Any], name: str
) -> None:
    """Raise unless a function computes the features that are kept of some samples.

    Parameters
    ----------
    extractor : callable
    samples : Samples
    features : ndarray of shape (n_samples, n_features)
        Those that are kept.
    name : str
        Of the function that computed them.

    Raises
    ------
    InvalidInputError
        If its features differ, or no sample has a picture and finite features to compare them by.
    """
    present = np.flatnonzero(samples.is_present & finite_rows(features))
    if not len(present):
        raise InvalidInputError(
            f"samples must have pictures to check that {name_of(extractor)} computes what {name} "
            "did; got none. Attach the images first."
        )
    rows = present[np.linspace(0, len(present) - 1, min(_CHECKED, len(present))).astype(int)]
    made, kept = extract(extractor, samples.inputs(rows)), features[rows].astype(np.float32)
    if made.shape[1] != kept.shape[1]:
        difference = f"{made.shape[1]} features of a sample instead of {kept.shape[1]}"
    elif not np.allclose(made, kept, rtol=0.0, atol=_TOLERANCE * np.abs(kept).max()):
        difference = f"features that differ by up to {np.abs(made - kept).max():.3g}"
    else:
        return
    raise InvalidInputError(
        f"extractor must be the function that the map learned from, {name!r}; got "
        f"{name_of(extractor)!r}, which gives {difference}. Give that one, with the same weights, "
        "or train again."
    )
