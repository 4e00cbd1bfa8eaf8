"""Reads an intent from a message of a page, and checks every field: a page may be old or broken."""

from __future__ import annotations

import dataclasses
import math
import types
from collections.abc import Callable
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from embedscope._errors import InvalidInputError
from embedscope.jupyter_widget.protocol._intents import FROM_PAGE
from embedscope.jupyter_widget.protocol._message_base import Message

_LONGEST_LIST = 100_000  # items; more than any intent has
_LONGEST_TEXT = 10_000  # characters
_BY_KIND = {intent.kind: intent for intent in FROM_PAGE}


def read_intent(content: Any) -> Message:
    """The intent in a message of a page.

    Parameters
    ----------
    content : object
        The content of the message, of any type.

    Returns
    -------
    Message
        One of `FROM_PAGE`. Fields that this version does not know are ignored; fields that the
        page's version does not know have their defaults.

    Raises
    ------
    InvalidInputError
        If the kind is unknown, or a field is missing or of a wrong type.
    """
    kind = content.get("t") if isinstance(content, dict) else None
    intent = _BY_KIND.get(kind) if isinstance(kind, str) else None
    if intent is None:
        raise InvalidInputError(
            f"t must be one of {', '.join(_BY_KIND)}; got {kind!r:.80}. Reload the page."
        )
    hints = get_type_hints(intent)
    values = {
        field.name: _read(hints[field.name], content.get(field.name, _default(field)), field.name)
        for field in dataclasses.fields(intent)  # type: ignore[arg-type]
    }
    return intent(**values)


def request_number(content: Any) -> int:
    """The number of a request, which may be malformed; 0 if it has none."""
    number = content.get("req") if isinstance(content, dict) else None
    return number if isinstance(number, int) and not isinstance(number, bool) else 0


_MISSING = object()


def _default(field: dataclasses.Field[Any]) -> Any:
    return _MISSING if field.default is dataclasses.MISSING else field.default


def _read(hint: Any, value: Any, name: str) -> Any:
    if hint is Any:
        if value is _MISSING:
            raise _wrong(name, "there", value)
        return value
    origin = get_origin(hint)
    return _READERS[hint if origin is None else origin](hint, value, name)


def _read_text(hint: Any, value: Any, name: str) -> str:
    if not isinstance(value, str) or len(value) > _LONGEST_TEXT:
        raise _wrong(name, "a text", value)
    return value


def _read_bool(hint: Any, value: Any, name: str) -> bool:
    if not isinstance(value, bool):
        raise _wrong(name, "true or false", value)
    return value


def _read_int(hint: Any, value: Any, name: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) >= 2**53:
        raise _wrong(name, "a whole number below 2**53", value)
    return value


def _read_float(hint: Any, value: Any, name: str) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    # An int may be too large for a float, so its size is checked first.
    if not is_number or not abs(value) < 1e300 or not math.isfinite(value):
        raise _wrong(name, "a finite number", value)
    return float(value)


def _read_none(hint: Any, value: Any, name: str) -> None:
    if value is not None:
        raise _wrong(name, "null", value)


def _read_literal(hint: Any, value: Any, name: str) -> str:
    if not isinstance(value, str) or value not in get_args(hint):
        raise _wrong(name, f"one of {', '.join(get_args(hint))}", value)
    return value


def _read_list(hint: Any, value: Any, name: str) -> list[Any]:
    if not isinstance(value, list) or len(value) > _LONGEST_LIST:
        raise _wrong(name, f"a list of at most {_LONGEST_LIST:,} items", value)
    return [_read(get_args(hint)[0], item, f"an item of {name}") for item in value]


def _read_dict(hint: Any, value: Any, name: str) -> dict[str, Any]:
    if not isinstance(value, dict) or len(value) > _LONGEST_LIST:
        raise _wrong(name, "an object", value)
    of_key, of_value = get_args(hint)
    return {
        _read(of_key, key, f"a name in {name}"): _read(of_value, item, f"an entry of {name}")
        for key, item in value.items()
    }


def _read_union(hint: Any, value: Any, name: str) -> Any:
    """Every union here is an optional field: null, or one other type."""
    if value is None:
        return None
    (other,) = (choice for choice in get_args(hint) if choice is not type(None))
    return _read(other, value, name)


def _wrong(name: str, rule: str, value: Any) -> InvalidInputError:
    got = "nothing" if value is _MISSING else f"{value!r:.80}"
    return InvalidInputError(f"{name} must be {rule}; got {got}. Reload the page.")


_READERS: dict[Any, Callable[[Any, Any, str], Any]] = {
    str: _read_text,
    bool: _read_bool,
    int: _read_int,
    float: _read_float,
    type(None): _read_none,
    Literal: _read_literal,
    list: _read_list,
    dict: _read_dict,
    Union: _read_union,
    types.UnionType: _read_union,
}
