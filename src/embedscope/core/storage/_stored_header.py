"""The header of a saved model or session: the contents and checksums of the other files.

It holds the format number, the versions that saved it, parameters and state, the dtype and shape of
every array, and the size and SHA-256 of every file. It also holds a checksum of itself, over the
values and not the bytes, so that spacing does not matter. Checksums find damage. They are not a
signature: a program that can write the files can also write the header.
"""

from __future__ import annotations

import hashlib
import json
import platform
import re
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from embedscope._errors import InvalidInputError, InvalidModelError
from embedscope.core.storage._stored_directory import Layout, read_header

ARRAYS = "arrays.npz"
NAME = re.compile(r"[A-Za-z]\w*", re.ASCII)

_DTYPE = re.compile(r"[<>|][biufcU]\d+", re.ASCII)
_SECTIONS = ("versions", "parameters", "state", "arrays", "files")
_SEALS = ("kind", "format", "checksum")
_Read = TypeVar("_Read")


def seal(header: dict[str, Any], layout: Layout) -> bytes:
    """Convert a header to the bytes of its file, with its kind, format and checksum.

    Raises
    ------
    InvalidInputError
        If a value is not JSON, or not finite.
    """
    try:
        body = json.loads(json.dumps(header, allow_nan=False))
        seals = {"kind": layout.kind, "format": layout.format, "checksum": _checksum_of(body)}
        return json.dumps(seals | body, indent=1).encode("ascii")
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidInputError(
            f"parameters and state must be JSON values with finite numbers; got {error}. "
            "Give plain numbers, strings, lists and dicts, and keep arrays in arrays."
        ) from error


def read_sealed(path: Path, layout: Layout, read_files: Callable[[dict[str, Any]], _Read]) -> _Read:
    """Read a header and the files that it lists, all from the same save.

    Parameters
    ----------
    path : Path
        The directory. Another process may save to it meanwhile.
    layout : Layout
        The kind of directory.
    read_files : callable
        Reads the files, given the header; raises InvalidModelError if one is not as described.

    Raises
    ------
    InvalidModelError
        If the header is missing or `unseal` refuses it, or if `read_files` raises.
    """
    while True:
        file = read_header(path, layout)
        try:
            return read_files(unseal(file.content, layout))
        except InvalidModelError:
            # If a save replaced the files between two reads, the new files are read.
            if read_header(path, layout) == file:
                raise


def unseal(content: bytes, layout: Layout) -> dict[str, Any]:
    """Check the bytes of a header's file and convert them to the header.

    Raises
    ------
    InvalidModelError
        If they are damaged, of another kind, or of a newer format.
    """
    try:
        header = json.loads(content)
        is_ours = isinstance(header, dict) and header.get("kind") == layout.kind
        body = {section: header.get(section) for section in _SECTIONS} if is_ours else {}
        checksum = _checksum_of(body)
    except (ValueError, RecursionError) as error:
        raise damaged(layout, layout.header, f"JSON with finite numbers; got {error}") from error
    if not is_ours:
        raise InvalidModelError(
            f'{layout.header} must be of the kind "{layout.kind}"; it is not. '
            "Give a directory that save wrote."
        )
    _check_format(header.get("format"), layout)
    if header.get("checksum") != checksum:
        raise damaged(layout, layout.header, "what was saved; its checksum differs")
    if set(header) != {*_SEALS, *_SECTIONS} or not _is_header(body, layout):
        rule = f"a header of format {layout.format}; its entries are others"
        raise damaged(layout, layout.header, rule)
    return body


def damaged(layout: Layout, file: str, rule: str) -> InvalidModelError:
    """The error for a file that differs from the saved one."""
    return InvalidModelError(
        f"{file} must be {rule}. The file is damaged or was changed: copy the {layout.noun} again, "
        "or save it again."
    )


def describe_array(array: np.ndarray) -> dict[str, Any]:
    """Dtype and shape of an array."""
    return {"dtype": array.dtype.str, "shape": list(array.shape)}


def describe_versions(**others: str) -> dict[str, str]:
    """The versions of embedscope, numpy and Python, with those of `others`."""
    try:
        ours = metadata.version("embedscope")
    except metadata.PackageNotFoundError:  # run from a source tree that is not installed
        ours = "unknown"
    return {
        "embedscope": ours,
        **others,
        "numpy": np.__version__,
        "python": platform.python_version(),
    }


def is_storable(array: np.ndarray) -> bool:
    """Whether an array holds booleans, numbers or unicode, which need no pickle."""
    return _DTYPE.fullmatch(array.dtype.str) is not None


def _checksum_of(body: dict[str, Any]) -> str:
    """SHA-256 of a header's values, independent of spacing and order."""
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def _check_format(number: object, layout: Layout) -> None:
    """Refuse a format that this version cannot read."""
    if type(number) is not int or number < 1:
        raise damaged(layout, layout.header, f"a header with a format number; got {number!r}")
    if number > layout.format:
        raise InvalidModelError(
            f"{layout.header} must have a format number up to {layout.format}; got {number}. "
            f"A newer embedscope saved this {layout.noun}: update embedscope to load it."
        )


def _is_header(body: dict[str, Any], layout: Layout) -> bool:
    """Whether every entry has the type that its readers rely on."""
    return (
        all(isinstance(section, dict) for section in body.values())
        and all(isinstance(version, str) for version in body["versions"].values())
        and all(_is_array(*entry) for entry in body["arrays"].items())
        and all(_is_file(name, entry, layout) for name, entry in body["files"].items())
        and ARRAYS in body["files"]
    )


def _is_array(name: str, entry: Any) -> bool:
    """Whether an entry describes an array as `describe_array` does."""
    return (
        NAME.fullmatch(name) is not None
        and isinstance(entry, dict)
        and isinstance(entry.get("dtype"), str)
        and _DTYPE.fullmatch(entry["dtype"]) is not None
        and isinstance(entry.get("shape"), list)
        and all(type(size) is int and size >= 0 for size in entry["shape"])
    )


def _is_file(name: str, entry: Any, layout: Layout) -> bool:
    """Whether an entry describes a data file as `describe_file` does."""
    return (
        layout.data_file.fullmatch(name) is not None
        and isinstance(entry, dict)
        and type(entry.get("size")) is int
        and isinstance(entry.get("sha256"), str)
    )
