"""How a user has set the channels of pictures: their limits and colours, as in a viewer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from embedscope._errors import InvalidInputError

_FULL = {"gray": "white", "grey": "white", "green": "lime"}
"""Colours that are half as bright in CSS as viewers show them at full intensity."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Display:
    """How the channels of pictures are shown.

    Attributes
    ----------
    limits : pair of float, sequence of pairs, or None
        Intensities of the image that are dark and full, for all channels or for each: the contrast
        limits of a viewer. If None, those that the samples are scaled by; all that the dtype holds
        for RGB pictures.
    colors : sequence of str or array, or None
        For each channel the colour of full intensity, a name or "#rrggbb", or a table of colours
        from dark to full, of shape (k, 3) with values in 0..1. "gray" and "green" are full ones, as
        in viewers: white and "#00ff00". Colours of channels are added. If None, those of
        `Samples.thumbnail`.

    Raises
    ------
    InvalidInputError
        If limits do not rise or are not finite, or a colour is unknown.
    """

    limits: Any = None
    colors: Any = None

    def __post_init__(self) -> None:
        if self.limits is not None:
            object.__setattr__(self, "limits", _checked_limits(self.limits))
        if self.colors is not None:
            given = [self.colors] if isinstance(self.colors, str) else self.colors
            object.__setattr__(self, "colors", tuple(_table_of(color) for color in given))

    def limits_for(self, n_channels: int) -> Floats | None:
        """Limits of each channel, shape (n_channels, 2); None if the user gave none.

        Raises
        ------
        InvalidInputError
            If there are limits for another number of channels.
        """
        if self.limits is None:
            return None
        limits: Floats = self.limits
        if len(limits) not in (1, n_channels):
            raise InvalidInputError(
                f"limits must be one pair, or one for each of {n_channels} channels; got "
                f"{len(limits)}. Give them in the order of the channels."
            )
        return np.broadcast_to(limits, (n_channels, 2))

    def tables_for(self, n_channels: int) -> tuple[Floats, ...] | None:
        """A table of colours for each channel; None if the user gave none.

        Raises
        ------
        InvalidInputError
            If there are colours for another number of channels.
        """
        if self.colors is not None and len(self.colors) != n_channels:
            raise InvalidInputError(
                f"colors must be one for each of {n_channels} channels; got {len(self.colors)}. "
                'Give them in the order of the channels; "black" hides one.'
            )
        tables: tuple[Floats, ...] | None = self.colors
        return tables


def _checked_limits(limits: Any) -> Floats:
    try:
        pairs = np.atleast_2d(np.asarray(limits, np.float64))
    except (ValueError, TypeError):  # no numbers, or of different lengths
        pairs = np.zeros((0, 0))
    are_pairs = pairs.ndim == 2 and pairs.shape[1] == 2 and np.isfinite(pairs).all()
    if not are_pairs or (pairs[:, 0] >= pairs[:, 1]).any():
        raise InvalidInputError(
            f"limits must be pairs of rising numbers; got {limits!r:.200}. Give the intensities "
            "that are dark and full, such as (0, 255)."
        )
    return pairs


def _table_of(color: str | Sequence[Any] | npt.NDArray[Any]) -> Floats:
    """The colours from dark to full, shape (k, 3), of one of the `colors`."""
    from matplotlib.colors import to_rgb

    try:
        if isinstance(color, str):
            return np.array([[0.0, 0.0, 0.0], to_rgb(_FULL.get(color, color))])
        table = np.asarray(color, np.float64)
        if table.ndim == 2 and table.shape[1] == 3 and ((table >= 0) & (table <= 1)).all():
            return table
    except (ValueError, TypeError):
        pass
    raise InvalidInputError(
        f"colors must be names, #rrggbb or tables of shape (k, 3) in 0..1; got {color!r:.200}. Use "
        'for example "magenta".'
    )
