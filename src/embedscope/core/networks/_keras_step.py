"""The parts of Keras's `fit` that our own training steps repeat.

The solvers do not call `fit`. So that a user's network and optimiser act as in `fit`, each step
adds the losses of the layers, the loss is scaled if the optimiser divides by a scale, and averaged
weights are assigned at the end.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from embedscope.core.networks._precision import computes_in
from embedscope.core.networks._tensorflow import keras, tf


def added_loss(network: Any) -> Any:
    """The sum of the losses that a network's layers added in its last call, a tensor."""
    losses = [tf.reduce_sum(tf.cast(loss, tf.float32)) for loss in network.losses]
    return tf.add_n(losses) if losses else tf.constant(0.0)


def descend(tape: Any, loss: Any, variables: Sequence[Any], optimizer: Any) -> None:
    """One step of the optimiser down the gradient of a loss."""
    apply(gradients_of(tape, loss, variables, optimizer), variables, optimizer)


def gradients_of(tape: Any, loss: Any, variables: Sequence[Any], optimizer: Any) -> Any:
    """The gradients of a loss for `apply`, times the scale of the optimiser's loss."""
    return tape.gradient(
        loss,
        variables,
        # The optimiser divides by this scale: small gradients do not vanish in half precision.
        output_gradients=optimizer.scale_loss(tf.ones_like(loss)),
        unconnected_gradients="zero",
    )


def apply(gradients: Sequence[Any], variables: Sequence[Any], optimizer: Any) -> None:
    """One step of the optimiser along the gradients of `gradients_of`."""
    with _removed_gradient_function():
        optimizer.apply(gradients, variables)


@contextmanager
def _removed_gradient_function() -> Iterator[None]:
    """Remove the gradient function that TensorFlow registers for a step of the optimiser.

    It belongs to the sum over devices and is never used, but it stays registered and keeps the
    graph of its fit alive: several megabytes leak with each fit.
    """
    from tensorflow.python.framework import ops

    registered = getattr(getattr(ops, "gradient_registry", None), "_registry", {})
    before = set(registered)
    try:
        yield
    finally:
        for name in set(registered) - before:
            if _is_sum_of_devices(registered.get(name)):  # others may be from another thread's fit
                registered.pop(name, None)


def _is_sum_of_devices(entry: Any) -> bool:
    """Whether an entry of TensorFlow's registry is the gradient of the sum over devices."""
    gradient = entry["type"] if isinstance(entry, dict) and "type" in entry else None
    for _ in range(2):  # it is wrapped twice
        inner = [cell.cell_contents for cell in getattr(gradient, "__closure__", None) or ()]
        gradient = next((each for each in inner if callable(each)), None)
    return str(getattr(gradient, "__module__", "")).startswith("tensorflow.python.distribute")


def scaled_for(optimizer: Any, networks: Sequence[Any]) -> Any:
    """The optimiser, with a scale of the loss if a network computes in float16."""
    is_small = any(computes_in(network, ("float16",)) for network in networks)
    if not is_small or isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        return optimizer
    return keras.optimizers.LossScaleOptimizer(optimizer, name="loss_scale")
