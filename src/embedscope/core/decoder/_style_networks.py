"""A decoder that draws by principal components, and the code of what a place leaves open.

The decoder takes a place on the map and, behind it, a style code. A dense trunk gives components of
the sample, a linear layer from place and code adds to them, and the last layer holds the principal
axes: measured on pictures of cells it explained more of unseen ones than up-sampling convolutions
did, in a third of the time (`docs/solver.md`).

The style code is a linear function of what the place leaves open: the sample, less the typical one
at its place. So it repeats nothing that the place says already.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from embedscope.core.networks._reconstruction import Reconstruction
from embedscope.core.networks._tensorflow import keras

_WIDTH = 256
HIDDEN, CURVED, STRAIGHT = ("hidden_1", "hidden_2"), "curved", "straight"  # layers of the trunk


def component_decoder(
    n_inputs: int, axes: np.ndarray, mean: np.ndarray, shape: tuple[int, ...], seed: int
) -> tuple[Any, Any]:
    """A decoder whose last layer holds principal axes, which stay as they are.

    Parameters
    ----------
    n_inputs : int
        Coordinates of a place, and numbers of a style code behind them.
    axes : ndarray of shape (n_axes, n_features), float32
    mean : ndarray of shape (n_features,), float32
        What is drawn where all components are zero.
    shape : tuple of int
        Of one sample.
    seed : int

    Returns
    -------
    decoder : keras.Model
        From place and code to standardised samples.
    trunk : keras.Model
        From place and code to components: the same network without its last layer.
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
    drawn = layers.Reshape(shape, dtype="float32")(last(components))
    decoder = keras.Model(source, drawn, name="decoder")
    # Set once built: as initial values they would stand in the network's description, as text.
    last.set_weights([axes, mean])
    return decoder, keras.Model(source, components, name="trunk")


def style_head(n_values: int, n_style: int) -> Any:
    """The linear layer from what a place leaves open of a sample to its style code."""
    return keras.Sequential(
        [
            keras.Input((n_values,)),
            keras.layers.Dense(n_style, kernel_initializer="zeros", dtype="float32", name="code"),
        ],
        name="style_head",
    )


def with_empty_code(network: Any, n_components: int) -> Any:
    """A network of place and code as one of the place alone: the code is zero."""
    n_inputs = network.input_shape[-1]
    if n_inputs == n_components:
        return network
    place = keras.Input((n_components,))
    padding = keras.layers.Dense(
        n_inputs,
        use_bias=False,
        kernel_initializer="zeros",
        trainable=False,
        dtype="float32",
        name="empty_code",
    )
    typical = keras.Model(place, network(padding(place)), name="typical")
    padding.set_weights([np.eye(n_components, n_inputs, dtype=np.float32)])
    return typical


def style_encoder(
    encoder: Any,
    typical: Any,
    head: Any,
    axes: np.ndarray | None,
    reconstruction: Reconstruction,
) -> Any:
    """The whole way from samples to their style codes, as one network that stands by itself.

    Parameters
    ----------
    encoder : keras.Model
        From samples to places.
    typical : keras.Model
        From places to what `head` is fed, less the sample's own: components if `axes` are given,
        standardised samples otherwise.
    head : keras.Sequential
        Of `style_head`.
    axes : ndarray of shape (n_axes, n_features), float32, or None
        Orthogonal rows of one length.
    reconstruction : Reconstruction

    Returns
    -------
    keras.Model
    """
    layers = keras.layers
    kernel, bias = head.layers[-1].get_weights()
    # Standardising, the axes and the head are linear, so they are one layer together.
    to_code = kernel if axes is None else (axes.T / np.square(axes[0]).sum()) @ kernel
    to_code = to_code / reconstruction.scale.reshape(-1, 1)
    sample = keras.Input(reconstruction.offset.shape)
    seen = layers.Dense(kernel.shape[1], kernel_initializer="zeros", dtype="float32", name="seen")
    expected = layers.Dense(
        kernel.shape[1], use_bias=False, kernel_initializer="zeros", dtype="float32", name="place"
    )
    at_place = expected(layers.Flatten(dtype="float32")(typical(encoder(sample))))
    code = layers.Subtract(dtype="float32")(
        [seen(layers.Flatten(dtype="float32")(sample)), at_place]
    )
    network = keras.Model(sample, code, name="style_encoder")
    seen.set_weights([to_code, bias - reconstruction.offset.ravel() @ to_code])
    expected.set_weights([kernel])
    return network
