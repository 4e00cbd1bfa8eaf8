"""Training steps whose batches are shared by several devices, as `tf.distribute` places them.

Each device computes the gradient for its part of a batch with the current weights, which stay on
the first device. The sum of the gradients is applied there once. So the networks and the optimiser
are the same as without a strategy: they can be saved at any time, and gradients are clipped as on
one device.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from embedscope._errors import InvalidInputError
from embedscope.core.networks._keras_step import gradients_of
from embedscope.core.networks._tensorflow import keras, tf

_REMEDY = "Use for instance tf.distribute.MirroredStrategy(['GPU:0', 'GPU:1'])"


def check_distribution(distribution: Any) -> None:
    """Raise unless a training can be shared as `distribution` says.

    Raises
    ------
    InvalidInputError
        If it is not a strategy for the devices of this process.
    """
    if distribution is None:
        return
    if isinstance(distribution, keras.distribution.DataParallel | keras.distribution.ModelParallel):
        raise InvalidInputError(
            "distribution must be None or a tf.distribute.MirroredStrategy; got "
            f"{type(distribution).__name__} of Keras, which uses only one device with the "
            f"TensorFlow backend. {_REMEDY}."
        )
    if not isinstance(
        distribution, tf.distribute.MirroredStrategy | tf.distribute.OneDeviceStrategy
    ):
        raise InvalidInputError(
            "distribution must be None or a tf.distribute.MirroredStrategy; got "
            f"{type(distribution).__name__}. {_REMEDY}."
        )
    if tf.distribute.has_strategy():
        raise InvalidInputError(
            "distribution must be used outside the scope of a strategy; got a call of fit within "
            f"the scope of {type(tf.distribute.get_strategy()).__name__}. Call fit after the "
            "with block."
        )


def check_batch(distribution: Any, batch_size: int | None) -> None:
    """Raise if a batch has not at least one sample for each device; None is not checked.

    Raises
    ------
    InvalidInputError
        With the number of devices.
    """
    if distribution is None or batch_size is None:
        return
    n_devices = distribution.num_replicas_in_sync
    if batch_size < n_devices:
        raise InvalidInputError(
            f"batch_size must be at least the number of devices of distribution, {n_devices}; got "
            f"{batch_size}. Raise batch_size, use fewer devices, or leave distribution out."
        )


def shared_gradients(
    distribution: Any,
    batch: Callable[[Callable[..., Any]], tuple[Any, ...]],
    loss_of: Callable[..., Any],
    batch_size: Any,
    variables: Sequence[Any],
    optimizer: Any,
) -> list[Any]:
    """The gradient of the mean loss of a batch, computed in parts on several devices.

    Parameters
    ----------
    distribution : tf.distribute.Strategy
    batch : callable
        ``batch(cut)`` gives the arguments of `loss_of`, each cut by ``cut(values, axis=0)``.
    loss_of : callable
        The mean loss of a batch or a part of it, a tensor.
    batch_size : tensor
        Samples in the batch.
    variables : list of keras.Variable
    optimizer : keras.Optimizer
        For the scale of its loss.

    Returns
    -------
    list of tensor
        For each variable.
    """
    n_devices = distribution.num_replicas_in_sync
    # The parts differ by at most one sample if the devices do not divide the batch.
    ends = [batch_size * number // n_devices for number in range(n_devices + 1)]
    # Cut before the devices get them: each receives only its own part.
    parts = [batch(_cutter(*ends[number : number + 2])) for number in range(n_devices)]

    def part_of_gradient() -> list[Any]:
        context = tf.distribute.get_replica_context()
        number = int(tf.get_static_value(context.replica_id_in_sync_group))
        share = tf.cast((ends[number + 1] - ends[number]) / batch_size, tf.float32)
        with tf.GradientTape() as tape:
            loss = share * loss_of(*parts[number])
        found: list[Any] = gradients_of(tape, loss, variables, optimizer)
        return found

    gradients = distribution.run(part_of_gradient)
    return [_total(distribution.experimental_local_results(each)) for each in gradients]


def _cutter(start: Any, stop: Any) -> Callable[..., Any]:
    def cut(values: Any, axis: int = 0) -> Any:
        return None if values is None else values[(slice(None),) * axis + (slice(start, stop),)]

    return cut


def whole(values: Any, axis: int = 0) -> Any:
    """The cut of a batch that is not shared: all of it."""
    return values


def _total(parts: Sequence[Any]) -> Any:
    """The sum of gradients, which for an embedding hold only some rows."""
    if all(isinstance(part, tf.IndexedSlices) for part in parts):
        return tf.IndexedSlices(
            tf.concat([part.values for part in parts], axis=0),
            tf.concat([part.indices for part in parts], axis=0),
            parts[0].dense_shape,
        )
    return tf.add_n([tf.convert_to_tensor(part) for part in parts])
