"""What Keras's own `fit` does in a step, and after the last one, beside the loss that it is given.

The solvers take their steps themselves. So that a network and an optimiser act as their user knows
them, the losses that layers add count too, the loss is scaled where the optimiser divides by a
scale, and averages of the weights are put in place at the end.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from embedscope.core.networks._precision import computes_in
from embedscope.core.networks._tensorflow import keras, tf


def added_loss(network: Any) -> Any:
    """What regularisers and `add_loss` of a network's layers gave in its last call, a tensor."""
    losses = [tf.reduce_sum(tf.cast(loss, tf.float32)) for loss in network.losses]
    return tf.add_n(losses) if losses else tf.constant(0.0)


def descend(tape: Any, loss: Any, variables: Sequence[Any], optimizer: Any) -> None:
    """One step of the optimiser down the gradient of a loss."""
    gradients = tape.gradient(
        loss,
        variables,
        # The optimiser divides by this scale: small gradients do not vanish in half precision.
        output_gradients=optimizer.scale_loss(tf.ones_like(loss)),
        unconnected_gradients="zero",
    )
    with _forgotten_gradients():
        optimizer.apply(gradients, variables)


@contextmanager
def _forgotten_gradients() -> Iterator[None]:
    """Let TensorFlow forget how to differentiate a step of the optimiser, which nobody does.

    Its sum of the gradients of all devices is registered for good, and holds the graph of the fit
    it was traced for: several megabytes that stay with each.
    """
    from tensorflow.python.framework import ops

    registered = getattr(getattr(ops, "gradient_registry", None), "_registry", {})
    before = set(registered)
    try:
        yield
    finally:
        for name in set(registered) - before:
            if _is_sum_of_devices(registered.get(name)):  # others may be of another thread's fit
                registered.pop(name, None)


def _is_sum_of_devices(entry: Any) -> bool:
    """Whether an entry of TensorFlow's registry is the gradient of its sum over devices."""
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
