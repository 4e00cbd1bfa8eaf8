"""How much of unseen samples the decoder of a map explains."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_PLACE = "val_reconstruction_loss"
_STYLE = "val_style_reconstruction_loss"
_SHARES = ("style_reconstruction_loss", _STYLE)  # only a map with style codes reports these


@dataclass(frozen=True)
class Explained:
    """Shares of the variance of unseen samples that the decoder explains.

    1 is everything, 0 is no better than the mean sample every time, below 0 is worse than that.

    Attributes
    ----------
    place : float
        By the typical sample at each sample's position.
    style : float or None
        By position and own style code; None if not measured.
    """

    place: float
    style: float | None = None

    @classmethod
    def of_losses(cls, losses: Mapping[str, Sequence[float]]) -> Explained | None:
        """From the latest report of a run.

        Parameters
        ----------
        losses : mapping of str to sequence of float
            The history of each loss, as ``Explorer.losses``.

        Returns
        -------
        Explained or None
            None if nothing was held out, or if the map has no style codes: its losses are not
            shares of a variance.
        """
        place = _latest(losses, _PLACE)
        if place is None or not any(losses.get(name) for name in _SHARES):
            return None
        style = _latest(losses, _STYLE)
        return cls(1.0 - place, None if style is None else 1.0 - style)

    @property
    def text(self) -> str:
        """As text: "explains 36 % of unseen samples; 74 % with their own code"."""
        said = f"explains {_percent(self.place)} % of unseen samples"
        return (
            said if self.style is None else f"{said}; {_percent(self.style)} % with their own code"
        )


def _latest(losses: Mapping[str, Sequence[float]], name: str) -> float | None:
    values = losses.get(name, ())
    return float(values[-1]) if len(values) and math.isfinite(values[-1]) else None


def _percent(share: float) -> int:
    return round(100 * share)
