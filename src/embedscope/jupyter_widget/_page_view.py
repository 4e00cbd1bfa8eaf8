"""The explorer's view on the page: setters fill the outbox, `IntentDispatcher` emits intents."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from embedscope._errors import EmbedscopeError
from embedscope.explorer import (
    ColorBy,
    Coloring,
    Embedding,
    Explanation,
    GateSet,
    History,
    Hovered,
    Reconstruction,
    SampleReconstruction,
    Selection,
    ViewIntents,
)
from embedscope.jupyter_widget._catalog import (
    Abilities,
    describe_history,
    describe_samples,
    describe_status,
    explain_error,
)
from embedscope.jupyter_widget._loss_rows import LossRows
from embedscope.jupyter_widget.pictures._atlas import no_atlas
from embedscope.jupyter_widget.protocol._message_base import Message
from embedscope.jupyter_widget.protocol._messages import (
    Failed,
    Forgotten,
    HoveredMessage,
    Said,
    Synchronised,
)
from embedscope.jupyter_widget.wire._encoding import (
    encode_colors,
    encode_explanation,
    encode_gates,
    encode_losses,
    encode_novel,
    encode_path,
    encode_positions,
    encode_reconstruction,
    encode_reconstructions,
    encode_selection,
    encode_thumbnails,
)
from embedscope.jupyter_widget.wire._outbox import Buffers, PageOutbox
from embedscope.jupyter_widget.wire._pump import TRAIT, Pump
from embedscope.samples import Identities, Samples
from embedscope.training import Status, TrainingParameters

if TYPE_CHECKING:
    import pandas as pd

Answer = Literal["decoded", "path", "reconstructed", "explained"]
REVISED = ("emb", "attr", "novel", "loss", "sel", "gates", "atlas")


class PageView:
    """An `ExplorerView` that sends its state to a page.

    A setter only puts its value into the outbox. Values become messages when they are sent.

    Parameters
    ----------
    send : callable
        ``send(message, buffers)``, called by one thread at a time.
    set_trait : callable
        ``set_trait(name, value)``, likewise.
    abilities : callable
        ``abilities()`` gives what the explorer can do now.
    color_by : callable
        ``color_by()`` gives what the explorer colours by.

    Attributes
    ----------
    intents : ViewIntents
    outbox : PageOutbox
    pump : Pump
    samples : Samples or None
        The samples that are shown.
    first_map : int
        Revision of the first map of these samples; rows of earlier maps are of other samples.
    """

    def __init__(
        self,
        send: Callable[[Message, Buffers], None],
        set_trait: Callable[[str, Any], None],
        abilities: Callable[[], Abilities] = Abilities,
        color_by: Callable[[], ColorBy] = ColorBy,
    ) -> None:
        self.intents = ViewIntents()
        self.samples: Samples | None = None
        self.first_map = 0
        self._abilities = abilities
        self._color_by = color_by
        self._losses = LossRows()
        self._request_of_thread = threading.local()
        self._colors_asked = 0  # number of the last request for colours that was done
        self._phase: Any = None
        self._last_answers: dict[Answer, tuple[Message, Buffers]] = {}
        self._pictured: set[int] = set()  # rows whose pictures were sent
        self.outbox = PageOutbox()
        self.pump = Pump(self.outbox, self._encode, send, set_trait)

    def close(self) -> None:
        """Stop sending."""
        self.pump.close()

    # -- setters ---------------------------------------------------------------------------------

    def show_samples(self, samples: Samples | None) -> None:
        """Show other samples; answers about the earlier ones are removed from the page."""
        if samples is not self.samples:
            if _rows_of(samples) is not _rows_of(self.samples):
                self.first_map = self.outbox.revisions().get("emb", 0) + 1
            if self.samples is not None:
                self.outbox.answer(Forgotten([*get_args(Answer), "thumbnails"]))
            self.samples = samples
            self._last_answers.clear()
            self._pictured = set()
        self._put_catalog()

    def show_parameters(self, parameters: TrainingParameters) -> None:
        """Fill the form."""
        self._put_trait("parameters", parameters.to_dict())

    def show_status(self, status: Status) -> None:
        """Show the progress of the run; what the explorer can do may change with the phase."""
        self._put_trait("status", describe_status(status))
        if status.phase is not self._phase:
            self._phase = status.phase
            self._put_catalog()

    def show_losses(self, losses: Mapping[str, Sequence[float]]) -> None:
        """Extend the loss curves."""
        self.outbox.put("loss", self._losses.next(losses))

    def show_embedding(self, embedding: Embedding) -> None:
        """Move the points."""
        self.outbox.put("emb", (embedding, self._snapshot_of(embedding)))
        if embedding.is_final:
            self._put_catalog()

    def show_coloring(self, coloring: Coloring) -> None:
        """Colour the points."""
        self.outbox.put("attr", (coloring, self._color_by()))

    def show_novel(self, novel: npt.NDArray[np.bool_]) -> None:
        """Mark the samples that are unlike those trained on."""
        self.outbox.put("novel", novel)

    def show_selection(self, selection: Selection) -> None:
        """Mark the selected samples."""
        self.outbox.put("sel", (selection, self._n_samples), self._least_revision)

    def show_hovered(self, hovered: Hovered) -> None:
        """Mark the sample under the pointer."""
        self.outbox.put("hovered", -1 if hovered.row is None else hovered.row)

    def show_gates(self, gates: GateSet, counts: pd.DataFrame) -> None:
        """Show the gates and their counts."""
        self.outbox.put("gates", (gates, counts, self._n_samples))

    def show_reconstruction(
        self, reconstruction: Reconstruction | tuple[Reconstruction, ...] | None
    ) -> None:
        """Show what was decoded, or nothing."""
        if reconstruction is None or self.samples is None:
            self._forget("decoded", "path")
        elif isinstance(reconstruction, tuple):
            self._answer("path", *encode_path(reconstruction, self.samples, self._request))
        else:
            self._send_nearest(reconstruction, self.samples)
            drawn = encode_reconstruction(reconstruction, self.samples, self._request)
            self._answer("decoded", *drawn)

    def show_sample_reconstructions(
        self, reconstructions: tuple[SampleReconstruction, ...]
    ) -> None:
        """Show samples beside their reconstructions, or nothing."""
        if not reconstructions or self.samples is None:
            self._forget("reconstructed")
        else:
            drawn = encode_reconstructions(reconstructions, self.samples, self._request)
            self._answer("reconstructed", *drawn)

    def show_explanation(self, explanation: Explanation | None) -> None:
        """Show which features drive the position of samples, or nothing."""
        if explanation is None:
            self._forget("explained")
        else:
            self._answer("explained", *encode_explanation(explanation, self._request))

    def show_history(self, history: History) -> None:
        """Show what can be undone and redone."""
        self._put_trait("history", describe_history(history))

    def show_message(self, text: str) -> None:
        """Show what was done."""
        self.outbox.put("say", text)

    def show_error(self, error: BaseException) -> None:
        """Show what is wrong and what to do, as the answer to the request of this thread."""
        message, hint = explain_error(error)
        self.outbox.answer(Failed(self._request, message, hint))

    # -- for the dispatcher ----------------------------------------------------------------------

    @contextmanager
    def answering(
        self, request: int, *, revision: int = 0, snapshot: int | None = None
    ) -> Iterator[None]:
        """Within this context, what this thread shows is the answer to a request.

        Parameters
        ----------
        request : int
            Its number.
        revision : int
            The least revision of a selection in the answer.
        snapshot : int, optional
            The number of the snapshot in the request.
        """
        current = self._request_of_thread
        current.request, current.revision, current.snapshot = request, revision, snapshot
        try:
            yield
        finally:
            current.request, current.revision, current.snapshot = 0, 0, None

    @contextmanager
    def coloring(self, request: int) -> Iterator[None]:
        """Within this context, a request for colours is done; it is answered by the colours.

        The page knows by the number which of its requests they include.
        """
        self._colors_asked = request
        with self.sending("attr"):
            yield

    @contextmanager
    def sending(self, kind: str) -> Iterator[None]:
        """A state of this kind is sent after this context, even if it does not change there."""
        before = self.outbox.revisions().get(kind)
        yield
        if self.outbox.revisions().get(kind) == before:
            self.outbox.put_again(kind)

    def resend(self, have: Mapping[str, int], *, everything: bool) -> None:
        """Send a page the state that it lacks, then the revisions that it has by then."""
        revisions = self.outbox.revisions()
        for kind in REVISED:
            if kind in revisions and have.get(kind, 0) < revisions[kind]:
                self.outbox.put_again(kind)
                if kind == "loss":
                    self._losses.forget_sent()
        if everything:
            self._pictured = set()
            self.outbox.put_again("hovered")
            for answer in self._last_answers.values():
                self.outbox.answer(*answer)
        known = {kind: revisions[kind] for kind in REVISED if kind in revisions}
        self.outbox.answer(Synchronised(known))

    def send_pictures(self, samples: Samples, rows: Sequence[int]) -> None:
        """Send pictures and hover texts of some samples, unless other samples are shown by now."""
        pictured = self._pictured
        drawn = encode_thumbnails(samples, rows, self._color_by())
        if self.samples is samples:
            pictured.update(rows)
            self.outbox.answer(*drawn)

    # -- encoding, in the thread that sends ------------------------------------------------------

    def _encode(self, kind: str, value: Any, revision: int) -> tuple[Message, Buffers] | None:
        return _ENCODERS[kind](self, value, revision)

    def _encode_emb(self, value: Any, revision: int) -> tuple[Message, Buffers]:
        embedding, snapshot = value
        return encode_positions(embedding, snapshot, revision)

    def _encode_attr(self, value: Any, revision: int) -> tuple[Message, Buffers]:
        coloring, color_by = value
        return encode_colors(coloring, color_by, revision, self._colors_asked)

    def _encode_novel(self, value: Any, revision: int) -> tuple[Message, Buffers]:
        return encode_novel(value, revision)

    def _encode_loss(self, value: Any, revision: int) -> tuple[Message, Buffers]:
        run, losses = value
        return encode_losses(losses, run, self._losses.start(run, losses), revision)

    def _encode_sel(self, value: Any, revision: int) -> tuple[Message, Buffers]:
        selection, n_samples = value
        return encode_selection(selection, n_samples, revision)

    def _encode_gates(self, value: Any, revision: int) -> tuple[Message, Buffers]:
        gates, counts, n_samples = value
        return encode_gates(gates, counts, n_samples, revision), ()

    def _encode_hovered(self, value: Any, revision: int) -> tuple[Message, Buffers]:
        return HoveredMessage(value), ()

    def _encode_say(self, value: Any, revision: int) -> tuple[Message, Buffers]:
        return Said(value), ()

    def _encode_atlas(self, value: Any, revision: int) -> tuple[Message, Buffers]:
        if value is None:
            return no_atlas(revision), (b"", b"")
        make_head, buffers = value
        return make_head(rev=revision), buffers

    # -- helpers ---------------------------------------------------------------------------------

    @property
    def _n_samples(self) -> int:
        return 0 if self.samples is None else len(self.samples)

    @property
    def _request(self) -> int:
        return int(getattr(self._request_of_thread, "request", 0))

    @property
    def _least_revision(self) -> int:
        return int(getattr(self._request_of_thread, "revision", 0))

    def _send_nearest(self, drawn: Reconstruction, samples: Samples) -> None:
        """Send the pictures of the nearest samples with the decoded picture, before the page asks.

        If one cannot be read, the page asks for it and gets the error.
        """
        rows = [row for row in drawn.neighbor_rows.tolist() if row not in self._pictured]
        if rows and samples.is_image:
            with suppress(EmbedscopeError):
                self.send_pictures(samples, rows)

    def _answer(self, what: Answer, message: Message, buffers: Buffers) -> None:
        self._last_answers[what] = (message, buffers)
        self.outbox.answer(message, buffers)

    def _forget(self, *answers: Answer) -> None:
        shown = [what for what in answers if self._last_answers.pop(what, None)]
        if shown:
            self.outbox.answer(Forgotten(list(shown)))

    def _put_trait(self, name: str, value: Any) -> None:
        self.outbox.put(TRAIT + name, value)

    def _put_catalog(self) -> None:
        self._put_trait("catalog", describe_samples(self.samples, self._abilities()))

    def _snapshot_of(self, embedding: Embedding) -> int:
        """Number of the snapshot that an embedding is; -1 for the present map."""
        is_live = self._phase is not None and self._phase.is_at_work
        epochs = self._abilities().epochs
        if embedding.is_final or is_live or embedding.epoch not in epochs:
            return -1
        asked = getattr(self._request_of_thread, "snapshot", None)
        if asked is not None and 0 <= asked < len(epochs) and epochs[asked] == embedding.epoch:
            return int(asked)
        return int(np.flatnonzero(np.array(epochs) == embedding.epoch)[0])


_ENCODERS: dict[str, Callable[[PageView, Any, int], tuple[Message, Buffers]]] = {
    "emb": PageView._encode_emb,
    "attr": PageView._encode_attr,
    "novel": PageView._encode_novel,
    "loss": PageView._encode_loss,
    "sel": PageView._encode_sel,
    "gates": PageView._encode_gates,
    "hovered": PageView._encode_hovered,
    "say": PageView._encode_say,
    "atlas": PageView._encode_atlas,
}


def _rows_of(samples: Samples | None) -> Identities | None:
    """The identities of the rows; the same object when only pictures or features were added."""
    return None if samples is None else samples.identities
