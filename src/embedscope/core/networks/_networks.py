"""The networks: default networks, copies of the user's, and a dry run that finds errors early.

Layers with weights, and optimisers, have the same names in every fit. TensorFlow keeps 36 kB for
each variable name until the process ends, and Keras's automatic names are new in every fit.
"""

from __future__ import annotations

import random
import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from embedscope._errors import InvalidInputError
from embedscope._warning import warn_caller
from embedscope.core.arrays._rows import Rows
from embedscope.core.networks._tensorflow import keras, tf

# Deep and narrow: with the same number of weights, six layers of 128 units place unseen samples
# better than three of 256, and train faster; see benchmarks/RESULTS.md.
_DEFAULT_UNITS = (128,) * 6
_REFERENCE_UNITS = (100,) * 3  # of the network in umap-learn's documentation
_DECODER_UNITS = (256,) * 3
_LONGEST_REASON = 240  # characters of Keras's message that an error quotes
_WAYS_OF_TRAINING = ("fit", "train_on_batch", "train_step", "make_train_function", "compute_loss")
_SAME = 1e-2  # of the largest value, a difference that half precision does not reach


def hidden_units(encoder: Any) -> tuple[int, ...] | None:
    """Units of the hidden layers of the built-in encoder; None for a user's network."""
    if encoder is None:
        return _DEFAULT_UNITS
    if isinstance(encoder, str):
        if encoder == "reference":
            return _REFERENCE_UNITS
        raise InvalidInputError(
            f"encoder must be None, 'reference' or a Keras network; got {encoder!r}. "
            "None is the default network of 6 x 128 units, 'reference' that of 3 x 100."
        )
    return None


def dense_encoder(
    shape: tuple[int, ...], n_components: int, units: Sequence[int], seed: int
) -> Any:
    """Fully connected layers with relu, from samples of `shape` to `n_components`."""
    flatten = [keras.layers.Flatten()] if len(shape) > 1 else []
    return keras.Sequential(
        [keras.Input(shape), *flatten, *_dense_stack("encoder", n_components, units, seed)],
        name="encoder",
    )


def dense_decoder(shape: tuple[int, ...], n_components: int, encoder: Any, seed: int) -> Any:
    """Three fully connected layers with relu; the output has no activation.

    For the encoder "reference" it is the decoder of umap-learn's documentation.
    """
    units = _REFERENCE_UNITS if isinstance(encoder, str) else _DECODER_UNITS
    n_values = int(np.prod(shape))
    reshape = [keras.layers.Reshape(shape, dtype="float32")] if len(shape) > 1 else []
    return keras.Sequential(
        [
            keras.Input((n_components,)),
            *_dense_stack("decoder", n_values, units, seed + 1),
            *reshape,
        ],
        name="decoder",
    )


def table_encoder(positions: np.ndarray) -> Any:
    """A free table of positions as a network of row numbers, for a map that is not parametric."""
    table = keras.layers.Embedding(
        *positions.shape, embeddings_initializer="zeros", name="positions", dtype="float32"
    )
    reshape = keras.layers.Reshape((positions.shape[1],), dtype="float32")
    network = keras.Sequential([keras.Input((1,), dtype="int32"), table, reshape], name="encoder")
    table.set_weights([positions])
    return network


def _dense_stack(name: str, n_outputs: int, units: Sequence[int], seed: int) -> list[Any]:
    """Hidden layers with relu, and a linear one of `n_outputs`."""
    hidden = [
        keras.layers.Dense(
            width,
            activation="relu",
            kernel_initializer=keras.initializers.HeUniform(seed=seed + 10 * layer),
            name=f"{name}_hidden_{layer + 1}",
        )
        for layer, width in enumerate(units)
    ]
    output = keras.layers.Dense(
        n_outputs,
        kernel_initializer=keras.initializers.GlorotUniform(seed=seed + 1000),
        dtype="float32",  # for any Keras policy, since maps and losses are float32
        name=f"{name}_output",
    )
    return [*hidden, output]


def one_model(encoder: Any, decoder: Any | None) -> Any:
    """An encoder, followed by the decoder of positions if there is one, as one model."""
    position = encoder.outputs[0]
    outputs = position if decoder is None else [position, decoder(position)]
    return keras.Model(encoder.inputs[0], outputs, name="parametric_umap")


def copy_network(network: Any, name: str, seed: int) -> Any:
    """A copy of a user's network with its weights, so that training does not change the original.

    The generators of random layers, such as Dropout, are set to `seed`.
    """
    if not isinstance(network, keras.Model):
        raise InvalidInputError(
            f"{name} must be a Keras network; got {type(network).__name__}. "
            "Build one with keras.Sequential or the functional API."
        )
    try:
        if not network.built:
            raise ValueError("it has no input shape yet")
        with kept_random_state():
            copied = keras.models.clone_model(network)
        copy_weights(network, copied)
    except (ValueError, TypeError, AttributeError, NotImplementedError) as error:
        raise InvalidInputError(
            f"{name} must be a network that Keras can copy; got {network.name!r}, which it cannot: "
            f"{_last_line(error)}. Begin a Sequential model with keras.Input(shape), give custom "
            "layers a get_config, and write functions of your own, such as activations, with a "
            "name and @keras.saving.register_keras_serializable(), not as lambda."
        ) from error
    _seed_layers(copied, seed)
    return copied


def warn_of_own_training(network: Any, name: str) -> None:
    """Warn if a user's network overrides Keras's training methods, which are not called here."""
    own = [
        method
        for method in _WAYS_OF_TRAINING
        if getattr(getattr(network, method), "__func__", None) is not getattr(keras.Model, method)
    ]
    if own:
        warn_caller(
            f"{name} should be trained by UMAP's objective alone; got {type(network).__name__}, "
            f"whose own {' and '.join(own)} is not called. Put a loss of your own into a layer, by "
            "add_loss in its call, or into parametric_reconstruction_loss_fcn."
        )


def copy_weights(source: Any, target: Any) -> None:
    """Copy the weights of a network to another with the same layers.

    `keras.layers.Normalization` computes with numbers that it derives from its weights when it is
    adapted or loaded, but not when its weights are set. So this is done here.
    """
    target.set_weights(source.get_weights())
    for layer in _layers_within(target):
        if isinstance(layer, keras.layers.Normalization):
            layer.finalize_state()


def _layers_within(network: Any) -> Iterator[Any]:
    """All layers, also those of inner networks and of wrapped layers."""
    for layer in getattr(network, "layers", ()):
        yield layer
        yield from _layers_within(layer)
        if isinstance(layer, keras.layers.Wrapper):
            yield layer.layer
            yield from _layers_within(layer.layer)


def _last_line(error: Exception) -> str:
    """The last line of an error's message, shortened, since Keras may print whole arrays."""
    lines = [line for line in str(error).splitlines() if line.strip()] or [repr(error)]
    return textwrap.shorten(lines[-1], _LONGEST_REASON, placeholder=" [...]").rstrip(".")


@contextmanager
def kept_random_state() -> Iterator[None]:
    """Restore Python's global random state afterwards: Keras draws the seeds of layers from it."""
    state = random.getstate()
    try:
        yield
    finally:
        random.setstate(state)


def _seed_layers(network: Any, seed: int) -> None:
    """Set every seed generator of a network: these are its variables that are not weights."""
    weights = {id(weight) for weight in network.weights}
    generators = [state for state in network.variables if id(state) not in weights]
    for number, state in enumerate(generators):
        state.assign(np.array([seed, number], dtype=state.dtype))


def check_encoder(encoder: Any, rows: Rows, n_components: int) -> np.ndarray:
    """Run the encoder on two samples before anything slow is done; return its output."""
    output = _dry_run(encoder, "encoder", rows.take(slice(0, 2)))
    if output.shape[1:] != (n_components,):
        raise InvalidInputError(
            f"encoder must give n_components={n_components} values for each sample; got an output "
            f"of shape {output.shape[1:]}. End it with keras.layers.Dense({n_components}), or "
            f"set n_components."
        )
    return output


def check_copy(network: Any, copied: Any, name: str, batch: np.ndarray) -> None:
    """Raise unless the copy, which is trained instead of the user's network, gives the same output.

    Networks whose output differs between calls cannot be compared and are accepted.
    """
    given, again, got = (
        np.asarray(each(batch, training=False)) for each in (network, network, copied)
    )
    unit = float(np.abs(given).max()) or 1.0
    if np.abs(given - again).max() > _SAME * unit or np.abs(given - got).max() <= _SAME * unit:
        return
    raise InvalidInputError(
        f"{name} must give the same after keras.models.clone_model and set_weights; got a "
        f"difference of {np.abs(given - got).max():.2g}. Let its layers keep what they have "
        "learned in weights (add_weight), and the rest in get_config."
    )


def check_decoder(
    decoder: Any, shape: tuple[int, ...], n_components: int, n_style: int = 0
) -> np.ndarray:
    """Run the decoder on two positions before anything slow is done; return its output."""
    n_inputs = n_components + n_style
    taken = getattr(decoder, "input_shape", None)
    if n_style and isinstance(taken, tuple) and taken[1:] != (n_inputs,):
        raise InvalidInputError(
            f"decoder must take a position of {n_components} numbers followed by a style code of "
            f"{n_style}; got an input of shape {taken[1:]}. Begin it with "
            f"keras.Input(({n_inputs},)), or set n_style_components=0."
        )
    output = _dry_run(decoder, "decoder", np.zeros((2, n_inputs), dtype=np.float32))
    if output.shape[1:] != shape:
        raise InvalidInputError(
            f"decoder must give samples of the data's shape {shape}; got an output of shape "
            f"{output.shape[1:]}. Change its last layer, or reshape with "
            f"keras.layers.Reshape({shape})."
        )
    return output


def _dry_run(network: Any, name: str, batch: np.ndarray) -> np.ndarray:
    try:
        output = network(batch, training=False)
    except Exception as error:  # Keras raises many kinds; all mean that the shapes do not fit
        raise InvalidInputError(
            f"{name} must accept samples of shape {batch.shape[1:]}; got an error from Keras: "
            f"{str(error).rstrip('.')}. Change its input shape, or set dims."
        ) from error
    if not hasattr(output, "shape"):
        raise InvalidInputError(
            f"{name} must give one array; got {type(output).__name__}. Use a network of one output."
        )
    values = np.asarray(output)
    if values.dtype != np.float32:
        raise InvalidInputError(
            f"{name} must give float32; got {values.dtype}. Set dtype='float32' on its last layer, "
            "as Keras advises for mixed precision."
        )
    if not np.isfinite(values).all():
        raise InvalidInputError(
            f"{name} must give finite values; got NaN or infinity before any training. Scale its "
            "input to about -1..1, or look at its weights."
        )
    return values


def check_loss(loss_fn: Any, name: str, wanted: np.ndarray, got: np.ndarray) -> None:
    """Try a user's loss on two rows before anything slow is done.

    It runs in a graph, as in training, so that a Python `if` on a tensor raises now.
    """
    shape = wanted.shape[1:]
    traced = tf.function(lambda *batches: keras.ops.mean(loss_fn(*batches)), autograph=False)
    try:
        value = float(traced(tf.constant(wanted), tf.constant(got)))
    except Exception as error:  # the user's code may raise anything
        raise InvalidInputError(
            f"{name} must be a function of two batches of shape {shape}, the wanted and the actual "
            f"values; got {type(error).__name__}: {_last_line(error)} from it. Return a tensor "
            "of losses, made by functions of tensors: keras.ops.where, not a Python if."
        ) from error
    if not np.isfinite(value):
        raise InvalidInputError(
            f"{name} must give finite losses; got {value} for two samples before any training. "
            "Keep logarithms and quotients away from zero."
        )
