"""What of an explorer are traits of the widget: what the page shows, and what people may set."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import anywidget
import traitlets

from embedscope._errors import InvalidInputError, InvalidTypeError
from embedscope.explorer import Explorer
from embedscope.jupyter_widget._catalog import (
    Abilities,
    describe_form,
    describe_history,
    describe_samples,
    describe_status,
)
from embedscope.jupyter_widget.protocol._messages import PROTOCOL
from embedscope.samples import SampleId

_LOWEST_HEIGHT, _HIGHEST_HEIGHT = 200, 2000


class ExplorerTraits(anywidget.AnyWidget):
    """The traits of the widget, each with its owner.

    The explorer is the master. A value that it has told is marked as such before the trait is set,
    so that it neither comes back as a wish nor is taken for one.

    Parameters
    ----------
    explorer : Explorer
    height : int
        Height of the map in pixels, in 200..2000.
    """

    protocol = traitlets.Int(PROTOCOL, read_only=True).tag(sync=True)
    status = traitlets.Dict().tag(sync=True)
    catalog = traitlets.Dict().tag(sync=True)
    history = traitlets.Dict().tag(sync=True)
    form: Any = traitlets.List().tag(sync=True)
    parameters = traitlets.Dict().tag(sync=True)
    height = traitlets.Int(480, min=_LOWEST_HEIGHT, max=_HIGHEST_HEIGHT).tag(sync=True)
    is_static = traitlets.Bool(False, read_only=True).tag(sync=True)
    selected = traitlets.Dict(
        {"count": 0, "revision": 0},
        per_key_traits={"count": traitlets.Int(min=0), "revision": traitlets.Int(min=0)},
    ).tag(sync=True)
    selection: Any = traitlets.Tuple()

    def __init__(self, explorer: Explorer, height: int) -> None:
        self._explorer = explorer
        self._sending = threading.RLock()
        self._told: dict[str, Any] = {"selection": ()}
        shown = {
            "status": describe_status(explorer.status),
            "catalog": describe_samples(explorer.samples, Abilities.of(explorer)),
            "history": describe_history(explorer.history),
            "form": describe_form(),
            "parameters": explorer.parameters.to_dict(),
        }
        self._told.update(shown)
        # The page fits itself to the width it is given, so in a box it would be given none.
        super().__init__(**shown, height=height, layout={"width": "100%"})

    def _show_trait(self, name: str, value: Any) -> None:
        """Set a trait to what the explorer told."""
        self._told[name] = value
        setattr(self, name, value)

    def _is_told(self, name: str, value: Any) -> bool:
        return value is self._told[name]

    # -- set by the explorer alone ---------------------------------------------------------------

    @traitlets.validate("status", "catalog", "history", "form")
    def _check_shown(self, proposal: dict[str, Any]) -> Any:
        name = proposal["trait"].name
        if not self._is_told(name, proposal["value"]):
            raise InvalidInputError(
                f"{name} must be left to the widget; got {type(proposal['value']).__name__}. "
                "Use the commands of widget.explorer."
            )
        return proposal["value"]

    # -- set by people, too ----------------------------------------------------------------------

    @traitlets.validate("selection")
    def _check_selection(self, proposal: dict[str, Any]) -> Any:
        value = proposal["value"]
        if self._is_told("selection", value):
            return value
        ids = _ids(value)
        samples = self._explorer.samples
        for sample_id in ids:
            if samples is None:
                raise InvalidInputError(
                    f"selection must be empty without samples; got {sample_id}. Give samples first."
                )
            samples.identities.row(sample_id)  # a clear error if it is not there
        return ids

    @traitlets.observe("selection")
    def _select(self, change: dict[str, Any]) -> None:
        if not self._is_told("selection", change["new"]):
            self._explorer.select_ids(change["new"], origin="python")

    @traitlets.validate("parameters")
    def _check_parameters(self, proposal: dict[str, Any]) -> dict[str, Any]:
        value: dict[str, Any] = proposal["value"]
        if self._is_told("parameters", value):
            return value
        return self._explorer.parameters.replace(**value).to_dict()

    @traitlets.observe("parameters")
    def _set_parameters(self, change: dict[str, Any]) -> None:
        if not self._is_told("parameters", change["new"]):
            self._explorer.set_parameters(**change["new"])

    def _show_selection(self, ids: Sequence[SampleId]) -> None:
        self._show_trait("selection", tuple(ids))

    def _send(self, msg: Any, buffers: Any = None) -> None:
        # The pump sends nearly everything; a trait that a cell sets is sent by the cell's thread.
        with self._sending:
            super()._send(msg, buffers=buffers)


def _ids(given: tuple[Any, ...]) -> tuple[SampleId, ...]:
    """Identities as people write them."""
    for each in given:
        if not isinstance(each, tuple | list) or len(each) != len(SampleId._fields):
            raise InvalidTypeError(
                f"selection must be identities (source, frame, label); got {each!r}. "
                "Take them from widget.explorer.samples.identities."
            )
    return tuple(SampleId(*each) for each in given)
