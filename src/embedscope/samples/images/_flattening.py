"""Volumes to pictures: the maximum or the mean along their depth, or their middle plane."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from embedscope.samples.images._crop_recipe import Volume

Array = npt.NDArray[Any]


def flatten(volumes: Array, how: Volume) -> Array:
    """Pictures of volumes.

    Parameters
    ----------
    volumes : ndarray of shape (n, depth, height, width, n_channels)
    how : {"project", "mean", "middle"}

    Returns
    -------
    ndarray of shape (n, height, width, n_channels)
        In the dtype of the volumes; float32 for means.
    """
    if how == "middle":
        return volumes[:, volumes.shape[1] // 2]
    if how == "mean":
        return np.asarray(volumes.mean(axis=1, dtype=np.float64), np.float32)
    return np.asarray(volumes.max(axis=1))


def flatten_own(volumes: Array, own: npt.NDArray[np.bool_], fill: Array, how: Volume) -> Array:
    """Pictures of the objects alone.

    Parameters
    ----------
    volumes : ndarray of shape (n, depth, height, width, n_channels)
    own : ndarray of shape (n, depth, height, width), bool
        The pixels of each object.
    fill : ndarray of shape (n_channels,)
        The value where an object has no pixel.
    how : {"project", "mean", "middle"}

    Returns
    -------
    ndarray of shape (n, height, width, n_channels)
    """
    mask = own[..., np.newaxis]
    if how == "middle":
        return flatten(np.where(mask, volumes, fill), how)
    covered = mask.any(axis=1)
    if how == "mean":
        total = np.where(mask, volumes, 0).sum(axis=1, dtype=np.float64)
        mean = total / np.maximum(mask.sum(axis=1), 1)
        return np.where(covered, mean, fill).astype(np.float32)
    info = np.iinfo if volumes.dtype.kind in "ui" else np.finfo
    darkest = volumes.dtype.type(info(volumes.dtype).min)
    return np.where(covered, flatten(np.where(mask, volumes, darkest), how), fill)
