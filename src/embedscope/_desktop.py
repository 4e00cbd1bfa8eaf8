"""What a window of napari needs, checked before anything slow is loaded.

napari brings no binding to Qt, so that an environment can hold the one it has already. Without any,
qtpy raises an error that names no remedy.
"""

from __future__ import annotations

from embedscope._errors import MissingDependencyError


def require_desktop(purpose: str) -> None:
    """Raise unless napari and a binding to Qt can be imported.

    Parameters
    ----------
    purpose : str
        What needs them, for the message.

    Raises
    ------
    MissingDependencyError
        If one cannot be imported. The message has the reason.
    """
    try:
        import qtpy.QtWidgets  # noqa: F401 - raises without a binding to Qt
    except ImportError as error:  # qtpy's error for a missing binding is one too
        raise MissingDependencyError(
            f'{purpose} must find Qt; got "{error}". Run: pip install "embedscope[napari]". In an '
            'environment that has napari already: pip install "napari[pyqt6]"'
        ) from error
    try:
        import napari  # noqa: F401
    except ImportError as error:
        raise MissingDependencyError(
            f'{purpose} must find napari; got "{error}". Run: pip install "embedscope[napari]"'
        ) from error
