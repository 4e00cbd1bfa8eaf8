"""A trained model on disk: a directory with JSON, Keras archives and arrays, without pickles.

=====================  ===========================================================================
``model.json``         contents and checksums of the other files (`_stored_header`)
``<network>.keras``    one Keras archive for each network: ``encoder``, ``decoder``
``arrays.npz``         the fitted arrays: embedding, graph, landmarks
=====================  ===========================================================================

Loading runs no code of the files' author: arrays of objects are refused, networks may hold only
layers of Keras itself or registered in the loading process, and the archives are checked before
numpy and Keras read them (`_model_archive`). A save replaces all files at one instant
(`_stored_directory`). The estimator knows the meaning of the entries.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from embedscope._errors import InvalidInputError, InvalidModelError
from embedscope.core.networks._tensorflow import keras, tf
from embedscope.core.storage._model_archive import check_network, find_untrusted
from embedscope.core.storage._model_layout import MODEL
from embedscope.core.storage._stored_arrays import (
    check_arrays,
    check_names,
    open_verified,
    read_arrays,
    write_sealed,
)
from embedscope.core.storage._stored_directory import replace_files
from embedscope.core.storage._stored_header import ARRAYS, describe_versions, read_sealed
from embedscope.core.storage._stored_path import as_path

__all__ = ["StoredModel", "read_model", "write_model"]

_NETWORK_SUFFIX = ".keras"


@dataclass(frozen=True)
class StoredModel:
    """The parts of a model that are stored.

    Attributes
    ----------
    parameters, state : dict
        JSON values with finite numbers: constructor parameters, and fitted scalars and histories.
        Tuples are read back as lists.
    arrays : dict of str to ndarray
        Arrays of booleans, numbers or unicode, of any shape and byte order.
    networks : dict of str to keras.Model
        Built networks. They are read back without training settings (optimizer, loss).
    """

    parameters: dict[str, Any]
    state: dict[str, Any]
    arrays: dict[str, np.ndarray]
    networks: dict[str, keras.Model]


def write_model(
    path: str | os.PathLike[str],
    model: StoredModel,
    check: Callable[[StoredModel], object] | None = None,
) -> None:
    """Save a model; it replaces a model that is already at `path`.

    Parameters
    ----------
    path : str or path
        Directory; made, with its parents, if it is missing.
    model : StoredModel
        The model. The names of its arrays and networks are identifiers.
    check : callable, optional
        Called with the model as read back from the new files; raises if it is not valid.

    Raises
    ------
    InvalidInputError
        If `path` is a file or holds something other than a model; if a value is not JSON, or not
        finite; if an array has another dtype; if a network could not be loaded again, because it
        has a ``Lambda`` layer or a class that is not registered with Keras; or if the model cannot
        be read back for another reason. The old model then stays unchanged.
    """
    _check(model)
    with replace_files(as_path(path), MODEL) as folder:
        for name, network in model.networks.items():
            network.save(folder / f"{name}{_NETWORK_SUFFIX}")
        write_sealed(
            folder,
            MODEL,
            versions=_versions(),
            parameters=model.parameters,
            state=model.state,
            arrays=model.arrays,
        )
        _check_readable(folder, check)


def read_model(path: str | os.PathLike[str]) -> StoredModel:
    """Load a model that `write_model` saved, without running code of its author.

    Parameters
    ----------
    path : str or path
        The model's directory. Another process may save to it meanwhile.

    Returns
    -------
    StoredModel
        The model. Every file has been checked against the header.

    Raises
    ------
    InvalidModelError
        If there is no model, or a part of it is missing, damaged, unsafe, made of layers that are
        not registered in this process, or of a newer format. The message names the file and the
        remedy.
    """
    folder = as_path(path)
    return read_sealed(folder, MODEL, lambda header: _read_files(folder, header))


def _check_readable(folder: Path, check: Callable[[StoredModel], object] | None) -> None:
    """Read a model back before it replaces an older one."""
    try:
        read = read_model(folder)
        if check is not None:
            check(read)
    except Exception as error:  # any error means that the model could not be loaded again
        raise InvalidInputError(
            f"a model must be loadable after saving; got {str(error).rstrip('.')}. "
            "Nothing was saved, and an older model is unchanged."
        ) from error


def _versions() -> dict[str, str]:
    """The installed versions, with those of Keras and TensorFlow, which building needs."""
    return describe_versions(keras=keras.__version__, tensorflow=tf.__version__)


def _check(model: StoredModel) -> None:
    """Raise if a part could not be read back, before anything is written."""
    check_arrays(model.arrays)
    check_names(model.networks)
    for name, network in model.networks.items():
        if reason := _why_not_loadable(network):
            raise InvalidInputError(
                f"networks must be loadable after saving; got {name!r} with {reason}"
            )


def _why_not_loadable(network: keras.Model) -> str | None:
    """The reason why loading would refuse a network, or None."""
    try:
        config = json.loads(json.dumps(keras.saving.serialize_keras_object(network)))
    except Exception as error:  # a layer's own get_config may raise anything
        return f"a layer that Keras cannot serialize ({error}). Give it a get_config method."
    return find_untrusted(config)


def _read_files(folder: Path, header: dict[str, Any]) -> StoredModel:
    """Load the files that a header lists."""
    arrays = read_arrays(folder, header, MODEL)  # first: networks take much longer to build
    networks = {
        file.removesuffix(_NETWORK_SUFFIX): _read_network(folder, file, header)
        for file in header["files"]
        if file != ARRAYS
    }
    return StoredModel(header["parameters"], header["state"], arrays, networks)


def _read_network(folder: Path, name: str, header: dict[str, Any]) -> keras.Model:
    """Build a network from its archive."""
    with (
        open_verified(folder, name, header, MODEL) as file,
        tempfile.TemporaryDirectory() as private,
    ):
        check_network(file, name)
        # Keras opens by name. With a copy it reads exactly the bytes that were checked.
        copy = Path(private) / name
        copy.write_bytes(file.read())
        try:
            network = keras.saving.load_model(copy, compile=False, safe_mode=True)
        except Exception as error:  # a layer's constructor may raise any exception
            raise _not_buildable(name, header, error) from error
    if not isinstance(network, keras.Model):
        raise _not_buildable(name, header, TypeError(f"it is a {type(network).__name__}"))
    return network


def _not_buildable(name: str, header: dict[str, Any], error: Exception) -> InvalidModelError:
    """The error for a network that Keras cannot build, with the saved and installed versions."""
    reason = (str(error).strip() or type(error).__name__).splitlines()[0]
    theirs, ours = _listed(header["versions"]), _listed(_versions())
    return InvalidModelError(
        f"{name} must be a network that Keras can build; got {reason}. It was saved with {theirs}; "
        f"here are {ours}. If these differ, install the versions that saved it; otherwise save the "
        "model again."
    )


def _listed(versions: dict[str, str]) -> str:
    """Versions as text."""
    return ", ".join(f"{name} {version}" for name, version in versions.items())
