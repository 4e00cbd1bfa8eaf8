"""Receives the messages of a page, checks each, and passes it to the right thread.

The kernel chooses the thread that calls the handler, sometimes the cell's own; so the handler only
checks and passes on. Commands have one worker thread, pictures and the decoder another, so that a
selection does not wait for pictures. Pause, resume and stop are done at once.
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
from embedscope.jupyter_widget.protocol import _intents as intents
from embedscope.jupyter_widget.protocol._message_base import Message
from embedscope.jupyter_widget.protocol._messages import Failed
from embedscope.jupyter_widget.protocol._reading import read_intent, request_number
from embedscope.jupyter_widget.wire._worker import Worker
from embedscope.samples import SampleId, Samples

logger = logging.getLogger(__name__)

MOST_THUMBNAILS = 256  # of one message; the page asks for no more (MOST_NEEDED in js/src/sheets.ts)
MOST_STEPS = 64  # of a path; the page asks for 12
MOST_RECONSTRUCTIONS = 64  # the page asks for 8
_CLOSED = "embedscope is busy: more than 256 requests wait."


class IntentDispatcher:
    """Receives the intents of a page and has them done by worker threads.

    Parameters
    ----------
    view : PageView
        Its signals (`ViewIntents`) are emitted; its outbox takes the answers.
    """

    def __init__(self, view: PageView) -> None:
        self._view = view
        self._commands = Worker("embedscope-commands")
        self._drawing = Worker("embedscope-drawing")
        self._reader: tuple[Samples, PictureReader] | None = None
        self._tasks: dict[type[Message], Callable[[Any], None]] = {
            intents.Command: self._command,
            intents.SetParameters: lambda intent: self._fire("parameters_requested", intent.values),
            intents.TrainFrom: lambda intent: self._fire("train_from_requested", intent.columns),
            intents.SetColors: self._color,
            intents.SelectGate: self._select_gate,
            intents.AddGate: self._add_gate,
            intents.CombineGates: self._combine_gates,
            intents.EditGate: self._edit_gate,
            intents.RemoveGate: lambda intent: self._fire("gate_removal_requested", intent.name),
            intents.Hover: self._hover,
            intents.Decode: self._decode,
            intents.ClearDecoded: lambda intent: self._fire("reconstruction_clearing_requested"),
            intents.DecodePath: self._decode_path,
            intents.WantReconstructions: self._reconstruct,
            intents.ClearReconstructions: lambda intent: self._fire(
                "sample_reconstructions_clearing_requested"
            ),
            intents.WantThumbnails: self._draw_thumbnails,
            intents.WantPicture: self._draw_picture,
            intents.WantPlace: self._locate,
            intents.WantReplay: self._replay,
            intents.WantExplanation: lambda intent: self._fire("explanation_requested"),
            intents.WantGateExplanation: self._explain_gate,
        }

    def receive(self, content: Any, buffers: Sequence[Any] = ()) -> None:
        """Take a message of a page; a malformed one is answered by an error, never raised.

        Parameters
        ----------
        content : object
            The head.
        buffers : sequence of buffers
            The arrays of the message.
        """
        request = request_number(content)
        try:
            self._dispatch(read_intent(content), buffers)
        except EmbedscopeError as error:
            with self._view.answering(request):
                self._view.show_error(error)

    def draw(self, job: Callable[[], None], key: str) -> None:
        """Run a job in the thread for pictures; it replaces a waiting job of the same key."""
        self._drawing.post(job, key)

    def wait_idle(self, timeout_s: float = 30.0) -> bool:
        """Wait until all intents are done; False on timeout."""
        return self._commands.wait_idle(timeout_s) and self._drawing.wait_idle(timeout_s)

    def close(self) -> None:
        """End both worker threads."""
        self._commands.close()
        self._drawing.close()

    # -- dispatching -----------------------------------------------------------------------------

    def _dispatch(self, intent: Message, buffers: Sequence[Any]) -> None:
        if isinstance(intent, intents.Hello):
            self._view.pump.greet()
            self._view.resend(intent.have, everything=True)
        elif isinstance(intent, intents.Poll):
            self._view.pump.greet()
            have = intent.have  # a host that polls shows only what this very thread sends
            self._view.pump.serve(lambda: self._view.resend(have, everything=False))
        elif isinstance(intent, intents.Acknowledged):
            self._view.pump.acknowledge(intent.rev)
        elif isinstance(intent, intents.Command) and intent.name in ("pause", "resume", "stop"):
            self._do(intent, lambda: self._command(intent))
        elif isinstance(intent, intents.Select):
            bits = bytes(buffers[0]) if buffers else b""
            self._post(self._commands, intent, lambda: self._select(intent, bits))
        elif isinstance(intent, _SLOW):
            # Of several waiting positions, image parts or snapshots, only the latest is shown.
            self._post_slow(intent)
        else:
            self._post(self._commands, intent, lambda: self._tasks[type(intent)](intent))

    def _post_slow(self, intent: Message) -> None:
        key = None if isinstance(intent, intents.WantThumbnails) else intent.kind

        def post() -> None:
            self._post(self._drawing, intent, lambda: self._tasks[type(intent)](intent), key)

        if isinstance(intent, _OF_MARKS):
            self._post(self._commands, intent, post)
        else:
            post()

    def _post(
        self, worker: Worker, intent: Message, task: Callable[[], None], key: str | None = None
    ) -> None:
        if not worker.post(lambda: self._do(intent, task), key):
            request = getattr(intent, "req", 0)
            self._view.outbox.answer(Failed(request, _CLOSED, "Wait a moment and ask again."))
            self._send_state_again(intent)

    def _do(self, intent: Any, task: Callable[[], None]) -> None:
        """Run a task; an error is sent to the page as the answer to the request."""
        revision = intent.rev if isinstance(intent, intents.Select) else 0
        snapshot = intent.index if isinstance(intent, intents.WantReplay) else None
        request = getattr(intent, "req", 0)
        with self._view.answering(request, revision=revision, snapshot=snapshot):
            try:
                task()
            except Exception as error:
                if not isinstance(error, EmbedscopeError):
                    logger.exception("an intent of the page failed: %s", intent.kind)
                # psygnal wraps the error of a listener.
                cause = error.__cause__ if isinstance(error, EmitLoopError) else None
                self._view.show_error(cause or error)
            finally:
                self._send_state_again(intent)

    def _send_state_again(self, intent: Message) -> None:
        """Send selection or gates even if unchanged: the page shows its own until this answer."""
        if isinstance(intent, intents.Select | intents.EditGate):
            kind = "sel" if isinstance(intent, intents.Select) else "gates"
            self._view.outbox.put_again(kind, intent.rev)

    # -- tasks -----------------------------------------------------------------------------------

    def _fire(self, signal: str, *arguments: Any) -> None:
        getattr(self._view.intents, signal).emit(*arguments)

    def _command(self, intent: intents.Command) -> None:
        self._fire(_COMMAND_SIGNALS[intent.name])

    def _select(self, intent: intents.Select, bits: bytes) -> None:
        samples = self._view.samples
        n_samples = 0 if samples is None else len(samples)
        if 0 < intent.emb < self._view.first_map:
            raise InvalidInputError(
                "a selection must be of the samples that are shown; got one of the samples before "
                "them. Select again."
            )
        if len(bits) != (n_samples + 7) // 8:
            raise InvalidInputError(
                f"a selection must have a bit for each of {n_samples:,} samples; got "
                f"{len(bits):,} bytes. Select again."
            )
        hits = np.unpackbits(np.frombuffer(bits, np.uint8), bitorder="little")[:n_samples]
        self._fire("rows_selection_requested", np.flatnonzero(hits), intent.mode)

    def _color(self, intent: intents.SetColors) -> None:
        given = intent.limits
        if given is not None and len(given) != 2:
            raise InvalidInputError(
                f"limits must be two numbers; got {len(given)}. Give the lower and the upper."
            )
        limits = None if given is None else (given[0], given[1])
        by = ColorBy(intent.by, intent.name, intent.palette, limits, frozenset(intent.hidden))
        with self._view.coloring(intent.req):
            self._fire("color_requested", by)

    def _replay(self, intent: intents.WantReplay) -> None:
        with self._view.sending("emb"):
            self._fire("replay_requested", intent.index)

    def _select_gate(self, intent: intents.SelectGate) -> None:
        self._fire("gate_selection_requested", intent.name, intent.mode)

    def _explain_gate(self, intent: intents.WantGateExplanation) -> None:
        self._fire("gate_explanation_requested", intent.name)

    def _add_gate(self, intent: intents.AddGate) -> None:
        self._fire("gate_requested", _points(intent.polygon), None, None)

    def _combine_gates(self, intent: intents.CombineGates) -> None:
        self._fire("combined_gate_requested", intent.operation, intent.members, None)

    def _edit_gate(self, intent: intents.EditGate) -> None:
        polygon = None if intent.polygon is None else _points(intent.polygon)
        changes = {"name": intent.new_name, "color": intent.color, "polygon": polygon}
        given = {name: value for name, value in changes.items() if value is not None}
        self._fire("gate_edit_requested", intent.name, given)

    def _hover(self, intent: intents.Hover) -> None:
        self._fire("hover_requested", None if intent.row < 0 else intent.row)

    def _decode(self, intent: intents.Decode) -> None:
        place = np.array([intent.x, intent.y])
        style = "random" if intent.another else self._sample_at(intent.carry)
        if intent.angle:
            self._fire("turned_decode_requested", place, style, intent.angle)
        elif style is None:
            self._fire("decode_requested", place)
        else:
            self._fire("styled_decode_requested", place, style)

    def _decode_path(self, intent: intents.DecodePath) -> None:
        if not 2 <= intent.n <= MOST_STEPS:
            raise InvalidInputError(
                f"n must be in [2, {MOST_STEPS}]; got {intent.n}. Ask for so many pictures."
            )
        carried = self._sample_at(intent.carry)
        if intent.angle:
            points = _points(intent.points)
            self._fire("turned_path_requested", points, intent.n, carried, intent.angle)
        elif carried is None:
            self._fire("path_requested", _points(intent.points), intent.n)
        else:
            self._fire("styled_path_requested", _points(intent.points), intent.n, carried)

    def _sample_at(self, row: int) -> SampleId | None:
        """The sample whose style code is used; None for -1, the typical sample."""
        if row < 0:
            return None
        samples = self._view.samples
        n_samples = 0 if samples is None else len(samples)
        if samples is None or row >= n_samples:
            raise InvalidInputError(
                f"carry must be one of the {n_samples:,} samples; got {row}. Reload the page."
            )
        return samples.identities[row]

    def _reconstruct(self, intent: intents.WantReconstructions) -> None:
        if not 1 <= intent.n <= MOST_RECONSTRUCTIONS:
            raise InvalidInputError(
                f"n must be in [1, {MOST_RECONSTRUCTIONS}]; got {intent.n}. "
                "Ask for so many samples."
            )
        self._fire("sample_reconstructions_requested", intent.n)

    def _draw_thumbnails(self, intent: intents.WantThumbnails) -> None:
        samples = self._view.samples
        n_samples = 0 if samples is None else len(samples)
        if len(intent.rows) > MOST_THUMBNAILS or any(not 0 <= r < n_samples for r in intent.rows):
            raise InvalidInputError(
                f"rows must be at most {MOST_THUMBNAILS} of the {n_samples:,} samples; got "
                f"{len(intent.rows)}. Reload the page."
            )
        if samples is not None:
            self._view.send_pictures(samples, intent.rows)

    def _draw_picture(self, intent: intents.WantPicture) -> None:
        samples = self._view.samples
        if samples is None:
            raise InvalidInputError("samples must be there; got none. Choose some.")
        if self._reader is None or self._reader[0] is not samples:
            self._reader = (samples, PictureReader(samples))
        self._view.outbox.answer(*self._reader[1].read(intent))

    def _locate(self, intent: intents.WantPlace) -> None:
        samples = self._view.samples
        place = None if samples is None else locate(samples, intent)
        if place is not None:
            self._view.outbox.answer(place)


_SLOW = (
    intents.Decode,
    intents.ClearDecoded,
    intents.DecodePath,
    intents.WantReconstructions,
    intents.ClearReconstructions,
    intents.WantThumbnails,
    intents.WantPicture,
    intents.WantPlace,
    intents.WantReplay,
    intents.WantExplanation,
    intents.WantGateExplanation,
)

_OF_MARKS = (
    intents.WantReconstructions,
    intents.ClearReconstructions,
    intents.WantExplanation,
    intents.WantGateExplanation,
)
"""Of these the subject is the selection or a gate, as the commands before them leave it."""

_COMMAND_SIGNALS = {
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
