"""The arrays of a saved model or session: one ``arrays.npz`` without pickles.

The format is that of ``numpy.savez``. Reading checks the file against the header first, and refuses
arrays of objects.
"""

from __future__ import annotations

import os
import sys
import zipfile
from collections.abc import Iterable, Mapping
from io import BufferedReader
from pathlib import Path
from typing import Any

import numpy as np

from embedscope._errors import InvalidInputError, InvalidModelError
from embedscope.core.storage._stored_archive import check_members
from embedscope.core.storage._stored_directory import Layout, describe_file, open_file
from embedscope.core.storage._stored_header import (
    ARRAYS,
    NAME,
    damaged,
    describe_array,
    is_storable,
    seal,
)


def check_names(names: Iterable[str]) -> None:
    """Refuse names that are not valid file names on all systems.

    Raises
    ------
    InvalidInputError
        If a name is not an ASCII identifier.
    """
    for name in names:
        if NAME.fullmatch(name) is None:
            raise InvalidInputError(
                f"names of arrays and networks must be ASCII identifiers; got {name!r}. Rename it."
            )


def check_arrays(arrays: Mapping[str, np.ndarray]) -> None:
    """Refuse arrays that could not be read back, before anything is written.

    Raises
    ------
    InvalidInputError
        If a name is not an ASCII identifier, or an array holds something other than booleans,
        numbers and unicode.
    """
    check_names(arrays)
    for name, array in arrays.items():
        if not is_storable(array):
            raise InvalidInputError(
                f"arrays must hold booleans, numbers or unicode; got {name!r} of dtype "
                f"{array.dtype}. Convert it, for example with array.astype(str)."
            )


def write_sealed(
    folder: Path,
    layout: Layout,
    *,
    versions: dict[str, str],
    parameters: dict[str, Any],
    state: dict[str, Any],
    arrays: Mapping[str, np.ndarray],
) -> None:
    """Write the arrays, and a header for them and for the files that are already in the folder.

    Parameters
    ----------
    folder : Path
        From `replace_files`, with every other data file in it.
    layout : Layout
        The kind of directory.
    versions, parameters, state : dict
        JSON values with finite numbers, for the header.
    arrays : mapping of str to ndarray
        Arrays that `check_arrays` accepts.

    Raises
    ------
    InvalidInputError
        If a value is not JSON, or not finite.
    """
    _write_arrays(folder / ARRAYS, arrays)
    files = {}
    for written in sorted(entry for entry in folder.rglob("*") if entry.is_file()):
        with written.open("rb") as file:
            files[written.relative_to(folder).as_posix()] = describe_file(file)
    header = {
        "versions": versions,
        "parameters": parameters,
        "state": state,
        "arrays": {name: describe_array(array) for name, array in arrays.items()},
        "files": files,
    }
    (folder / layout.header).write_bytes(seal(header, layout))


def read_arrays(folder: Path, header: dict[str, Any], layout: Layout) -> dict[str, np.ndarray]:
    """Load the arrays, each with the dtype and shape in the header.

    Raises
    ------
    InvalidModelError
        If the file is not the one that was saved, or holds pickles.
    """
    expected = header["arrays"]
    with open_verified(folder, ARRAYS, header, layout) as file:
        check_members(file, ARRAYS, frozenset(f"{name}.npy" for name in expected))
        try:
            with zipfile.ZipFile(file) as archive:
                arrays = {name: _read_array(archive, name) for name in expected}
        except Exception as error:  # a crafted header of an array can break numpy in many ways
            raise damaged(layout, ARRAYS, f"an archive of arrays; got {error}") from error
    for name, array in arrays.items():
        if describe_array(array) != expected[name]:
            raise damaged(
                layout,
                ARRAYS,
                f"arrays as {layout.header} describes them; got {name!r} as "
                f"{describe_array(array)}",
            )
    return arrays


def open_verified(
    folder: Path, name: str, header: dict[str, Any], layout: Layout
) -> BufferedReader:
    """Open a data file after a comparison with the header.

    Raises
    ------
    InvalidModelError
        If it is missing, or its size or checksum differs.
    """
    expected = header["files"][name]
    try:
        file = open_file(folder, name)
        if os.fstat(file.fileno()).st_size != expected["size"] or describe_file(file) != expected:
            file.close()
            rule = "the file that was saved; its size or checksum differs"
            raise damaged(layout, name, rule)
    except OSError as error:
        raise InvalidModelError(
            f"{name} must be a readable file; got {error.strerror or error}. "
            f"Copy the whole directory of the {layout.noun} again, or save it again."
        ) from error
    file.seek(0)
    return file


def _write_arrays(file: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write as ``numpy.savez`` does, but without its reserved names and without pickles."""
    with zipfile.ZipFile(file, "w") as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, array, allow_pickle=False)


def _read_array(archive: zipfile.ZipFile, name: str) -> np.ndarray:
    """Read one array; arrays of objects, which need a pickle, are refused."""
    with archive.open(f"{name}.npy") as member:
        array: np.ndarray = np.lib.format.read_array(member, allow_pickle=False)
    if array.dtype.kind == "U":
        # numpy also accepts numbers that are not characters, and Python fails on them later.
        number = np.dtype(np.uint32).newbyteorder(array.dtype.byteorder)
        codes = np.frombuffer(array.tobytes(), number)
        if np.any(codes > sys.maxunicode):
            raise ValueError(f"{name!r} with numbers that are not characters")
    return array
