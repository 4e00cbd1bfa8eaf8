"""Refuse to pickle or copy an estimator that could not be restored.

Callbacks and hooks only watch a training. A fitted estimator is copied without those that cannot be
copied, as in `save`. An estimator that is not fitted yet must not lose them.
"""

from __future__ import annotations

import copy
import inspect
import json
import sys
from collections.abc import Mapping
from types import FunctionType
from typing import Any

from embedscope._errors import InvalidInputError
from embedscope._warning import warn_caller

NOT_MISSED = ("init", "precomputed_knn", "reconstruction_validation", "distribution", "progress")
"""Parameters that are useless without the training samples or outside the fitting process."""

_WATCHERS = ("keras_fit_kwargs", "progress")


def check_networks(state: Mapping[str, Any]) -> None:
    """Raise unless Keras can rebuild the networks and optimisers among an estimator's attributes.

    Parameters
    ----------
    state : mapping
        Attributes by name.

    Raises
    ------
    InvalidInputError
        Naming the attribute and the class that is not registered with Keras.
    """
    if "keras" not in sys.modules:  # so there is no network
        return
    from embedscope.core.networks._tensorflow import keras
    from embedscope.core.storage._model_archive import find_unregistered

    kinds = (keras.Model, keras.optimizers.Optimizer)
    for name, value in state.items():
        if not isinstance(value, kinds):
            continue
        try:
            config = json.loads(json.dumps(keras.saving.serialize_keras_object(value)))
        except Exception as error:  # a layer's own get_config may raise anything
            reason: str | None = f"a part that Keras cannot serialize ({error})"
        else:
            reason = find_unregistered(config)
        if reason is not None:
            raise InvalidInputError(
                f"{name} must be possible to unpickle or copy; got {reason}. Put "
                "@keras.saving.register_keras_serializable() on the class that you wrote, with a "
                "get_config, and build the network again."
            )


def check_watchers(parameters: Mapping[str, Any]) -> None:
    """Raise unless callbacks and the progress hook can be copied.

    Parameters
    ----------
    parameters : mapping
        Constructor parameters by name.

    Raises
    ------
    InvalidInputError
        Naming the parameter and the part of it that cannot be copied.
    """
    for name in _WATCHERS:
        reason = _why_not_copied(parameters[name])
        if reason is not None:
            raise InvalidInputError(
                f"{name} must be possible to copy; got {reason}. Call "
                f"set_params({name}=None) first, and give the copy new ones."
            )


def check_no_distribution(parameters: Mapping[str, Any]) -> None:
    """Raise if an estimator that is not fitted would lose its devices in a pickle.

    Parameters
    ----------
    parameters : mapping
        Constructor parameters by name.

    Raises
    ------
    InvalidInputError
        If `distribution` is given: devices belong to one process.
    """
    distribution = parameters["distribution"]
    if distribution is not None:
        raise InvalidInputError(
            "distribution must be None to pickle an estimator that is not fitted; got "
            f"{type(distribution).__name__}. Call set_params(distribution=None) first, and give "
            "the copy a new one."
        )


def uncopied_watchers(parameters: Mapping[str, Any], *, by_name: bool) -> list[str]:
    """Names of the parameters whose callbacks, hook or devices cannot be copied.

    Parameters
    ----------
    parameters : mapping
        Constructor parameters by name.
    by_name : bool
        Functions and classes must also be importable by their names, as pickle requires.

    Returns
    -------
    list of str
        Names of parameters.
    """
    names = [
        name
        for name in _WATCHERS
        if _why_not_copied(parameters[name]) is not None
        or (by_name and _has_nameless(parameters[name]))
    ]
    if by_name and parameters["distribution"] is not None:
        names.append("distribution")  # devices belong to one process
    return names


def warn_left_out(names: list[str]) -> None:
    """Warn of the parameters that a loaded model lacks."""
    if missed := [name for name in names if name not in NOT_MISSED]:
        warn_caller(
            f"{', '.join(missed)} could not be saved with the model and have their defaults: set "
            "them again before you fit or update."
        )


def _watchers(value: Any) -> list[Any]:
    """The callbacks of `keras_fit_kwargs`, or the hook itself."""
    given = value.get("callbacks") if isinstance(value, Mapping) else value
    watchers = given if isinstance(given, list | tuple) else [given]
    return [watcher for watcher in watchers if watcher is not None]


def _why_not_copied(value: Any) -> str | None:
    for watcher in _watchers(value):
        name = getattr(watcher, "__qualname__", type(watcher).__name__)
        try:
            copy.deepcopy(watcher)
        except Exception as error:  # an object's own copy method may raise anything
            return f"{name}, which cannot ({error})"
    return None


def _has_nameless(value: Any) -> bool:
    """Whether pickle would fail to find a function or a class by its name."""
    parts: list[Any] = []
    for watcher in _watchers(value):
        parts.append(watcher)
        if not inspect.isroutine(watcher):
            parts += [type(watcher), *getattr(watcher, "__dict__", {}).values()]
    return any(map(_is_nameless, parts))


def _is_nameless(part: Any) -> bool:
    """Whether this is a function or a class that its module does not hold under its name."""
    if not isinstance(part, FunctionType | type):
        return False
    found: Any = sys.modules.get(part.__module__)
    for name in part.__qualname__.split("."):
        found = getattr(found, name, None)
    return found is not part
