"""The atlas: decoded pictures on a grid over the map, which the page shows without the kernel."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from embedscope.explorer import Embedding, Explorer
from embedscope.jupyter_widget.protocol._decoder_messages import Atlas
from embedscope.jupyter_widget.wire._outbox import Buffers
from embedscope.samples import Samples
from embedscope.training import Phase, Status

PLACES_PER_SIDE = 24
LARGEST_PX = 64  # longer side of a picture
_AT_REST = (Phase.PAUSED, Phase.DONE, Phase.STOPPED, Phase.FAILED)

AtlasParts = tuple[Callable[..., Atlas], Buffers]


class AtlasUpdater:
    """Decodes the atlas in a worker thread, and removes it when the map changes.

    Parameters
    ----------
    explorer : Explorer
    put : callable
        ``put(atlas)`` shows what `draw_atlas` gives; None removes it.
    draw : callable
        ``draw(job, key)`` runs a job later, in place of a waiting one of the same key.
    """

    def __init__(
        self,
        explorer: Explorer,
        put: Callable[[AtlasParts | None], None],
        draw: Callable[[Callable[[], None], str], None],
    ) -> None:
        self._explorer = explorer
        self._put = put
        self._draw = draw
        self._changed = threading.Lock()
        self._number = 0  # of the present map: an atlas of an earlier number is dropped
        self._is_shown = False
        self._model: object = None
        explorer.events.status_changed.connect(self._after_status)
        explorer.events.embedding_changed.connect(self._after_embedding)
        self._after_embedding(explorer.embedding)

    def close(self) -> None:
        """Disconnect from the explorer."""
        events = self._explorer.events
        events.status_changed.disconnect(self._after_status, missing_ok=True)
        events.embedding_changed.disconnect(self._after_embedding, missing_ok=True)

    def _after_status(self, status: Status) -> None:
        """Remove the atlas while the map trains; decode one at a pause and at the end."""
        if status.phase.is_running:
            self._remove()
        elif status.phase in _AT_REST:
            self._draw(partial(self._show, self._number), "atlas")

    def _after_embedding(self, embedding: Embedding) -> None:
        """Decode another atlas when another trained map is shown."""
        model = self._explorer.model
        if model is not self._model:
            self._model = model
            self._remove()
            if model is not None:
                self._draw(partial(self._show, self._number), "atlas")

    def _remove(self) -> None:
        with self._changed:
            self._number += 1
            if self._is_shown:
                self._put(None)
            self._is_shown = False

    def _show(self, number: int) -> None:
        atlas = draw_atlas(self._explorer) if number == self._number else None
        with self._changed:
            if atlas is not None and number == self._number:
                self._put(atlas)
                self._is_shown = True


def draw_atlas(explorer: Explorer) -> AtlasParts | None:
    """Decode the atlas of an explorer's map; None without pictures or a decoder.

    Parameters
    ----------
    explorer : Explorer

    Returns
    -------
    make_head : callable
        ``make_head(rev=revision)`` is the message.
    buffers : tuple of bytes

    Raises
    ------
    InvalidInputError
        If the map was removed meanwhile.
    """
    samples = explorer.samples
    if samples is None or not samples.is_image:
        return None
    grid = explorer.draw_grid(PLACES_PER_SIDE)
    if not grid.decoded:
        return None
    sheet = np.stack([_small(samples, sample) for sample in grid.samples])
    make_head = partial(
        Atlas,
        nx=PLACES_PER_SIDE,
        ny=PLACES_PER_SIDE,
        x0=float(grid.low[0]),
        y0=float(grid.low[1]),
        x1=float(grid.high[0]),
        y1=float(grid.high[1]),
        w=sheet.shape[2],
        h=sheet.shape[1],
    )
    levels = (255 * np.clip(grid.support, 0, 1)).astype(np.uint8)
    return make_head, (sheet.tobytes(), levels.tobytes())


def no_atlas(rev: int) -> Atlas:
    """The message that removes the atlas."""
    return Atlas(rev, nx=0, ny=0, x0=0.0, y0=0.0, x1=0.0, y1=0.0, w=0, h=0)


def _small(samples: Samples, sample: Any) -> np.ndarray:
    largest = max(samples.sample_shape[-3:-1])
    return samples.to_picture(sample, LARGEST_PX if largest > LARGEST_PX else None)
