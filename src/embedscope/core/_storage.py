"""A trained model on disk: a directory of JSON, Keras archives and plain arrays, and no pickle.

=====================  ===========================================================================
``model.json``         what is in the other files, and how to tell (`_model_header`)
``<network>.keras``    one Keras archive for each network: ``encoder``, ``decoder``
``arrays.npz``         the fitted arrays: embedding, graph, landmarks
=====================  ===========================================================================

Loading runs no code of the files' author: arrays of objects are refused, networks may hold only
layers that are Keras's own or registered in the loading process, and the archives are checked
before numpy and Keras see them (`_model_archive`). A save replaces all files at one instant
(`_model_directory`). What the entries mean is left to the estimator.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import Any

import numpy as np

from embedscope._errors import InvalidInputError, InvalidModelError
from embedscope.core._model_archive import check_members, check_network, find_untrusted
from embedscope.core._model_directory import HEADER, open_file, read_header, replace_files
from embedscope.core._model_header import (
    ARRAYS,
    FORMAT,
    NAME,
    damaged,
    describe_array,
    describe_file,
    describe_versions,
    is_storable,
    seal,
    unseal,
)
from embedscope.core._tensorflow import keras

__all__ = ["FORMAT", "StoredModel", "read_model", "write_model"]

_NETWORK_SUFFIX = ".keras"


@dataclass(frozen=True)
class StoredModel:
    """What a model is made of, as far as the disk is concerned.

    Attributes
    ----------
    parameters, state : dict
        JSON values with finite numbers: constructor parameters, and fitted scalars and histories.
        Tuples come back as lists.
    arrays : dict of str to ndarray
        Arrays of booleans, numbers or unicode, of any shape and byte order.
    networks : dict of str to keras.Model
        Built networks. They come back without training settings (optimizer, loss).
    """

    parameters: dict[str, Any]
    state: dict[str, Any]
    arrays: dict[str, np.ndarray]
    networks: dict[str, keras.Model]


def write_model(path: str | os.PathLike[str], model: StoredModel) -> None:
    """Save a model, in place of the one that `path` may hold.

    Parameters
    ----------
    path : str or path
        Directory; made, with its parents, if it is missing.
    model : StoredModel
        The model. The names of its arrays and networks are identifiers.

    Raises
    ------
    InvalidInputError
        If `path` is a file or holds something other than a model; if a value is not JSON, or not
        finite; if an array has another dtype; or if a network could not be loaded again, because it
        has a ``Lambda`` layer or a class that is not registered with Keras. The old model then
        stays in place.
    """
    _check(model)
    with replace_files(Path(path)) as folder:
        for name, network in model.networks.items():
            network.save(folder / f"{name}{_NETWORK_SUFFIX}")
        _write_arrays(folder / ARRAYS, model.arrays)
        files = {}
        for written in sorted(folder.iterdir()):
            with written.open("rb") as file:
                files[written.name] = describe_file(file)
        header = {
            "versions": describe_versions(),
            "parameters": model.parameters,
            "state": model.state,
            "arrays": {name: describe_array(array) for name, array in model.arrays.items()},
            "files": files,
        }
        (folder / HEADER).write_bytes(seal(header))


def read_model(path: str | os.PathLike[str]) -> StoredModel:
    """Load a model that `write_model` saved, and run none of its author's code.

    Parameters
    ----------
    path : str or path
        The model's directory. Another process may save to it meanwhile.

    Returns
    -------
    StoredModel
        The model, with every file checked against the header.

    Raises
    ------
    InvalidModelError
        If there is no model, or a part of it is missing, damaged, unsafe, made of layers that this
        process does not know, or of a newer format. The message names the file and the remedy.
    """
    folder = Path(path)
    while True:
        file = read_header(folder)
        try:
            return _read_files(folder, unseal(file.content))
        except InvalidModelError:
            # Where a save replaced the files between two reads, the new ones are read instead.
            if read_header(folder) == file:
                raise


def _check(model: StoredModel) -> None:
    """Refuse what could not be read back, before anything is written."""
    for name in (*model.arrays, *model.networks):
        if NAME.fullmatch(name) is None:
            raise InvalidInputError(
                f"names of arrays and networks must be ASCII identifiers; got {name!r}. Rename it."
            )
    for name, array in model.arrays.items():
        if not is_storable(array):
            raise InvalidInputError(
                f"arrays must hold booleans, numbers or unicode; got {name!r} of dtype "
                f"{array.dtype}. Convert it, for example with array.astype(str)."
            )
    for name, network in model.networks.items():
        if reason := _why_not_loadable(network):
            raise InvalidInputError(
                f"networks must be such that they can be loaded again; got {name!r} with {reason}"
            )


def _why_not_loadable(network: keras.Model) -> str | None:
    """Say what in a network loading would refuse, or nothing."""
    try:
        config = json.loads(json.dumps(keras.saving.serialize_keras_object(network)))
    except Exception as error:  # a layer's own get_config may raise anything
        return f"a layer that does not describe itself ({error}). Give it a get_config method."
    return find_untrusted(config)


def _write_arrays(file: Path, arrays: dict[str, np.ndarray]) -> None:
    """Write what ``numpy.savez`` writes, free of its reserved names and without pickles."""
    with zipfile.ZipFile(file, "w") as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, array, allow_pickle=False)


def _read_files(folder: Path, header: dict[str, Any]) -> StoredModel:
    """Load the files that a header speaks of."""
    arrays = _read_arrays(folder, header)  # first: networks take much longer to build
    networks = {
        file.removesuffix(_NETWORK_SUFFIX): _read_network(folder, file, header)
        for file in header["files"]
        if file != ARRAYS
    }
    return StoredModel(header["parameters"], header["state"], arrays, networks)


def _open_verified(folder: Path, name: str, header: dict[str, Any]) -> BufferedReader:
    """Open a data file that is the one which the header describes."""
    expected = header["files"][name]
    try:
        file = open_file(folder, name)
        if os.fstat(file.fileno()).st_size != expected["size"] or describe_file(file) != expected:
            file.close()
            raise damaged(name, "the file that was saved; its size or checksum differs")
    except OSError as error:
        raise InvalidModelError(
            f"{name} must be a readable file; got {error.strerror or error}. "
            "Copy the whole directory of the model again, or save it again."
        ) from error
    file.seek(0)
    return file


def _read_network(folder: Path, name: str, header: dict[str, Any]) -> keras.Model:
    """Build a network from its archive."""
    with _open_verified(folder, name, header) as file, tempfile.TemporaryDirectory() as private:
        check_network(file, name)
        # Keras opens by name; a copy makes sure that it reads the very bytes that were checked.
        copy = Path(private) / name
        copy.write_bytes(file.read())
        try:
            network = keras.saving.load_model(copy, compile=False, safe_mode=True)
        except Exception as error:  # Keras raises whatever a layer's constructor raises
            raise _not_buildable(name, header, error) from error
    if not isinstance(network, keras.Model):
        raise _not_buildable(name, header, TypeError(f"it is a {type(network).__name__}"))
    return network


def _not_buildable(name: str, header: dict[str, Any], error: Exception) -> InvalidModelError:
    """Make the error for a network that Keras cannot build, with both sides' versions."""
    reason = (str(error).strip() or type(error).__name__).splitlines()[0]
    theirs, ours = _listed(header["versions"]), _listed(describe_versions())
    return InvalidModelError(
        f"{name} must be a network that Keras can build; got {reason}. It was saved with {theirs}; "
        f"here are {ours}. If these differ, install the versions that saved it; otherwise save the "
        "model again."
    )


def _listed(versions: dict[str, str]) -> str:
    """Versions as a phrase."""
    return ", ".join(f"{name} {version}" for name, version in versions.items())


def _read_arrays(folder: Path, header: dict[str, Any]) -> dict[str, np.ndarray]:
    """Load the arrays, each of the dtype and shape that the header says."""
    expected = header["arrays"]
    with _open_verified(folder, ARRAYS, header) as file:
        check_members(file, ARRAYS, frozenset(f"{name}.npy" for name in expected))
        try:
            with zipfile.ZipFile(file) as archive:
                arrays = {name: _read_array(archive, name) for name in expected}
        except Exception as error:  # a crafted header of an array can break numpy in many ways
            raise damaged(ARRAYS, f"an archive of arrays; got {error}") from error
    for name, array in arrays.items():
        if describe_array(array) != expected[name]:
            raise damaged(
                ARRAYS,
                f"arrays as {HEADER} describes them; got {name!r} as {describe_array(array)}",
            )
    return arrays


def _read_array(archive: zipfile.ZipFile, name: str) -> np.ndarray:
    """Read one array; objects, which only a pickle could hold, are refused."""
    with archive.open(f"{name}.npy") as member:
        array: np.ndarray = np.lib.format.read_array(member, allow_pickle=False)
    if array.dtype.kind == "U":
        # numpy makes strings of numbers that are no characters, and Python breaks on them later.
        number = np.dtype(np.uint32).newbyteorder(array.dtype.byteorder)
        codes = np.frombuffer(array.tobytes(), number)
        if np.any(codes > sys.maxunicode):
            raise ValueError(f"{name!r} with text that is none")
    return array
