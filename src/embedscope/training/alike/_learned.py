"""Learned: pictures are alike if a network, trained on views of each, gives similar features.

The network learns from the samples alone, without classes (`_contrast`). Its features give the
graph, and the encoder of the map begins with it, so unseen pictures are placed by their features
too. Features of shifted copies differ; noise of this kind teaches the encoder to place them alike.
The network reads pictures as they lie: upright Jurkat cells, blurred by the turn and without their
corners, told less (accuracy .59 instead of .64). The decoder draws upright ones.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from embedscope._errors import InvalidInputError
from embedscope.core.arrays import principal_axes
from embedscope.core.networks import (
    InvariantFeatures,
    TracedOnce,
    Upright,
    ViewNoise,
    as_flat_pictures,
    keras,
    tf,
)
from embedscope.samples import Samples
from embedscope.training._networks import dense_layers
from embedscope.training._parameters import TrainingParameters
from embedscope.training.alike._comparison import Comparison, Report, Show
from embedscope.training.alike._contrast import CONVOLUTIONS, Contrast
from embedscope.training.alike._light import light_changes

_N_LEARNED, _N_RINGS = 32, 10  # principal components of the convolutions, and of the rings
_RINGS_LENGTH = 0.7  # of the rings' part of the features, relative to the learned part
_LARGEST_SIDE = 64  # larger pictures are averaged first
_FEWEST_STEPS, _MOST_STEPS = 150, 300
_PASSES = 10
_BLOCK = 256  # pictures turned or read at a time
_MOST_MOVED = 2_048  # pictures whose moved copies say how features of views differ
_NOISE = 1.5  # times these differences: the encoder should also know those that are larger
_SHOW_EVERY = 10  # steps
_TRAINING_SHARE = 0.9  # of the time, for the reports
_SMALLEST = 1e-6


def compare(
    samples: Samples,
    X: np.ndarray,
    parameters: TrainingParameters,
    report: Report,
    show: Show,
) -> Comparison:
    """Features of a network trained by contrast, and an encoder that begins with it."""
    if parameters.encoder == "dense":
        raise InvalidInputError(
            "encoder must be 'automatic' or 'convolutional' for alike='learned'; got 'dense'. "
            "Choose one of them, or another value of alike."
        )
    shape = X.shape[1:]
    pool = -(-max(shape[-3:-1]) // _LARGEST_SIDE)
    prepare = TracedOnce(lambda block: as_flat_pictures(block, pool))
    pictures = _in_blocks(prepare, X, lambda: report(0.0))
    changes = light_changes(pictures, shape[-1], samples.identities.source)
    n_steps = int(np.clip(_PASSES * len(X) // _BLOCK, _FEWEST_STEPS, _MOST_STEPS))
    n_steps *= parameters.n_training_epochs
    contrast = Contrast(pictures, changes, n_steps, parameters.random_state)
    for done in contrast.train():
        if done % _SHOW_EVERY == 0 and done < n_steps:
            show(contrast.positions)
        report(_TRAINING_SHARE * done / n_steps)
    layer = InvariantFeatures(pool, CONVOLUTIONS, _N_LEARNED + _N_RINGS, name="learned")
    layer.build((None, *shape))
    features = _frozen(layer, contrast, X, lambda: report(_TRAINING_SHARE))
    noise = ViewNoise(parameters.random_state, name="view_noise")
    noise.build((None, layer.n_features))
    some = slice(None, None, -(-len(X) // _MOST_MOVED))
    noise.fit(_NOISE * (_of_moved(layer, contrast, pictures[some]) - features[some]))
    encoder = keras.Sequential(
        [
            keras.Input(shape),
            Upright(is_read=False),
            layer,
            noise,
            *dense_layers(parameters.random_state),
        ],
        name="learned_encoder",
    )
    return Comparison(features, encoder)


def _frozen(layer: InvariantFeatures, contrast: Contrast, X: np.ndarray, report: Any) -> np.ndarray:
    """Set the layer's weights from the trained network; return the features of all pictures.

    The features are principal components of the standardised output of the convolutions, and of
    the rings as they are, so that the brightest count most.
    """
    convolutions = contrast.folded()
    layer.set_convolutions(contrast.means, convolutions)
    read = TracedOnce(lambda block: layer.read(block))
    outputs = _in_blocks(read, X, report)
    n_learned = outputs.shape[1] - layer.n_on_rings
    learned, rings = outputs[:, :n_learned], outputs[:, n_learned:]
    deviation = np.maximum(learned.std(axis=0, dtype=np.float64), _SMALLEST)
    axes = np.zeros((outputs.shape[1], layer.n_features), np.float32)
    axes[:n_learned, :_N_LEARNED] = _scaled_axes(learned, deviation, _N_LEARNED)
    on_rings = _scaled_axes(rings, np.ones(rings.shape[1]), _N_RINGS)
    axes[n_learned:, _N_LEARNED:] = _RINGS_LENGTH * on_rings
    offset = (-outputs.mean(axis=0, dtype=np.float64) @ axes).astype(np.float32)
    layer.set_axes(axes, offset)
    return np.ascontiguousarray(outputs @ axes + offset)


def _of_moved(layer: InvariantFeatures, contrast: Contrast, pictures: np.ndarray) -> np.ndarray:
    """Features of flat pictures that are turned, mirrored and shifted as in the views."""
    seed = tf.constant([0, 0], tf.int32)

    def read(block: Any) -> Any:
        moved = as_flat_pictures(contrast.views.moved(block, seed), 1)
        return layer.project(layer.read_flat(moved))

    return _in_blocks(TracedOnce(read), pictures, lambda: None)


def _scaled_axes(values: np.ndarray, deviation: np.ndarray, n_axes: int) -> np.ndarray:
    """Axes of the leading components of columns, divided by their deviations.

    The components of a row have a mean squared length of 1; missing ones are zero.
    """
    centred = (values - values.mean(axis=0, dtype=np.float64)) / deviation
    found = principal_axes(centred.astype(np.float32), min(n_axes, *values.shape))
    length = np.sqrt(np.square(centred @ found).sum(axis=1).mean())
    axes = np.zeros((values.shape[1], n_axes), np.float32)
    axes[:, : found.shape[1]] = found / deviation[:, None] / (length if length > _SMALLEST else 1.0)
    return axes


def _in_blocks(function: Any, X: np.ndarray, report: Any) -> np.ndarray:
    """A function of pictures, applied to a block at a time."""
    parts = []
    for start in range(0, len(X), _BLOCK):
        parts.append(function(X[start : start + _BLOCK]).numpy())
        report()
    return np.concatenate(parts)
