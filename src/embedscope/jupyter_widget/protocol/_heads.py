"""What every message has: a head without arrays, its kind, and the arrays that travel beside it."""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar


class Message:
    """A head; `kind` names it on the wire, `buffers` what travels beside it."""

    kind: ClassVar[str]
    buffers: ClassVar[tuple[str, ...]] = ()

    def to_dict(self) -> dict[str, Any]:
        """The head as JSON holds it, with its kind under ``t``."""
        return {"t": self.kind, **dataclasses.asdict(self)}  # type: ignore[call-overload]
