"""The rules of the constructor parameters, checked when `fit` starts.

Every message gives the rule, the value and the remedy. Rules that depend on the data (neighbours
and samples, networks and shapes) are checked where the data are known.
"""

from __future__ import annotations

import math
import reprlib
from collections.abc import Callable, Mapping
from numbers import Integral, Real
from typing import Any

import numpy as np

from embedscope._errors import InvalidInputError
from embedscope.core.graph._distances import check_metric
from embedscope.core.solvers._qualities import QUALITIES
from embedscope.core.solvers._registry import SOLVERS

_NEED_DECODER = (
    "autoencoder_loss",
    "decoder",
    "reconstruction_validation",
    "n_style_components",
    "validation_fraction",
)
_KERAS_FIT_ARGUMENTS = ("callbacks", "verbose")
_LARGEST_SEED = 2**32 - 1  # of numpy.random.RandomState

_shortened = reprlib.Repr()  # before Python 3.12 its settings can only be set as attributes
_shortened.maxstring = _shortened.maxother = 100
_show = _shortened.repr


def _is_integer(value: Any) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool | np.bool_)


def _is_real(value: Any) -> bool:
    if not isinstance(value, Real) or isinstance(value, bool | np.bool_):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:  # an int too large for a float
        return False


def _integer_from(least: int) -> Callable[[Any], bool]:
    return lambda value: _is_integer(value) and value >= least


def _real_from(least: float, most: float = np.inf, *, open_below: bool = False) -> Any:
    def holds(value: Any) -> bool:
        above = _is_real(value) and (value > least if open_below else value >= least)
        return bool(above and value <= most)

    return holds


def _or_none(holds: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: value is None or holds(value)


def _one_of(summaries: Mapping[str, str]) -> tuple[Callable[[Any], bool], str, str]:
    """A rule for a parameter that is one of some names, from a summary of each."""
    return (
        lambda value: isinstance(value, str) and value in summaries,
        " or ".join(map(repr, summaries)),
        ", ".join(f"{name!r} {summary}" for name, summary in summaries.items()),
    )


def _is_boolean(value: Any) -> bool:
    return isinstance(value, bool | np.bool_)


def _is_init(value: Any) -> bool:
    if isinstance(value, str):
        return value in ("spectral", "pca", "random")
    return hasattr(value, "__array__") or isinstance(value, list | tuple)


def _is_random_state(value: Any) -> bool:
    if value is None or isinstance(value, np.random.RandomState | np.random.Generator):
        return True
    return _is_integer(value) and 0 <= value <= _LARGEST_SEED


# Parameter -> (test, rule in words, remedy).
_RULES: dict[str, tuple[Callable[[Any], bool], str, str]] = {
    "n_neighbors": (_integer_from(2), "an int of at least 2", "15 is a good start"),
    "n_components": (_integer_from(1), "an int of at least 1", "Use 2 for a map"),
    "metric": (
        lambda value: isinstance(value, str) or callable(value),
        "a name or a function of two vectors",
        "'euclidean' is the usual choice",
    ),
    "target_metric": (
        lambda value: isinstance(value, str) or callable(value),
        "a name or a function of two vectors",
        "'categorical' takes y as labels",
    ),
    "precomputed_knn": (
        _or_none(lambda value: isinstance(value, tuple | list) and len(value) >= 2),
        "None or a tuple (indices, distances)",
        "Pass two arrays of shape (n_samples, n_neighbors)",
    ),
    "random_state": (
        _is_random_state,
        f"None, an int in [0, {_LARGEST_SEED}] or a generator of numpy.random",
        "An int gives the same map every time",
    ),
    "metric_kwds": (
        _or_none(lambda value: isinstance(value, Mapping)),
        "a dict or None",
        "Pass the metric's arguments by name",
    ),
    "target_metric_kwds": (
        _or_none(lambda value: isinstance(value, Mapping)),
        "a dict or None",
        "Pass the metric's arguments by name",
    ),
    "set_op_mix_ratio": (_real_from(0, 1), "a number in [0, 1]", "1 is the fuzzy union"),
    "local_connectivity": (_real_from(0), "a number of at least 0", "1 is the usual choice"),
    "target_weight": (_real_from(0, 1), "a number in [0, 1]", "0.5 weighs data and target alike"),
    "max_graph_samples": (
        _integer_from(3),
        "an int of at least 3",
        "1_000_000 is the default",
    ),
    "target_n_neighbors": (
        lambda value: _is_integer(value) and (value == -1 or value >= 2),
        "-1 or an int of at least 2",
        "-1 takes n_neighbors",
    ),
    "n_jobs": (
        _or_none(lambda value: _is_integer(value) and value != 0),
        "an int other than 0",
        "-1 uses all cores",
    ),
    "min_dist": (_real_from(0), "a number of at least 0", "0.1 is the usual choice"),
    "spread": (_real_from(0, open_below=True), "a number above 0", "1.0 is the usual choice"),
    "a": (_or_none(_real_from(0, open_below=True)), "None or a number above 0", "Leave it out"),
    "b": (_or_none(_real_from(0, open_below=True)), "None or a number above 0", "Leave it out"),
    "init": (
        _is_init,
        "'spectral', 'pca', 'random' or an array of shape (n_samples, n_components)",
        "'spectral' is the usual choice",
    ),
    "n_epochs": (_or_none(_integer_from(1)), "None or an int of at least 1", "Leave it out"),
    "learning_rate": (_real_from(0, open_below=True), "a number above 0", "1.0 is usual"),
    "negative_sample_rate": (_integer_from(0), "an int of at least 0", "5 is the usual choice"),
    "repulsion_strength": (_real_from(0), "a number of at least 0", "1.0 is the usual choice"),
    "dens_lambda": (_real_from(0), "a number of at least 0", "2.0 is the usual choice"),
    "dens_frac": (_real_from(0, 1), "a number in [0, 1]", "0.3 is the usual choice"),
    "dens_var_shift": (_real_from(0, open_below=True), "a number above 0", "0.1 is usual"),
    "parametric_reconstruction_loss_fcn": (
        _or_none(callable),
        "None or a function of (y_true, y_pred)",
        "Leave it out to have it chosen by the data",
    ),
    "parametric_reconstruction_loss_weight": (
        _real_from(0),
        "a number of at least 0",
        "1.0 is the usual choice",
    ),
    "n_style_components": (_integer_from(0), "an int of at least 0", "0 learns no style codes"),
    "validation_fraction": (
        lambda value: _is_real(value) and 0 <= value < 1,
        "a number in [0, 1)",
        "0.1 keeps a tenth of the samples out of the decoder's fit",
    ),
    "global_correlation_loss_weight": (_real_from(0), "a number of at least 0", "0 leaves it out"),
    "landmark_loss_fn": (
        _or_none(callable),
        "None or a function of (wanted, positions)",
        "Leave it out for the Euclidean distance",
    ),
    "landmark_loss_weight": (_real_from(0), "a number of at least 0", "1.0 is the usual choice"),
    "solver": _one_of({name: entry.summary for name, entry in SOLVERS.items()}),
    "quality": _one_of({name: entry.summary for name, entry in QUALITIES.items()}),
    "batch_size": (_or_none(_integer_from(1)), "None or an int of at least 1", "Leave it out"),
    "n_training_epochs": (_integer_from(1), "an int of at least 1", "1 is the standard schedule"),
    "loss_report_frequency": (_integer_from(1), "an int of at least 1", "10 is the usual choice"),
    "keras_fit_kwargs": (
        _or_none(lambda value: isinstance(value, Mapping)),
        "a dict or None",
        "For instance {'callbacks': [...]}",
    ),
    "progress": (
        _or_none(callable),
        "None or a function of one report",
        "Return True from it to stop",
    ),
    **dict.fromkeys(
        (
            "low_memory",
            "angular_rp_forest",
            "unique",
            "densmap",
            "parametric_embedding",
            "parametric_reconstruction",
            "autoencoder_loss",
            "verbose",
        ),
        (_is_boolean, "True or False", "Pass a bool"),
    ),
}


def check_parameters(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Raise unless every parameter satisfies its rule.

    Parameters
    ----------
    parameters : mapping
        Every constructor parameter, by name.

    Returns
    -------
    dict
        The same parameters, with numpy scalars converted to Python's, as Keras needs.

    Raises
    ------
    InvalidInputError
        Naming the parameter, its rule, its value and the remedy.
    """
    for name, (holds, rule, remedy) in _RULES.items():
        if not holds(parameters[name]):
            raise InvalidInputError(
                f"{name} must be {rule}; got {_show(parameters[name])}. {remedy}."
            )
    _check_metrics(parameters)
    _check_together(parameters)
    return {
        name: value.item() if isinstance(value, np.generic) else value
        for name, value in parameters.items()
    }


def _check_metrics(parameters: Mapping[str, Any]) -> None:
    if parameters["metric"] != "precomputed":
        check_metric(parameters["metric"])
    if parameters["target_metric"] != "categorical":
        check_metric(parameters["target_metric"], "target_metric")


def _check_together(parameters: Mapping[str, Any]) -> None:
    """Check the rules between parameters."""
    if parameters["min_dist"] > parameters["spread"]:
        raise InvalidInputError(
            f"min_dist must be at most spread; got min_dist={parameters['min_dist']!r} and "
            f"spread={parameters['spread']!r}. Lower min_dist or raise spread."
        )
    if (parameters["a"] is None) != (parameters["b"] is None):
        raise InvalidInputError(
            f"a and b must be given together; got a={parameters['a']!r}, b={parameters['b']!r}. "
            "Give both, or neither to have them fitted to min_dist and spread."
        )
    given = parameters["keras_fit_kwargs"] or {}
    unknown = [name for name in given if name not in _KERAS_FIT_ARGUMENTS]
    if unknown:
        raise InvalidInputError(
            f"keras_fit_kwargs must hold only {' and '.join(_KERAS_FIT_ARGUMENTS)}; got {unknown}. "
            "Use n_training_epochs, batch_size and reconstruction_validation for the rest."
        )
    for name in _NEED_DECODER:
        value = parameters[name]
        is_number = _is_boolean(value) or _is_real(value)
        is_given = value is not None and not (is_number and not value)
        if is_given and not parameters["parametric_reconstruction"]:
            shown = value if is_number else type(value).__name__
            raise InvalidInputError(
                f"{name} must come with parametric_reconstruction=True; got {name}={shown} and "
                "parametric_reconstruction=False. Set parametric_reconstruction=True."
            )
    if parameters["n_style_components"] and not parameters["parametric_embedding"]:
        raise InvalidInputError(
            "n_style_components must be 0 without an encoder; got "
            f"{parameters['n_style_components']} and parametric_embedding=False. Set "
            "parametric_embedding=True."
        )
