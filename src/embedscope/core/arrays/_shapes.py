"""The shape of one sample for the networks, found without importing Keras."""

from __future__ import annotations

from collections.abc import Iterable
from numbers import Integral
from typing import Any

from embedscope._errors import InvalidInputError


def sample_shape(dims: Any, encoder: Any) -> tuple[int, ...] | None:
    """`dims` if given, else the input shape of a user's encoder, else None for the data's own.

    Parameters
    ----------
    dims : sequence of int or None
    encoder : None, str or keras.Model

    Returns
    -------
    tuple of int or None

    Raises
    ------
    InvalidInputError
        If `dims` is not a shape.
    """
    if dims is not None:
        return _checked(dims)
    taken = getattr(encoder, "input_shape", None)
    if not isinstance(taken, tuple) or None in taken[1:] or len(taken) < 2:
        return None
    return tuple(int(size) for size in taken[1:])


def _checked(dims: Any) -> tuple[int, ...]:
    sizes = list(dims) if isinstance(dims, Iterable) and not isinstance(dims, str) else []
    if not sizes or not all(_is_size(size) for size in sizes):
        raise InvalidInputError(
            f"dims must be a sequence of ints above 0; got {dims!r}. "
            "Give the shape of one sample, for instance (28, 28, 1)."
        )
    return tuple(int(size) for size in sizes)


def _is_size(size: Any) -> bool:
    if isinstance(size, bool) or not isinstance(size, Integral):
        return False
    return int(size) > 0


def check_layout(given: tuple[int, ...], wanted: tuple[int, ...], name: str) -> None:
    """Raise if samples can be reshaped to the wanted shape only by mixing up their axes.

    Flat samples and samples of the wanted shape are accepted, and axes of length 1 are ignored. An
    image with channels first is not accepted as one with channels last, although the size is equal.

    Parameters
    ----------
    given, wanted : tuple of int
        Shape of one sample as given, and as the networks take it; both of the same size.
    name : str
        Name of the array in the message.
    """
    axes, wanted_axes = ([size for size in shape if size > 1] for shape in (given, wanted))
    if min(len(axes), len(wanted_axes)) > 1 and axes != wanted_axes:
        raise InvalidInputError(
            f"{name} must hold samples of shape {wanted}, or flattened ones; got {given}, whose "
            f"axes are in another order. Use numpy.moveaxis, or set dims to the shape of {name}."
        )
