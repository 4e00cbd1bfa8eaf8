"""Check the networks of a saved model before Keras reads them.

An archive of unknown origin may describe a network whose layers carry code. Keras's safe mode stops
this for lambdas. Here everything that embedscope does not write itself is refused before anything
is built, with the file and a remedy. Checks for all archives are in `_stored_archive`.

The memory that a network needs is not limited: a file may describe a layer of any width.
"""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Iterator
from typing import Any, BinaryIO

from embedscope._errors import InvalidModelError
from embedscope.core.networks._tensorflow import keras
from embedscope.core.storage._stored_archive import check_members

CONFIG = "config.json"
NETWORK_MEMBERS = frozenset({CONFIG, "metadata.json", "model.weights.h5"})

_LARGEST_CONFIG = 64 * 2**20  # bytes; the architecture alone, without weights
_FUNCTION_MODULES = (
    "activations",
    "constraints",
    "initializers",
    "losses",
    "metrics",
    "optimizers",
    "regularizers",
)
_MODELLING_MODULE = re.compile(
    rf"keras(\.src)?(\.({'|'.join(_FUNCTION_MODULES)}"
    r"|dtype_policies|layers|models|ops|quantizers|random)(\.\w+)*)?",
    re.ASCII,
)
_PLAIN_VALUES = frozenset(
    {"__bytes__", "__ellipsis__", "__keras_tensor__", "__numpy__", "__slice__", "__tensor__"}
)
_CODE_CARRIERS = frozenset(
    {"FlaxLayer", "JaxLayer", "Lambda", "TFSMLayer", "TorchModuleWrapper", "__lambda__"}
)


def check_network(archive: BinaryIO, file: str) -> None:
    """Refuse a `.keras` archive that holds anything but known layers.

    Parameters
    ----------
    archive : binary file
        Open for reading; left at its start.
    file : str
        Its name, for the message.

    Raises
    ------
    InvalidModelError
        If the archive is unsafe (see `check_members`), its config of the network is broken, or the
        network is untrusted (see `find_untrusted`).
    """
    check_members(archive, file, NETWORK_MEMBERS)
    if reason := find_untrusted(_read_config(archive, file)):
        raise InvalidModelError(f"{file} must be made of trusted layers; got {reason}")
    archive.seek(0)


def find_untrusted(config: dict[str, Any]) -> str | None:
    """Search the config of a network or an optimiser for objects that must not be built.

    Parameters
    ----------
    config : dict
        A result of ``keras.saving.serialize_keras_object`` as JSON values; also several of them by
        name.

    Returns
    -------
    str or None
        The first layer or function, at any depth, that can carry code (such as ``Lambda``), or is
        neither part of Keras nor registered in this process; with a remedy. None if there is none.
    """
    # Training settings are not restored, so a user's own loss need not be registered.
    described = {key: value for key, value in config.items() if key != "compile_config"}
    reasons = (_why_untrusted(entry) for entry in _described_objects(described))
    return next((reason for reason in reasons if reason), None)


def find_unregistered(config: dict[str, Any]) -> str | None:
    """Search a config for objects that Keras cannot build again, trusted or not.

    Parameters
    ----------
    config : dict
        As for `find_untrusted`.

    Returns
    -------
    str or None
        The first class or function that is neither part of Keras nor registered in this process.
    """
    described = {key: value for key, value in config.items() if key != "compile_config"}
    for entry in _described_objects(described):
        # Unlike loading, unpickling also builds objects that carry code.
        if entry["class_name"] not in _CODE_CARRIERS and _why_untrusted(entry) is not None:
            is_function = entry["class_name"] == "function"
            name = entry.get("config") if is_function else entry["class_name"]
            return f"{name!r}, which is not part of Keras and not registered in this process"
    return None


def _read_config(archive: BinaryIO, file: str) -> dict[str, Any]:
    """Read the config of the network from its archive."""
    try:
        with zipfile.ZipFile(archive) as opened, opened.open(CONFIG) as member:
            config = json.loads(member.read(_LARGEST_CONFIG))
    except (zipfile.BadZipFile, OSError, EOFError, ValueError, RecursionError) as error:
        raise InvalidModelError(
            f"{file} must describe its network in {CONFIG}; got {error}. "
            "Copy the file again, or save the model again."
        ) from error
    if not isinstance(config, dict) or "class_name" not in config:
        raise InvalidModelError(
            f"{file} must describe a network in {CONFIG}; got something else. Do not use this file."
        )
    return config


def _described_objects(config: Any) -> Iterator[dict[str, Any]]:
    """Every object that Keras would build from a config, nested ones too."""
    pending = [config]
    while pending:
        value = pending.pop()
        if isinstance(value, dict):
            if "class_name" in value:
                yield value
            elif _is_bare_lambda(value):
                yield {"class_name": "lambda", "module": "builtins"}
            pending.extend(value.values())
        elif isinstance(value, list):
            pending.extend(value)


def _is_bare_lambda(value: dict[str, Any]) -> bool:
    """Whether this is a lambda as an activation, which Keras writes as bytes without a class name.

    Keras 3.12 to 3.15 save such a network and cannot load it.
    """
    parts = value.get("value")
    return value.keys() == {"value"} and isinstance(parts, list | tuple) and len(parts) == 3


def _why_untrusted(entry: dict[str, Any]) -> str | None:
    """The reason why an object of a network's config must not be built, or None."""
    name, module = str(entry["class_name"]), str(entry.get("module"))
    if name in _CODE_CARRIERS:
        return (
            f"the layer {name}, which can run any code. Write it as a layer class with "
            "@keras.saving.register_keras_serializable() and save the model again."
        )
    if name in _PLAIN_VALUES:
        return None
    if name == "function":  # Keras writes its own and registered functions both by name
        name = registered = str(entry.get("config"))
        is_known = module == "builtins" and _is_keras_function(name)
    else:
        registered = str(entry.get("registered_name") or name)
        is_known = name[:1].isupper() and _MODELLING_MODULE.fullmatch(module) is not None
    if is_known or keras.saving.get_registered_object(registered) is not None:
        return None
    return (
        f"{name!r} of the module {module!r}, which is not part of Keras and not registered in this "
        "process. If you trust it, import the code that defines it, with "
        "@keras.saving.register_keras_serializable() on it, and try again."
    )


def _is_keras_function(name: str) -> bool:
    """Whether Keras has an activation, initializer, loss, ... of that name."""
    return any(hasattr(getattr(keras, module), name) for module in _FUNCTION_MODULES)
