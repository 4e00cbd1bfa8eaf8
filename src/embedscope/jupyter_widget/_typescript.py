"""Writes the message classes as TypeScript interfaces; the page is compiled against them.

Run ``python -m embedscope.jupyter_widget._typescript`` after a change of the messages. A test
checks that ``js/src/messages.ts`` is what this module writes.
"""

from __future__ import annotations

import dataclasses
import types
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from embedscope.jupyter_widget.protocol._intents import FROM_PAGE
from embedscope.jupyter_widget.protocol._message_base import Message
from embedscope.jupyter_widget.protocol._messages import FROM_KERNEL, PARTS, PROTOCOL
from embedscope.jupyter_widget.protocol._state import STATE_PARTS

TARGET = Path(__file__).parent / "js" / "src" / "messages.ts"
_SIMPLE = {str: "string", int: "number", float: "number", bool: "boolean", type(None): "null"}


def write_interfaces() -> str:
    """All messages as TypeScript source."""
    parts = [_interface(part) for part in (*PARTS, *STATE_PARTS, *FROM_KERNEL, *FROM_PAGE)]
    header = (
        "// Generated from the Python classes by embedscope.jupyter_widget._typescript: edit those."
    )
    unions = [_union("FromKernel", FROM_KERNEL), _union("FromPage", FROM_PAGE)]
    return "\n\n".join([header, f"export const PROTOCOL = {PROTOCOL};", *parts, *unions]) + "\n"


def _interface(part: type) -> str:
    hints = get_type_hints(part)
    fields = [f"  {f.name}: {type_name(hints[f.name])};" for f in dataclasses.fields(part)]
    if issubclass(part, Message):
        fields.insert(0, f'  t: "{part.kind}";')
        fields.extend(f"  // buffer: {buffer}" for buffer in part.buffers)
    return "\n".join([f"export interface {part.__name__} {{", *fields, "}"])


def _union(name: str, messages: tuple[type[Message], ...]) -> str:
    return "\n".join([f"export type {name} =", *(f"  | {m.__name__}" for m in messages)]) + ";"


def type_name(hint: Any) -> str:
    """A Python annotation in TypeScript."""
    if hint in _SIMPLE:
        return _SIMPLE[hint]
    if hint is Any:
        return "unknown"
    if dataclasses.is_dataclass(hint):
        return str(getattr(hint, "__name__", hint))
    return _generic_name(get_origin(hint), get_args(hint))


def _generic_name(origin: Any, arguments: tuple[Any, ...]) -> str:
    if origin is Literal:
        return " | ".join(f'"{value}"' for value in arguments)
    if origin in (Union, types.UnionType):
        return " | ".join(type_name(argument) for argument in arguments)
    if origin is list:
        return f"Array<{type_name(arguments[0])}>"
    if origin is dict:
        return f"Record<{type_name(arguments[0])}, {type_name(arguments[1])}>"
    return f"[{', '.join(type_name(argument) for argument in arguments)}]"


if __name__ == "__main__":
    TARGET.write_text(write_interfaces(), encoding="utf-8")
