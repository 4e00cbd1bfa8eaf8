"""The shape of one sample for the networks, read without loading Keras."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from embedscope._errors import InvalidInputError


def sample_shape(dims: Sequence[int] | None, encoder: Any) -> tuple[int, ...] | None:
    """`dims` if given, else what a user's encoder says it takes, else None for the data's own.

    Parameters
    ----------
    dims : sequence of int or None
    encoder : None, str or keras.Model

    Returns
    -------
    tuple of int or None
    """
    if dims is not None:
        try:
            shape = tuple(int(size) for size in dims)
        except (TypeError, ValueError) as error:
            raise InvalidInputError(
                f"dims must be a sequence of ints above 0; got {dims!r}. "
                "Give the shape of one sample, for instance (28, 28, 1)."
            ) from error
        if not shape or min(shape) < 1:
            raise InvalidInputError(
                f"dims must be a sequence of ints above 0; got {dims!r}. "
                "Give the shape of one sample, for instance (28, 28, 1)."
            )
        return shape
    taken = getattr(encoder, "input_shape", None)
    if not isinstance(taken, tuple) or None in taken[1:] or len(taken) < 2:
        return None
    return tuple(int(size) for size in taken[1:])
