"""`embedscope explore`: open a session in napari."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from embedscope._desktop import require_desktop
from embedscope._errors import InvalidInputError, MissingDependencyError
from embedscope.cli._placing import check_session

_DISPLAYS = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")


def explore(session: Path) -> None:
    """Open napari with a session in the dock, and return when the window is closed.

    Parameters
    ----------
    session : Path
        Its folder.

    Raises
    ------
    InvalidInputError
        If there is no session, or no screen.
    MissingDependencyError
        If napari or a binding to Qt is not installed.
    """
    check_session(session)
    if not _has_screen():
        raise InvalidInputError(
            "explore must have a screen; got a machine without one. Use `embedscope report`, or "
            "log in with a screen."
        )
    require_desktop("explore")
    import napari

    viewer = napari.Viewer(title=f"embedscope: {session.name}")
    viewer.open(str(session), plugin="embedscope")
    napari.run()


def can_show() -> bool:
    """Whether napari can open a window here."""
    if not _has_screen():
        return False
    try:
        require_desktop("demo")
    except MissingDependencyError:
        return False
    return True


def show_sample() -> None:
    """Open napari with the sample cells, in a process of its own.

    OpenGL has to be loaded before TensorFlow, which this process has loaded already.
    """
    subprocess.run([sys.executable, "-m", "embedscope.napari_dock"], check=True)


def _has_screen() -> bool:
    return sys.platform != "linux" or any(map(os.environ.get, _DISPLAYS))
