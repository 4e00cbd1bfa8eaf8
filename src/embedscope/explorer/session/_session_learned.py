"""What a map learns from, for a session: the values, and of a function only its name.

A function is code, and a session holds none. Its values are kept: so a session shows its map
without the function, and compares it with them when it is given again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from embedscope.samples import Learned, Samples

FUNCTION = "function"
_KINDS = ("columns", "array", FUNCTION)


def store_learned(
    samples: Samples,
) -> tuple[dict[str, Any] | None, dict[str, npt.NDArray[Any]]]:
    """What samples learn from as JSON and arrays; None and no array if it is what they show.

    A function that has not computed anything yet is left out, with all that it would compute.
    """
    learned = samples.learned
    if learned is None or learned.values is None:
        return None, {}
    described = {
        "kind": learned.kind,
        "name": learned.name,
        "names": list(learned.names),
        "is_standardised": learned.is_standardised,
    }
    arrays: dict[str, npt.NDArray[Any]] = {"learned_values": np.asarray(learned.values)}
    if learned.scale is not None:
        means, deviations = learned.scale
        arrays |= {"learned_means": np.array(means), "learned_deviations": np.array(deviations)}
    return described, arrays


def learned_in(
    described: Mapping[str, Any] | None, arrays: Mapping[str, npt.NDArray[Any]]
) -> Learned | None:
    """What stored samples learn from; None if it is what they show, as in earlier versions.

    Raises
    ------
    KeyError, TypeError, ValueError
        If the parts do not fit together.
    """
    if described is None:
        return None
    values, names = arrays["learned_values"], tuple(map(str, described["names"]))
    if values.ndim != 2 or values.dtype.kind != "f" or values.shape[1] != len(names):
        raise ValueError(f"learned values of {values.dtype} and shape {values.shape}")
    kind = described["kind"]  # a run that was stopped leaves gaps in what a function computed
    if kind not in _KINDS or not (kind == FUNCTION or np.isfinite(values).all()):
        raise ValueError(f"learned values of kind {kind!r} that are not finite")
    scale = None
    if described["is_standardised"]:
        means, deviations = arrays["learned_means"], arrays["learned_deviations"]
        if not means.shape == deviations.shape == (len(names),):
            raise ValueError(f"a scale of shape {means.shape} for {len(names)} learned values")
        scale = (tuple(means.tolist()), tuple(deviations.tolist()))
    return Learned(
        str(kind),
        name=str(described["name"]),
        names=names,
        values=values,
        is_standardised=bool(described["is_standardised"]),
        scale=scale,
    )
