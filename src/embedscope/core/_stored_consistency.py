"""Check that the arrays, networks and header values of a saved model belong to one map."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from embedscope.core._estimator import ParametricUMAP
    from embedscope.core._landmarks import Landmarks


def check_parts(estimator: ParametricUMAP) -> None:
    """Raise unless all restored parts fit together.

    Raises
    ------
    ValueError
        Names the parts that do not fit together.
    """
    embedding = estimator.embedding_
    _require(embedding.ndim == 2 and embedding.dtype.kind == "f", "an embedding", embedding)
    n_samples, n_components = embedding.shape
    n_features = estimator.n_features_in_
    # With `unique`, the graph holds only the distinct samples.
    n_nodes = estimator.graph_.shape[0]
    if not 0 < n_nodes <= n_samples:
        raise ValueError(f"an embedding of {n_samples} samples and a graph of {n_nodes}")
    held_out = estimator.validation_rows_
    _require(
        held_out.ndim == 1
        and held_out.dtype.kind in "iu"
        and bool(((held_out >= 0) & (held_out < n_samples)).all()),
        f"samples held out of {n_samples}",
        held_out,
    )
    for shape in (estimator._sample_shape, estimator._given_shape):
        if math.prod(shape) != n_features or n_features < 1:
            raise ValueError(f"samples of {n_features} values and of shape {shape}")
    names = getattr(estimator, "feature_names_in_", None)
    if names is not None:
        _require(names.shape == (n_features,), f"names of {n_features} features", names)
    for landmarks in (estimator._anchors, estimator._landmarks):
        if landmarks is not None:
            _check_landmarks(landmarks, n_components, n_features)
    reconstruction = estimator._fitted.reconstruction
    if reconstruction is not None:
        n_values = math.prod(estimator._output_shape)
        for scaling in (reconstruction.offset, reconstruction.scale):
            _require(scaling.size == n_values, f"a scaling of {n_values} values", scaling)
    _check_ends(estimator.encoder_, n_features, n_components)


def _check_landmarks(landmarks: Landmarks, n_components: int, n_features: int) -> None:
    positions, rows = landmarks.positions, landmarks.rows.whole()
    _require(
        positions.shape == (rows.shape[0], n_components) and positions.dtype.kind == "f",
        f"positions of {rows.shape[0]} landmarks in {n_components} dimensions",
        positions,
    )
    _require(
        rows.ndim == 2 and rows.shape[1] == n_features and rows.dtype.kind == "f",
        f"landmarks of {n_features} values",
        rows,
    )


def _check_ends(encoder: Any, n_features: int, n_components: int) -> None:
    """Check the encoder's input and output shapes; a user's network may leave sizes open."""
    read, gives = encoder.input_shape[1:], encoder.output_shape[1:]
    is_table = read == (1,)  # without `parametric_embedding` the input is a row number
    if not is_table and None not in read and math.prod(read) != n_features:
        raise ValueError(f"samples of {n_features} values and an encoder of {read}")
    if None not in gives and gives != (n_components,):
        raise ValueError(f"positions in {n_components} dimensions and an encoder to {gives}")


def _require(holds: bool, what: str, found: np.ndarray) -> None:
    if not holds:
        raise ValueError(f"not {what}, but {found.dtype} of shape {found.shape}")
