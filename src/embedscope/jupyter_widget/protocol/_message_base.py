"""The base class of all messages: a head without arrays, its kind, and its arrays."""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar


class Message:
    """A head; `kind` is its name on the wire, `buffers` describes the arrays sent with it."""

    kind: ClassVar[str]
    buffers: ClassVar[tuple[str, ...]] = ()

    def to_dict(self) -> dict[str, Any]:
        """The head for JSON, with its kind under ``t``."""
        return {"t": self.kind, **dataclasses.asdict(self)}  # type: ignore[call-overload]
