"""The decoder by principal components, and the network of the style code.

The input of the decoder is a position on the map, followed by a style code. A dense trunk gives
components of the sample, a linear layer from position and code adds to them, and the last layer
holds the principal axes. On pictures of unseen cells this explained more than up-sampling
convolutions, in a third of the time (`docs/solver.md`).

The style code is a linear function of the residual: the sample, less the typical sample of its
position. So the code does not repeat the information of the position.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from embedscope.core.networks._reconstruction import Reconstruction
from embedscope.core.networks._tensorflow import keras

_WIDTH = 256
HIDDEN, CURVED, STRAIGHT = ("hidden_1", "hidden_2"), "curved", "straight"  # layers of the trunk


def component_decoder(
    n_inputs: int, axes: np.ndarray, mean: np.ndarray, shape: tuple[int, ...], seed: int
) -> tuple[Any, Any]:
    """A decoder whose last layer holds the principal axes and is not trained.

    Parameters
    ----------
    n_inputs : int
        Coordinates of a position plus numbers of a style code.
    axes : ndarray of shape (n_axes, n_features), float32
    mean : ndarray of shape (n_features,), float32
        The output where all components are zero.
    shape : tuple of int
        Shape of one sample.
    seed : int

    Returns
    -------
    decoder : keras.Model
        From position and code to standardised samples.
    trunk : keras.Model
        From position and code to components: the same network without its last layer.
    """
    layers, init = keras.layers, keras.initializers
    source = keras.Input((n_inputs,))
    hidden = source
    for number, name in enumerate(HIDDEN):
        start = init.HeUniform(seed=seed + 10 * number)
        dense = layers.Dense(_WIDTH, activation="relu", kernel_initializer=start, name=name)
        hidden = dense(hidden)
    curved = layers.Dense(len(axes), kernel_initializer="zeros", dtype="float32", name=CURVED)
    straight = layers.Dense(
        len(axes), use_bias=False, kernel_initializer="zeros", dtype="float32", name=STRAIGHT
    )
    components = layers.Add(dtype="float32")([curved(hidden), straight(source)])
    last = layers.Dense(
        axes.shape[1], kernel_initializer="zeros", trainable=False, dtype="float32", name="axes"
    )
    decoded = layers.Reshape(shape, dtype="float32")(last(components))
    decoder = keras.Model(source, decoded, name="decoder")
    # Set after building: initial values would be written as text into the network's config.
    last.set_weights([axes, mean])
    return decoder, keras.Model(source, components, name="trunk")


def style_head(n_values: int, n_style: int) -> Any:
    """The linear network from a sample's residual to its style code."""
    return keras.Sequential(
        [
            keras.Input((n_values,)),
            keras.layers.Dense(n_style, kernel_initializer="zeros", dtype="float32", name="code"),
        ],
        name="style_head",
    )


def with_empty_code(network: Any, n_components: int) -> Any:
    """A network of position and code as a network of the position alone, with code zero."""
    n_inputs = network.input_shape[-1]
    if n_inputs == n_components:
        return network
    position = keras.Input((n_components,))
    padding = keras.layers.Dense(
        n_inputs,
        use_bias=False,
        kernel_initializer="zeros",
        trainable=False,
        dtype="float32",
        name="empty_code",
    )
    typical = keras.Model(position, network(padding(position)), name="typical")
    padding.set_weights([np.eye(n_components, n_inputs, dtype=np.float32)])
    return typical


def style_encoder(
    encoder: Any,
    typical: Any,
    head: Any,
    axes: np.ndarray | None,
    reconstruction: Reconstruction,
    *,
    reads_both: bool = False,
) -> Any:
    """One self-contained network from samples to their style codes.

    Parameters
    ----------
    encoder : keras.Model
        From samples to positions.
    typical : keras.Model
        From positions to typical samples in the space of `head`: components if `axes` are given,
        standardised samples otherwise.
    head : keras.Sequential
        From `style_head`.
    axes : ndarray of shape (n_axes, n_features), float32, or None
        Orthogonal rows of equal length.
    reconstruction : Reconstruction
    reads_both : bool
        The encoder reads other values than the decoder decodes. The network then takes flat rows:
        the values that the encoder reads, followed by those of the sample.

    Returns
    -------
    keras.Model
    """
    layers = keras.layers
    kernel, bias = head.layers[-1].get_weights()
    # Standardising, the axes and the head are linear, so they are merged into one layer.
    to_code = kernel if axes is None else (axes.T / np.square(axes[0]).sum()) @ kernel
    to_code = to_code / reconstruction.scale.reshape(-1, 1)
    shape = reconstruction.offset.shape
    source, read, sample = _joined_input(encoder, shape) if reads_both else _one_input(shape)
    seen = layers.Dense(kernel.shape[1], kernel_initializer="zeros", dtype="float32", name="seen")
    expected = layers.Dense(
        kernel.shape[1], use_bias=False, kernel_initializer="zeros", dtype="float32", name="place"
    )
    at_position = expected(layers.Flatten(dtype="float32")(typical(encoder(read))))
    code = layers.Subtract(dtype="float32")(
        [seen(layers.Flatten(dtype="float32")(sample)), at_position]
    )
    network = keras.Model(source, code, name="style_encoder")
    seen.set_weights([to_code, bias - reconstruction.offset.ravel() @ to_code])
    expected.set_weights([kernel])
    return network


def _one_input(shape: tuple[int, ...]) -> tuple[Any, Any, Any]:
    """The input of a network, which is both what the encoder reads and the sample."""
    sample = keras.Input(shape)
    return sample, sample, sample


def _joined_input(encoder: Any, shape: tuple[int, ...]) -> tuple[Any, Any, Any]:
    """The input of a network, and its two parts: what the encoder reads, and the sample."""
    layers, read_shape = keras.layers, tuple(encoder.input_shape[1:])
    n_read, n_values = math.prod(read_shape), math.prod(shape)
    source = keras.Input((n_read + n_values,))
    # Cropping is a layer of Keras itself, which a saved model may hold; an index is not.
    column = layers.Reshape((n_read + n_values, 1), dtype="float32")(source)
    read = layers.Cropping1D((0, n_values), dtype="float32", name="read")(column)
    sample = layers.Cropping1D((n_read, 0), dtype="float32", name="sample")(column)
    return source, layers.Reshape(read_shape, dtype="float32")(read), sample
