"""Exemplars that stand where the encoder puts them, from the layout to the end of the training.

The decoder is built before there is a map. The progress hook keeps the last map of the layout, and
the exemplars are put there before the network's first step; at the end of each epoch they are put
where the encoder now sees them. So the decoder costs next to nothing, and always fits the encoder.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from embedscope.core._tensorflow import keras
from embedscope.training._networks import exemplar_decoder, place_exemplars

if TYPE_CHECKING:
    from embedscope.core._monitor import Report

_MOST_EXEMPLARS = 2_000
_BLOCK = 500  # pictures that are encoded at once


class Exemplars(keras.callbacks.Callback):
    """Real pictures, drawn at random, for a decoder to blend; a Keras callback that places them.

    Parameters
    ----------
    pictures : ndarray of shape (n_samples, [depth,] height, width, n_channels), float32
        Pixels in 0..1.
    seed : int

    Attributes
    ----------
    rows : ndarray of int
        Which pictures they are, at most 2,000, ascending.
    decoder : keras.Sequential
    """

    def __init__(self, pictures: np.ndarray, seed: int) -> None:
        super().__init__()
        drawn = np.random.default_rng(seed).permutation(len(pictures))[:_MOST_EXEMPLARS]
        self.rows = np.sort(drawn)
        self._pictures = pictures[self.rows]
        self.decoder = exemplar_decoder(self._pictures)
        self._encoder: Any = None
        self._layout: Callable[[], np.ndarray | None] = lambda: None

    def see(self, report: Report) -> None:
        """Keep the map of the layout; part of the progress hook."""
        if report.phase == "layout":
            self._layout = report.embedding  # of this moment, whenever it is called

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Place the exemplars in the copy of the decoder that is used, before the first step."""
        places = self._layout() if epoch == 0 else None
        if places is not None:
            place_exemplars(self.model.layers[-1], places[self.rows])

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Place them where the encoder, as it is now, puts them."""
        if self._encoder is None:
            self._encoder = keras.Model(self.model.inputs[0], self.model.outputs[0])
        blocks = np.array_split(self._pictures, -(-len(self._pictures) // _BLOCK))
        places = [np.asarray(self._encoder(block, training=False)) for block in blocks]
        place_exemplars(self.model.layers[-1], np.concatenate(places))
