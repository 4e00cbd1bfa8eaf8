"""How numbers of things are said to people."""

from __future__ import annotations


def counted(number: int, noun: str, plural: str = "") -> str:
    """A number with its noun, which takes an "s" or is `plural`: "1 row", "1,000 rows"."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"
