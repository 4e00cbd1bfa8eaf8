"""The command line: `embedscope demo` and `embedscope transform`."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; see ``embedscope --help``.

    Parameters
    ----------
    arguments : sequence of str, optional
        The command line without the program's name; by default that of the process.

    Returns
    -------
    int
        Exit status: 0, or 2 for invalid input.
    """
    from embedscope.cli._commands import run

    return run(arguments)
