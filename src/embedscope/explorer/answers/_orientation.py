"""How samples lie, on a map that decodes upright pictures; see `core.networks.Upright`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from embedscope._errors import InvalidInputError

if TYPE_CHECKING:
    from embedscope.core.networks import Upright

_BLOCK_VALUES = 2**22  # turned at a time


class Orientation:
    """Turns samples upright, and upright pictures back.

    Parameters
    ----------
    layer : Upright
        The first layer of the encoder.
    """

    def __init__(self, layer: Upright) -> None:
        self._layer = layer

    @classmethod
    def of(cls, estimator: Any) -> Orientation | None:
        """That of a map; None if it decodes pictures as they lie."""
        encoder = getattr(estimator, "encoder_", None)
        if encoder is None:
            return None
        from embedscope.core.networks import preparation_of

        layer = preparation_of(encoder)
        return None if layer is None else cls(layer)

    def upright(self, values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Samples, upright: shape (n, [depth,] height, width, n_channels)."""
        return self._in_blocks(self._layer.upright, values)

    def as_samples_lie(
        self, upright: npt.NDArray[np.float32], values: npt.NDArray[np.float32]
    ) -> npt.NDArray[np.float32]:
        """Upright pictures, each turned so that it lies as its sample does.

        Parameters
        ----------
        upright : ndarray of shape (n, *sample_shape), float32
        values : ndarray of shape (n, *sample_shape), float32
            The samples.
        """

        def turn(upright: Any, values: Any) -> Any:
            return self._layer.turned_back(upright, self._layer.poses(values))

        return self._in_blocks(turn, upright, values)

    def turned(self, pictures: npt.NDArray[np.float32], angle: float) -> npt.NDArray[np.float32]:
        """Pictures, turned about their middle by an angle in degrees, counter-clockwise."""
        cosine, sine = np.cos(np.deg2rad(angle)), np.sin(np.deg2rad(angle))
        # Rows run downwards, so a counter-clockwise turn is one from x to -y.
        pose = np.array([[cosine, -sine, 0.0], [sine, cosine, 0.0]], np.float32)

        def turn(pictures: Any) -> Any:
            return self._layer.turned_back(pictures, np.repeat(pose[None], len(pictures), axis=0))

        return self._in_blocks(turn, pictures)

    @staticmethod
    def _in_blocks(
        turn: Callable[..., Any], *arrays: npt.NDArray[np.float32]
    ) -> npt.NDArray[np.float32]:
        first = np.asarray(arrays[0], np.float32)
        step = max(1, _BLOCK_VALUES // max(1, first[0].size)) if len(first) else 1
        turned = np.empty_like(first)
        for start in range(0, len(first), step):
            block = slice(start, start + step)
            turned[block] = turn(*(np.asarray(each[block], np.float32) for each in arrays))
        return turned


def check_angle(angle: Any) -> float:
    """An angle in degrees.

    Raises
    ------
    InvalidInputError
        If it is no finite number.
    """
    try:
        number = float("nan") if isinstance(angle, bool | str | bytes) else float(angle)
    except (TypeError, ValueError):
        number = float("nan")
    if not np.isfinite(number):
        raise InvalidInputError(
            f"angle must be a finite number of degrees; got {angle!r}. Give 0 to turn nothing."
        )
    return number % 360.0
