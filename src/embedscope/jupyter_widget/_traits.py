"""The traits of the widget: those that the page shows, and those that the user may set."""

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
from embedscope.jupyter_widget._host import LAYOUT
from embedscope.jupyter_widget.protocol._messages import PROTOCOL
from embedscope.samples import SampleId

_LOWEST_HEIGHT, _HIGHEST_HEIGHT = 200, 2000  # pixels


class ExplorerTraits(anywidget.AnyWidget):
    """The traits of the widget.

    The explorer owns the state. A value from the explorer is stored in `_from_explorer` before the
    trait is set; validators and observers know it by that, and send no intent back for it.

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
        self._from_explorer: dict[str, Any] = {"selection": ()}
        shown = {
            "status": describe_status(explorer.status),
            "catalog": describe_samples(explorer.samples, Abilities.of(explorer)),
            "history": describe_history(explorer.history),
            "form": describe_form(),
            "parameters": explorer.parameters.to_dict(),
        }
        self._from_explorer.update(shown)
        super().__init__(**shown, height=height, layout=LAYOUT)

    def _show_trait(self, name: str, value: Any) -> None:
        """Set a trait to a value of the explorer."""
        self._from_explorer[name] = value
        setattr(self, name, value)

    def _is_from_explorer(self, name: str, value: Any) -> bool:
        return value is self._from_explorer[name]

    # -- set by the explorer only ----------------------------------------------------------------

    @traitlets.validate("status", "catalog", "history", "form")
    def _check_shown(self, proposal: dict[str, Any]) -> Any:
        name = proposal["trait"].name
        if not self._is_from_explorer(name, proposal["value"]):
            raise InvalidInputError(
                f"{name} must be left to the widget; got {type(proposal['value']).__name__}. "
                "Use the commands of widget.explorer."
            )
        return proposal["value"]

    # -- set by the user, too --------------------------------------------------------------------

    @traitlets.validate("selection")
    def _check_selection(self, proposal: dict[str, Any]) -> Any:
        value = proposal["value"]
        if self._is_from_explorer("selection", value):
            return value
        ids = _ids(value)
        samples = self._explorer.samples
        for sample_id in ids:
            if samples is None:
                raise InvalidInputError(
                    f"selection must be empty without samples; got {sample_id}. Give samples first."
                )
            samples.identities.row(sample_id)  # raises if there is no such sample
        return ids

    @traitlets.observe("selection")
    def _select(self, change: dict[str, Any]) -> None:
        if not self._is_from_explorer("selection", change["new"]):
            self._explorer.select_ids(change["new"], origin="python")

    @traitlets.validate("parameters")
    def _check_parameters(self, proposal: dict[str, Any]) -> dict[str, Any]:
        value: dict[str, Any] = proposal["value"]
        if self._is_from_explorer("parameters", value):
            return value
        return self._explorer.parameters.replace(**value).to_dict()

    @traitlets.observe("parameters")
    def _set_parameters(self, change: dict[str, Any]) -> None:
        if not self._is_from_explorer("parameters", change["new"]):
            self._explorer.set_parameters(**change["new"])

    def _show_selection(self, ids: Sequence[SampleId]) -> None:
        self._show_trait("selection", tuple(ids))

    def _send(self, msg: Any, buffers: Any = None) -> None:
        # A trait that a cell sets is sent by the cell's thread; everything else by the pump's.
        with self._sending:
            super()._send(msg, buffers=buffers)


def _ids(given: tuple[Any, ...]) -> tuple[SampleId, ...]:
    """Identities from tuples or lists."""
    for each in given:
        if not isinstance(each, tuple | list) or len(each) != len(SampleId._fields):
            raise InvalidTypeError(
                f"selection must be identities (source, frame, label); got {each!r}. "
                "Take them from widget.explorer.samples.identities."
            )
    return tuple(SampleId(*each) for each in given)
