"""Drop a session folder into napari, and the dock opens it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from embedscope._errors import InvalidInputError

SESSION_FILE, MODEL_FILE = "session.json", "model.json"
PLUGIN, WIDGET = "embedscope", "Explore embedding"

Reader = Callable[[Any], list[tuple[Any, ...]]]


def get_reader(path: str | Sequence[str]) -> Reader | None:
    """Return a reader if a path is an embedscope session, or a trained map without one.

    Parameters
    ----------
    path : str or sequence of str
        A session's folder, its ``session.json``, or the trained map in it.

    Returns
    -------
    callable or None
        Opens the session, or raises for a trained map alone; None leaves the path to other readers.
    """
    if not isinstance(path, str):
        return None
    home = _session_at(Path(path))
    if home is not None:
        return lambda _: _open_in_dock(str(home))
    is_model = (Path(path) / MODEL_FILE).is_file() or Path(path).name == MODEL_FILE
    return _refuse_model if is_model and Path(path).exists() else None


def _session_at(path: Path) -> Path | None:
    """The session that a path belongs to."""
    belongs = path.name == SESSION_FILE or (path / MODEL_FILE).is_file()
    home = path.parent if belongs else path
    return home if (home / SESSION_FILE).is_file() else None


def _open_in_dock(path: str) -> list[tuple[Any, ...]]:
    import napari

    viewer = napari.current_viewer()
    if viewer is not None:
        _, dock = viewer.window.add_plugin_dock_widget(PLUGIN, WIDGET)
        dock.open_session(path)
    return [(None,)]  # tells napari "read, without any layer"


def _refuse_model(path: Any) -> NoReturn:
    raise InvalidInputError(
        f"path must be a session; got {path}, a trained map alone, which does not say how samples "
        "are cut and scaled. Save a session: Export > Save session here, Explorer.save in a script."
    )
