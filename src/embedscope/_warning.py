"""Warnings that point at the user's line, however deep in the package the cause is."""

from __future__ import annotations

import sys
import warnings


def warn_caller(message: str, category: type[Warning] = UserWarning) -> None:
    """Warn at the innermost line of the call stack outside of the package.

    Parameters
    ----------
    message : str
    category : subclass of Warning
    """
    package = __name__.partition(".")[0]
    depth = 1
    frame = sys._getframe(depth)
    while frame.f_back is not None and _package_of(frame.f_globals) == package:
        frame = frame.f_back
        depth += 1
    warnings.warn(message, category, stacklevel=depth + 1)


def _package_of(namespace: dict[str, object]) -> str:
    return str(namespace.get("__name__", "")).partition(".")[0]
