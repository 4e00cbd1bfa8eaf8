"""Text of numbers with their nouns."""

from __future__ import annotations


def counted(number: int, noun: str, plural: str = "") -> str:
    """A number with its noun, plural with "s" or as `plural`: "1 row", "1,000 rows"."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"
