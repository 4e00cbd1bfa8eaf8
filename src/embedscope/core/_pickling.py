"""What can be pickled and never unpickled is refused while there is still something to save.

Callbacks and hooks watch a training. An estimator that has its training behind it does without
those that cannot be copied, as `save` does; one that has it before it must not lose them.
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

NOT_MISSED = ("init", "precomputed_knn", "reconstruction_validation", "progress")
"""Of no use without the training samples, or to anybody but the process that fitted."""

_WATCHERS = ("keras_fit_kwargs", "progress")


def check_networks(state: Mapping[str, Any]) -> None:
    """Raise unless Keras can build again what an estimator's attributes hold of it.

    Parameters
    ----------
    state : mapping
        Attributes by name.

    Raises
    ------
    InvalidInputError
        Naming the attribute and the class that is not registered with Keras.
    """
    if "keras" not in sys.modules:  # no network was ever made
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
            reason: str | None = f"a part that does not describe itself ({error})"
        else:
            reason = find_unregistered(config)
        if reason is not None:
            raise InvalidInputError(
                f"{name} must be such that it can be unpickled or copied; got {reason}. Put "
                "@keras.saving.register_keras_serializable() on the class that you wrote, with a "
                "get_config, and build the network anew."
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
        Naming the parameter, and what in it cannot be copied.
    """
    for name in _WATCHERS:
        reason = _why_not_copied(parameters[name])
        if reason is not None:
            raise InvalidInputError(
                f"{name} must be such that it can be copied; got {reason}. Call "
                f"set_params({name}=None) first, and give the copy new ones."
            )


def uncopied_watchers(parameters: Mapping[str, Any], *, by_name: bool) -> list[str]:
    """Which of callbacks and progress hook cannot be copied.

    Parameters
    ----------
    parameters : mapping
        Constructor parameters by name.
    by_name : bool
        Functions and classes must be found again by their name, as a pickle wants it.

    Returns
    -------
    list of str
        Names of parameters.
    """
    return [
        name
        for name in _WATCHERS
        if _why_not_copied(parameters[name]) is not None
        or (by_name and _has_nameless(parameters[name]))
    ]


def warn_left_out(names: list[str]) -> None:
    """Name the parameters that a model read again lacks."""
    if missed := [name for name in names if name not in NOT_MISSED]:
        warn_caller(
            f"{', '.join(missed)} could not be saved with the model and stand at their defaults: "
            "set them again before you fit or update."
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
        except Exception as error:  # an object's own way of being copied may raise anything
            return f"{name}, which cannot ({error})"
    return None


def _has_nameless(value: Any) -> bool:
    """Whether a pickle would look for a function or a class where there is none."""
    parts: list[Any] = []
    for watcher in _watchers(value):
        parts.append(watcher)
        if not inspect.isroutine(watcher):
            parts += [type(watcher), *getattr(watcher, "__dict__", {}).values()]
    return any(map(_is_nameless, parts))


def _is_nameless(part: Any) -> bool:
    """Whether this is a function or a class that its module does not have under its name."""
    if not isinstance(part, FunctionType | type):
        return False
    found: Any = sys.modules.get(part.__module__)
    for name in part.__qualname__.split("."):
        found = getattr(found, name, None)
    return found is not part
