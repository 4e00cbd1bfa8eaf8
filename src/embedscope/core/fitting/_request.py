"""The input and the result of a fit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy import sparse

from embedscope.core.arrays._rows import Rows
from embedscope.core.layout._layout import Objective
from embedscope.core.networks._reconstruction import Reconstruction


@dataclass(frozen=True)
class Request:
    """The input of a fit.

    Attributes
    ----------
    parameters : mapping
        The estimator's constructor parameters, checked.
    rows : Rows
        Samples, landmarks included.
    y : ndarray or None
    precomputed_distances : ndarray, sparse matrix or None
    landmarks : ndarray of shape (n_samples, n_components) or None
        NaN in rows without a landmark.
    earlier : FittedMap or None
        Continue from this map instead of new networks.
    validation : Rows or None
        Samples whose reconstruction loss is reported.
    seed : int
    n_own : int
        Number of the user's own samples, which come first; the others are appended landmarks.
    decoded : Rows or None
        What the decoder decodes of each sample, if not the sample itself.
    """

    parameters: Mapping[str, Any]
    rows: Rows
    y: np.ndarray | None
    precomputed_distances: Any
    landmarks: np.ndarray | None
    earlier: FittedMap | None
    validation: Rows | None
    seed: int
    n_own: int
    decoded: Rows | None = None

    @property
    def decoder_rows(self) -> Rows:
        """What the decoder learns to decode."""
        return self.rows if self.decoded is None else self.decoded


@dataclass(frozen=True)
class FittedMap:
    """The result of a fit.

    Attributes
    ----------
    encoder, decoder : keras.Model or None
    embedding : ndarray of shape (n_samples, n_components), float32
        Positions of the user's own samples, without appended landmarks.
    graph : csr_matrix of shape (n_samples, n_samples), float32
        Graph of the same samples, or of the distinct ones among them.
    history : dict of str to list of float
    objective : Objective
    reconstruction : Reconstruction or None
    style_encoder : keras.Model or None
        From samples to style codes.
    spread : keras.Model or None
        From positions to the variance of standardised unseen samples.
    held_out : ndarray of int
        The user's rows that the decoder was not trained on, ascending.
    """

    encoder: Any
    decoder: Any
    embedding: np.ndarray
    graph: sparse.csr_matrix
    history: dict[str, list[float]]
    objective: Objective
    reconstruction: Reconstruction | None
    style_encoder: Any = None
    spread: Any = None
    held_out: np.ndarray = field(default_factory=lambda: np.empty(0, np.int64))
