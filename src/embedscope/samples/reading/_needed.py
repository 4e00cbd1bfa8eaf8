"""Optional packages, and paths that must exist."""

from __future__ import annotations

import os
from importlib import import_module
from pathlib import Path
from typing import Any

from embedscope._errors import InvalidInputError, MissingDependencyError


def needed(package: str, extra: str) -> Any:
    """Import an optional package.

    Raises
    ------
    MissingDependencyError
        If it cannot be imported, with what to install.
    """
    try:
        return import_module(package)
    except ImportError as error:
        raise MissingDependencyError(
            f"{package} must be installed for this kind of file; got {error}. Run: pip install "
            f'"embedscope[{extra}]"'
        ) from error


def existing(path: str | os.PathLike[str], what: str) -> Path:
    """The path of a file or folder that exists; a member of a file is looked for later.

    Raises
    ------
    InvalidInputError
        If there is none.
    """
    file = Path(path)
    if not file.exists() and "::" not in str(file) and "*" not in file.name:
        raise InvalidInputError(
            f"{what} must be a file that exists; got {str(file)!r}. Correct the path."
        )
    if file.name.endswith("_seg.npy"):
        raise InvalidInputError(
            f"{what} must be no pickle, which can run code when it is opened; got {str(file)!r}, "
            "which Cellpose has written as one. Save the masks as TIFF: "
            "cellpose.io.save_masks(..., tif=True), or the option --save_tif."
        )
    return file


def is_path(data: Any) -> bool:
    """Whether something is a path of a file."""
    return isinstance(data, str | os.PathLike)
