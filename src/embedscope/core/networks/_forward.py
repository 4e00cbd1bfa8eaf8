"""Fast evaluation of a network outside of training."""

from __future__ import annotations

from typing import Any

import numpy as np

from embedscope.core.arrays._rows import Rows
from embedscope.core.networks._tracing import TracedOnce


class Forward:
    """A network as a fast function of rows: traced once, run in blocks.

    Parameters
    ----------
    network : keras.Model
    """

    def __init__(self, network: Any) -> None:
        self._run = TracedOnce(lambda batch: network(batch, training=False))

    def __call__(self, rows: Rows) -> np.ndarray:
        """The network's output for every row."""
        blocks = [self._run(rows.take(block)).numpy() for block in rows.blocks()]
        return blocks[0] if len(blocks) == 1 else np.concatenate(blocks)


def encode(encoder: Any, rows: Rows) -> np.ndarray:
    """Positions of samples by an encoder, outside of training."""
    return Forward(encoder)(rows)
