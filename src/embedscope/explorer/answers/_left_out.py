"""What is not among the samples, in words."""

from __future__ import annotations

from typing import NamedTuple

from embedscope._wording import counted
from embedscope.samples import NotLearned, Samples

_MOST_NAMED, _MOST_LINES = 2, 40


class LeftOutInWords(NamedTuple):
    """What was left out, as front ends show it; "" and () if nothing was.

    Attributes
    ----------
    sentence : str
        Names the first entries and counts the others.
    lines : tuple of str
        A line for each entry; those after the fortieth are counted.
    """

    sentence: str
    lines: tuple[str, ...]


def left_out_in_words(samples: Samples | None) -> LeftOutInWords:
    """What was left out of the samples: first what is missing, then what is not learned from.

    Parameters
    ----------
    samples : Samples or None
    """
    entries = () if samples is None else samples.left_out
    entries = tuple(sorted(entries, key=lambda entry: isinstance(entry, NotLearned)))
    if not entries:
        return LeftOutInWords("", ())
    named = [f"{entry.name} ({entry.reason})" for entry in entries[:_MOST_NAMED]]
    if len(entries) > _MOST_NAMED:
        named.append(counted(len(entries) - _MOST_NAMED, "other"))
    before = ", ".join(named[:-1])
    sentence = f"Left out or changed: {before + ' and ' if before else ''}{named[-1]}."
    lines = [f"{entry.name}: {entry.reason}" for entry in entries[:_MOST_LINES]]
    if len(entries) > _MOST_LINES:
        lines.append(f"and {len(entries) - _MOST_LINES:,} more")
    return LeftOutInWords(sentence, tuple(lines))
