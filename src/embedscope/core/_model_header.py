"""The header of a saved model, `model.json`: what is in the other files, and how to tell.

It holds the format number, the versions that saved the model, its parameters and fitted state, the
dtype and shape of every array, and the size and SHA-256 of every file; and a checksum of itself,
over the values rather than the bytes, so that spacing is free. Checksums find damage. They are no
signature: whoever can write the files can write the header.
"""

from __future__ import annotations

import hashlib
import json
import platform
import re
from importlib import metadata
from io import BufferedReader
from typing import Any

import numpy as np

from embedscope._errors import InvalidInputError, InvalidModelError
from embedscope.core._model_directory import DATA_FILE, HEADER, KIND
from embedscope.core._tensorflow import keras, tf

FORMAT = 1
ARRAYS = "arrays.npz"
NAME = re.compile(r"[A-Za-z]\w*", re.ASCII)

_DTYPE = re.compile(r"[<>|][biufcU]\d+", re.ASCII)
_SECTIONS = ("versions", "parameters", "state", "arrays", "files")
_SEALS = ("kind", "format", "checksum")


def seal(header: dict[str, Any]) -> bytes:
    """Turn a header into the bytes of `model.json`, adding its kind, format and checksum.

    Raises
    ------
    InvalidInputError
        If a value is not JSON, or not finite.
    """
    try:
        body = json.loads(json.dumps(header, allow_nan=False))
        sealed = {"kind": KIND, "format": FORMAT, "checksum": _checksum_of(body), **body}
        return json.dumps(sealed, indent=1).encode("ascii")
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidInputError(
            f"parameters and state must be JSON values with finite numbers; got {error}. "
            "Give plain numbers, strings, lists and dicts, and keep arrays in arrays."
        ) from error


def unseal(content: bytes) -> dict[str, Any]:
    """Check the bytes of `model.json` and turn them into a header.

    Raises
    ------
    InvalidModelError
        If they are damaged, not a model's, or of a newer format.
    """
    try:
        header = json.loads(content)
        is_ours = isinstance(header, dict) and header.get("kind") == KIND
        body = {section: header.get(section) for section in _SECTIONS} if is_ours else {}
        checksum = _checksum_of(body)
    except (ValueError, RecursionError) as error:
        raise damaged(HEADER, f"JSON with finite numbers; got {error}") from error
    if not is_ours:
        raise InvalidModelError(
            f'{HEADER} must be of the kind "{KIND}"; it is not. Give a directory that save wrote.'
        )
    _check_format(header.get("format"))
    if header.get("checksum") != checksum:
        raise damaged(HEADER, "what was saved; its checksum differs")
    if set(header) != {*_SEALS, *_SECTIONS} or not _is_header(body):
        raise damaged(HEADER, f"a header of format {FORMAT}; its entries are others")
    return body


def damaged(file: str, rule: str) -> InvalidModelError:
    """Make the error for a file that is not what was saved."""
    return InvalidModelError(
        f"{file} must be {rule}. The file is damaged or was changed: copy the model again, or save "
        "it again."
    )


def describe_array(array: np.ndarray) -> dict[str, Any]:
    """Say what dtype and shape an array has."""
    return {"dtype": array.dtype.str, "shape": list(array.shape)}


def describe_file(file: BufferedReader) -> dict[str, Any]:
    """Say how many bytes a file holds, and which: its SHA-256."""
    digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {"size": file.tell(), "sha256": digest}


def describe_versions() -> dict[str, str]:
    """Say which versions are running: those that decide whether a network can be built again."""
    try:
        ours = metadata.version("embedscope")
    except metadata.PackageNotFoundError:  # run from a source tree that is not installed
        ours = "unknown"
    return {
        "embedscope": ours,
        "keras": keras.__version__,
        "tensorflow": tf.__version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
    }


def is_storable(array: np.ndarray) -> bool:
    """Whether an array holds booleans, numbers or unicode, and nothing that needs a pickle."""
    return _DTYPE.fullmatch(array.dtype.str) is not None


def _checksum_of(body: dict[str, Any]) -> str:
    """SHA-256 of a header's values, whatever their spacing and order."""
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def _check_format(number: object) -> None:
    """Refuse a format that this version cannot read."""
    if type(number) is not int or number < 1:
        raise damaged(HEADER, f"a header with a format number; got {number!r}")
    if number > FORMAT:
        raise InvalidModelError(
            f"{HEADER} must have a format number up to {FORMAT}; got {number}. "
            "A newer embedscope saved this model: update embedscope to load it."
        )


def _is_header(body: dict[str, Any]) -> bool:
    """Whether every entry has the type that its readers rely on."""
    return (
        all(isinstance(section, dict) for section in body.values())
        and all(isinstance(version, str) for version in body["versions"].values())
        and all(_is_array(*entry) for entry in body["arrays"].items())
        and all(_is_file(*entry) for entry in body["files"].items())
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


def _is_file(name: str, entry: Any) -> bool:
    """Whether an entry describes a data file as `describe_file` does."""
    return (
        DATA_FILE.fullmatch(name) is not None
        and (name == ARRAYS or name.endswith(".keras"))
        and isinstance(entry, dict)
        and type(entry.get("size")) is int
        and isinstance(entry.get("sha256"), str)
    )
