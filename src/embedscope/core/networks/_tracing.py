"""TensorFlow functions that are traced only once, for any number of samples and steps."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from embedscope.core.networks._tensorflow import check_process, tf


class TracedOnce:
    """A function as a TensorFlow graph, traced at the first call.

    A plain ``tf.function`` traces again for other shapes, which takes longer than a call, and
    prints a warning if many estimators are fitted one after the other.

    Parameters
    ----------
    function : callable
        Takes tensors, None and constants; None and constants must be the same in every call.
    n_free_axes : int
        Number of leading axes of the tensors whose size may differ between calls.
    """

    def __init__(self, function: Callable[..., Any], n_free_axes: int = 1) -> None:
        self._function = tf.function(function, autograph=False)
        self._n_free_axes = n_free_axes
        self._concrete: Callable[..., Any] | None = None

    def __call__(self, *arguments: Any) -> Any:
        """The function's result as tensors."""
        check_process()
        if self._concrete is None:
            specs = [self._generalised(argument) for argument in arguments]
            self._concrete = self._function.get_concrete_function(*specs)
        with _interrupted_afterwards():
            return self._concrete(*arguments)

    def _generalised(self, argument: Any) -> Any:
        if not hasattr(argument, "dtype"):
            return argument
        n_free = min(self._n_free_axes, len(argument.shape))
        shape = [*[None] * n_free, *argument.shape[n_free:]]
        return tf.TensorSpec(shape, argument.dtype)


def each_in_turn(step: Callable[[Any], None], n_steps: Any) -> None:
    """Run ``step(0)``, ``step(1)``, ... as a loop of the graph; `n_steps` is a tensor."""

    def one(number: Any) -> tuple[Any]:
        step(number)
        return (number + 1,)

    # One iteration at a time, since each step starts from the weights of the previous one.
    tf.while_loop(lambda number: number < n_steps, one, (tf.constant(0),), parallel_iterations=1)


@contextmanager
def _interrupted_afterwards() -> Iterator[None]:
    """Delay Ctrl-C to the end of a call, which takes some tens of milliseconds.

    During a call TensorFlow would drop the interrupt and raise an error about its own arguments.
    """
    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield  # the application has its own handler
        return
    received: list[int] = []
    try:
        signal.signal(signal.SIGINT, lambda number, frame: received.append(number))
    except ValueError:  # not the main thread; only that one gets interrupts
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if received:
        raise KeyboardInterrupt
