"""The command line; see `embedscope --help`."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; see ``embedscope --help``.

    Parameters
    ----------
    arguments : sequence of str, optional
        The command line without the program's name; the process's own by default.

    Returns
    -------
    int
        Exit status: 0 done; 2 the input broke a rule; 3 done, but some samples or files were left
        out; 130 stopped by Ctrl-C.
    """
    from embedscope.cli._commands import run

    return run(arguments)
