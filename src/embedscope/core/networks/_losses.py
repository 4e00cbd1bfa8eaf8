"""The losses as TensorFlow functions: each takes tensors and returns one scalar.

UMAP's similarity of two points at distance d is ``q = 1 / (1 + a d^2b)``; with
``s = log(a d^2b)`` the attraction ``-log q`` is ``softplus(s)`` and the repulsion
``-log(1 - q)`` is ``softplus(-s)``, neither of which overflows.
"""

from __future__ import annotations

from typing import Any

from embedscope.core.layout._layout import Objective
from embedscope.core.networks._tensorflow import tf

# Added to squared distances (map units), so that coincident points have finite gradients.
_SQUARED_EPSILON = 1e-6


def squared_distances(first: Any, second: Any) -> Any:
    """Squared Euclidean distances of the rows of two tensors, never exactly zero."""
    return tf.reduce_sum(tf.square(first - second), axis=-1) + _SQUARED_EPSILON


def distances(first: Any, second: Any) -> Any:
    """Euclidean distances of the rows of two tensors, differentiable where they coincide."""
    return tf.sqrt(squared_distances(first, second))


def density_term(weights: Any, squared: Any, squared_before: Any) -> Any:
    """Weighted squared lengths of edges, with weights that were computed for an earlier map.

    The weights are a gradient at that map and wrong far from it: the map would grow without limit.
    Only the ratios of lengths matter, so a longer edge counts by the logarithm of its growth. A map
    that grows as a whole then gains nothing.

    Parameters
    ----------
    weights : tensor of shape (n_edges,)
    squared, squared_before : tensor of shape (n_edges,)
        Squared lengths, now and in the earlier map.

    Returns
    -------
    scalar tensor
    """
    growth = tf.maximum(squared / squared_before, 1.0)
    longer = squared_before * (1.0 + tf.math.log(growth))
    return tf.reduce_mean(weights * tf.where(squared < squared_before, squared, longer))


def cross_entropy(heads: Any, tails: Any, negatives: Any, objective: Objective) -> Any:
    """UMAP's cross entropy of sampled edges, per term.

    Parameters
    ----------
    heads, tails : tensor of shape (n_edges, n_components)
        Both ends of edges, sampled in proportion to their membership strength.
    negatives : tensor of shape (negative_sample_rate, n_edges, n_components)
        Points that are not neighbours of the heads.
    objective : Objective

    Returns
    -------
    scalar tensor
        The mean over attractive and repulsive terms; the latter are weighted by
        `repulsion_strength`.

    References
    ----------
    McInnes, Healy and Melville, arXiv:1802.03426; Sainburg, McInnes and Gentner, "Parametric UMAP
    embeddings for representation and semisupervised learning", Neural Computation 33 (2021),
    doi:10.1162/neco_a_01434.
    """

    def log_odds_against(squared: Any) -> Any:
        return tf.math.log(objective.a) + objective.b * tf.math.log(squared)

    attraction = tf.nn.softplus(log_odds_against(squared_distances(heads, tails)))
    repulsion = tf.nn.softplus(-log_odds_against(squared_distances(heads[None], negatives)))
    rate = float(objective.negative_sample_rate)
    total = tf.reduce_mean(attraction)
    if rate:
        total += rate * objective.repulsion_strength * tf.reduce_mean(repulsion)
    return total / (1.0 + rate)


def global_correlation(inputs: Any, positions: Any) -> Any:
    """Negative correlation of distances in the data and in the map, for random pairs of a batch.

    Each sample is paired with the next one of the shuffled batch. The result is in -1..1, and 0 if
    all distances are equal.
    """
    flat = tf.reshape(inputs, [tf.shape(inputs)[0], -1])
    # Scaled by the batch: data of small units would vanish beside the constant under the root.
    flat -= tf.reduce_mean(flat, axis=0)
    flat = tf.math.divide_no_nan(flat, tf.reduce_max(tf.abs(flat)))
    in_data = distances(flat, tf.roll(flat, 1, axis=0))
    in_map = distances(positions, tf.roll(positions, 1, axis=0))

    def centred(values: Any) -> Any:
        return values - tf.reduce_mean(values)

    x, z = centred(in_data), centred(in_map)
    spread = tf.sqrt(tf.reduce_mean(x * x) * tf.reduce_mean(z * z) + _SQUARED_EPSILON**2)
    return -tf.reduce_mean(x * z) / spread


def landmark_distance(wanted: Any, positions: Any, loss_fn: Any | None) -> Any:
    """Mean loss of the samples that have a wanted position; rows of NaN have none.

    Parameters
    ----------
    wanted, positions : tensor of shape (n, n_components)
    loss_fn : callable or None
        ``loss_fn(wanted, positions)`` gives a value for each row; Euclidean distance by default.
    """
    is_landmark = tf.reduce_all(tf.math.is_finite(wanted), axis=1)
    # NaN is replaced before the loss: masking after it would give NaN times zero in the gradient.
    safe = tf.where(is_landmark[:, None], wanted, tf.stop_gradient(positions))
    each = distances(safe, positions) if loss_fn is None else loss_fn(safe, positions)
    weight = tf.cast(is_landmark, tf.float32)
    each = tf.reshape(tf.cast(each, tf.float32), [-1])
    return tf.reduce_sum(weight * each) / tf.maximum(tf.reduce_sum(weight), 1.0)
