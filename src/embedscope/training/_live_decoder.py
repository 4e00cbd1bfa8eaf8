"""Decoding while the decoder trains, with a copy from the end of the last epoch."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import Any

import numpy as np

from embedscope.core.networks import TracedOnce, copy_network, keras


class LiveDecoder(keras.callbacks.Callback):
    """A Keras callback with a copy of the decoder, which decodes typical samples."""

    def __init__(self) -> None:
        super().__init__()
        self._lock = Lock()
        self._copy: Any = None
        self._to_data: Callable[[np.ndarray], np.ndarray] | None = None
        self._forward: TracedOnce | None = None

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Update the copy; called in the worker thread."""
        decoder = self.model.layers[-1]
        if self._copy is None:
            self._make_copy(decoder)
            return
        weights = decoder.get_weights()
        with self._lock:
            self._copy.set_weights(weights)

    def _make_copy(self, decoder: Any) -> None:
        copy = copy_network(decoder, "decoder", seed=0)
        forward = TracedOnce(lambda z: copy(z, training=False))
        # Traced here, in the worker thread, so that the first click on the map need not wait.
        forward(np.zeros((1, decoder.input_shape[-1]), dtype=np.float32))
        to_data = self.model.reconstruction.to_data
        with self._lock:
            self._copy, self._to_data, self._forward = copy, to_data, forward

    def decode(self, points: np.ndarray) -> np.ndarray | None:
        """Decode points of the map; may be called from any thread.

        Parameters
        ----------
        points : ndarray of shape (n_points, n_components)

        Returns
        -------
        ndarray of shape (n_points, *sample_shape), float32, or None
            None before the first epoch has ended.
        """
        with self._lock:
            if self._forward is None or self._to_data is None:
                return None
            return self._to_data(self._forward(np.asarray(points, dtype=np.float32)).numpy())
