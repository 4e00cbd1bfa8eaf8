"""Where a page's messages arrive: each is checked, and done by the right thread.

Handlers of messages run on any thread, which kernels choose, sometimes a cell's own, so nothing is
done here but to sort. Commands and drawing have a thread each, so that a selection need not wait
for pictures. Pausing and stopping wait for nobody.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from psygnal import EmitLoopError

from embedscope._errors import EmbedscopeError, InvalidInputError
from embedscope.explorer import ColorBy
from embedscope.jupyter_widget._page_view import PageView
from embedscope.jupyter_widget.pictures._images import PictureReader, locate
from embedscope.jupyter_widget.protocol import _wishes as wishes
from embedscope.jupyter_widget.protocol._heads import Message
from embedscope.jupyter_widget.protocol._messages import Failed
from embedscope.jupyter_widget.protocol._reading import read_wish, request_number
from embedscope.jupyter_widget.wire._worker import Worker
from embedscope.samples import SampleId, Samples

logger = logging.getLogger(__name__)

MOST_THUMBNAILS = 256
MOST_STEPS = 64
MOST_RECONSTRUCTIONS = 64
_CLOSED = "embedscope is busy: more than 256 requests wait."


class Desk:
    """Receives what a page asks for, and has it done.

    Parameters
    ----------
    view : PageView
        Its intents are fired; its outbox takes the answers.
    """

    def __init__(self, view: PageView) -> None:
        self._view = view
        self._commands = Worker("embedscope-commands")
        self._drawing = Worker("embedscope-drawing")
        self._reader: tuple[Samples, PictureReader] | None = None
        self._tasks: dict[type[Message], Callable[[Any], None]] = {
            wishes.Command: self._command,
            wishes.SetParameters: lambda w: self._fire("parameters_requested", w.values),
            wishes.SetColors: self._color,
            wishes.SelectGate: lambda w: self._fire("gate_selection_requested", w.name, w.mode),
            wishes.AddGate: self._add_gate,
            wishes.CombineGates: self._combine_gates,
            wishes.EditGate: self._edit_gate,
            wishes.RemoveGate: lambda w: self._fire("gate_removal_requested", w.name),
            wishes.Hover: self._hover,
            wishes.Decode: self._decode,
            wishes.ClearDecoded: lambda w: self._fire("reconstruction_clearing_requested"),
            wishes.DecodePath: self._decode_path,
            wishes.WantReconstructions: self._reconstruct,
            wishes.ClearReconstructions: lambda w: self._fire(
                "sample_reconstructions_clearing_requested"
            ),
            wishes.WantThumbnails: self._draw_thumbnails,
            wishes.WantPicture: self._draw_picture,
            wishes.WantPlace: self._locate,
            wishes.WantReplay: lambda w: self._fire("replay_requested", w.index),
            wishes.WantExplanation: lambda w: self._fire("explanation_requested"),
            wishes.WantGateExplanation: lambda w: self._fire("gate_explanation_requested", w.name),
        }

    def receive(self, content: Any, buffers: Sequence[Any] = ()) -> None:
        """Take a message of a page; whatever it is, nothing is raised.

        Parameters
        ----------
        content : object
            The head.
        buffers : sequence of buffers
            What travelled beside it.
        """
        request = request_number(content)
        try:
            self._sort(read_wish(content), buffers)
        except EmbedscopeError as error:
            with self._view.answering(request):
                self._view.show_error(error)

    def draw(self, job: Callable[[], None], key: str) -> None:
        """Have something drawn when there is time; a later job of the same key replaces it."""
        self._drawing.post(job, key)

    def wait_idle(self, timeout_s: float = 30.0) -> bool:
        """Wait until all that was asked is done; False if the time is up before."""
        return self._commands.wait_idle(timeout_s) and self._drawing.wait_idle(timeout_s)

    def close(self) -> None:
        """Take no more."""
        self._commands.close()
        self._drawing.close()

    # -- sorting ---------------------------------------------------------------------------------

    def _sort(self, wish: Message, buffers: Sequence[Any]) -> None:
        if isinstance(wish, wishes.Hello):
            self._view.pump.greet()
            self._view.resend(wish.have, everything=True)
        elif isinstance(wish, wishes.Poll):
            self._view.pump.greet()
            have = wish.have  # a host that asks shows only what comes from this very thread
            self._view.pump.serve(lambda: self._view.resend(have, everything=False))
        elif isinstance(wish, wishes.Acknowledged):
            self._view.pump.acknowledge(wish.rev)
        elif isinstance(wish, wishes.Command) and wish.name in ("pause", "resume", "stop"):
            self._do(wish, self._tasks[wishes.Command])
        elif isinstance(wish, wishes.Select):
            bits = bytes(buffers[0]) if buffers else b""
            self._post(self._commands, wish, lambda w: self._select(w, bits))
        elif isinstance(wish, _DRAWN):
            # Of places, parts and snapshots that were passed over, nobody wants to see pictures.
            key = None if isinstance(wish, wishes.WantThumbnails) else wish.kind
            self._post(self._drawing, wish, self._tasks[type(wish)], key)
        else:
            self._post(self._commands, wish, self._tasks[type(wish)])

    def _post(
        self, worker: Worker, wish: Message, task: Callable[[Any], None], key: str | None = None
    ) -> None:
        if not worker.post(lambda: self._do(wish, task), key):
            request = getattr(wish, "req", 0)
            self._view.outbox.answer(Failed(request, _CLOSED, "Wait a moment and ask again."))
            self._answer_shown(wish)

    def _do(self, wish: Any, task: Callable[[Any], None]) -> None:
        """A task; what goes wrong with it is told to the page, in answer to the request."""
        revision = wish.rev if isinstance(wish, wishes.Select) else 0
        snapshot = wish.index if isinstance(wish, wishes.WantReplay) else None
        request = getattr(wish, "req", 0)
        with self._view.answering(request, revision=revision, snapshot=snapshot):
            try:
                task(wish)
            except Exception as error:
                if not isinstance(error, EmbedscopeError):
                    logger.exception("a request of the page failed: %s", wish.kind)
                # A signal wraps what its listener raised.
                cause = error.__cause__ if isinstance(error, EmitLoopError) else None
                self._view.show_error(cause or error)
            finally:
                self._answer_shown(wish)

    def _answer_shown(self, wish: Message) -> None:
        """What the page shows already it takes over from here, even where nothing changed."""
        if isinstance(wish, wishes.Select | wishes.EditGate):
            kind = "sel" if isinstance(wish, wishes.Select) else "gates"
            self._view.outbox.put_again(kind, wish.rev)

    # -- tasks -----------------------------------------------------------------------------------

    def _fire(self, intent: str, *arguments: Any) -> None:
        getattr(self._view.intents, intent).emit(*arguments)

    def _command(self, wish: wishes.Command) -> None:
        self._fire(_INTENTS[wish.name])

    def _select(self, wish: wishes.Select, bits: bytes) -> None:
        samples = self._view.samples
        n_samples = 0 if samples is None else len(samples)
        if 0 < wish.emb < self._view.first_map:
            raise InvalidInputError(
                "a selection must be of the samples that are shown; they are others now, which had "
                "not reached the page. Select again."
            )
        if len(bits) != (n_samples + 7) // 8:
            raise InvalidInputError(
                f"a selection must have a bit for each of {n_samples:,} samples; got "
                f"{len(bits):,} bytes. Select again."
            )
        hits = np.unpackbits(np.frombuffer(bits, np.uint8), bitorder="little")[:n_samples]
        self._fire("rows_selection_requested", np.flatnonzero(hits), wish.mode)

    def _color(self, wish: wishes.SetColors) -> None:
        if wish.limits is not None and len(wish.limits) != 2:
            raise InvalidInputError(
                f"limits must be two numbers; got {len(wish.limits)}. Give the lower and the upper."
            )
        limits = None if wish.limits is None else (wish.limits[0], wish.limits[1])
        by = ColorBy(wish.by, wish.name, wish.palette, limits, frozenset(wish.hidden))
        self._fire("color_requested", by)

    def _add_gate(self, wish: wishes.AddGate) -> None:
        self._fire("gate_requested", _points(wish.polygon), None, None)

    def _combine_gates(self, wish: wishes.CombineGates) -> None:
        self._fire("combined_gate_requested", wish.operation, wish.members, None)

    def _edit_gate(self, wish: wishes.EditGate) -> None:
        polygon = None if wish.polygon is None else _points(wish.polygon)
        changes = {"name": wish.new_name, "color": wish.color, "polygon": polygon}
        given = {name: value for name, value in changes.items() if value is not None}
        self._fire("gate_edit_requested", wish.name, given)

    def _hover(self, wish: wishes.Hover) -> None:
        self._fire("hover_requested", None if wish.row < 0 else wish.row)

    def _decode(self, wish: wishes.Decode) -> None:
        place = np.array([wish.x, wish.y])
        style = "random" if wish.another else self._sample_at(wish.carry)
        if style is None:
            self._fire("decode_requested", place)
        else:
            self._fire("styled_decode_requested", place, style)

    def _decode_path(self, wish: wishes.DecodePath) -> None:
        if not 2 <= wish.n <= MOST_STEPS:
            raise InvalidInputError(
                f"n must be in [2, {MOST_STEPS}]; got {wish.n}. Ask for so many pictures."
            )
        carried = self._sample_at(wish.carry)
        if carried is None:
            self._fire("path_requested", _points(wish.points), wish.n)
        else:
            self._fire("styled_path_requested", _points(wish.points), wish.n, carried)

    def _sample_at(self, row: int) -> SampleId | None:
        """Whose code a page wants to be used; None for nobody's."""
        if row < 0:
            return None
        samples = self._view.samples
        n_samples = 0 if samples is None else len(samples)
        if samples is None or row >= n_samples:
            raise InvalidInputError(
                f"carry must be one of the {n_samples:,} samples; got {row}. Reload the page."
            )
        return samples.identities[row]

    def _reconstruct(self, wish: wishes.WantReconstructions) -> None:
        if not 1 <= wish.n <= MOST_RECONSTRUCTIONS:
            raise InvalidInputError(
                f"n must be in [1, {MOST_RECONSTRUCTIONS}]; got {wish.n}. Ask for so many samples."
            )
        self._fire("sample_reconstructions_requested", wish.n)

    def _draw_thumbnails(self, wish: wishes.WantThumbnails) -> None:
        samples = self._view.samples
        n_samples = 0 if samples is None else len(samples)
        if len(wish.rows) > MOST_THUMBNAILS or any(not 0 <= r < n_samples for r in wish.rows):
            raise InvalidInputError(
                f"rows must be at most {MOST_THUMBNAILS} of the {n_samples:,} samples; got "
                f"{len(wish.rows)}. Reload the page."
            )
        if samples is not None:
            self._view.send_pictures(samples, wish.rows)

    def _draw_picture(self, wish: wishes.WantPicture) -> None:
        samples = self._view.samples
        if samples is None:
            raise InvalidInputError("an image must be there; got no samples. Choose some.")
        if self._reader is None or self._reader[0] is not samples:
            self._reader = (samples, PictureReader(samples))
        self._view.outbox.answer(*self._reader[1].read(wish))

    def _locate(self, wish: wishes.WantPlace) -> None:
        samples = self._view.samples
        place = None if samples is None else locate(samples, wish)
        if place is not None:
            self._view.outbox.answer(place)


_DRAWN = (
    wishes.Decode,
    wishes.ClearDecoded,
    wishes.DecodePath,
    wishes.WantReconstructions,
    wishes.ClearReconstructions,
    wishes.WantThumbnails,
    wishes.WantPicture,
    wishes.WantPlace,
    wishes.WantReplay,
    wishes.WantExplanation,
    wishes.WantGateExplanation,
)

_INTENTS = {
    "train": "train_requested",
    "pause": "pause_requested",
    "resume": "resume_requested",
    "stop": "stop_requested",
    "undo": "undo_requested",
    "redo": "redo_requested",
    "clear": "clear_selection_requested",
    "invert": "invert_selection_requested",
}


def _points(pairs: list[list[float]]) -> np.ndarray:
    if any(len(pair) != 2 for pair in pairs):
        raise InvalidInputError("points must be pairs of numbers; got others. Draw again.")
    return np.array(pairs, dtype=np.float64).reshape(-1, 2)
