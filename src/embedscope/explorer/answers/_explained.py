"""How much of the samples a map explains, measured on samples that its decoder has not seen."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_PLACE = "val_reconstruction_loss"
_STYLE = "val_style_reconstruction_loss"
_SHARES = ("style_reconstruction_loss", _STYLE)  # only a map with style codes reports these


@dataclass(frozen=True)
class Explained:
    """Shares of the variance of unseen samples that the decoder draws.

    1 is everything, 0 as much as drawing the mean sample every time. Below 0, the mean sample would
    have been better.

    Attributes
    ----------
    place : float
        By the typical sample of each sample's place.
    style : float or None
        By place and own style code; None if that was not measured.
    """

    place: float
    style: float | None = None

    @classmethod
    def of_losses(cls, losses: Mapping[str, Sequence[float]]) -> Explained | None:
        """What the latest report of a run says.

        Parameters
        ----------
        losses : mapping of str to sequence of float
            The history of each loss, as ``Explorer.losses``.

        Returns
        -------
        Explained or None
            None where nothing was held out, or the losses are no shares: those of a map without
            style codes are in units of their own.
        """
        place = _latest(losses, _PLACE)
        if place is None or not any(losses.get(name) for name in _SHARES):
            return None
        style = _latest(losses, _STYLE)
        return cls(1.0 - place, None if style is None else 1.0 - style)

    @property
    def text(self) -> str:
        """In words: "explains 36 % of unseen samples; 74 % with their own code"."""
        said = f"explains {_percent(self.place)} % of unseen samples"
        return (
            said if self.style is None else f"{said}; {_percent(self.style)} % with their own code"
        )


def _latest(losses: Mapping[str, Sequence[float]], name: str) -> float | None:
    values = losses.get(name, ())
    return float(values[-1]) if len(values) and math.isfinite(values[-1]) else None


def _percent(share: float) -> int:
    return round(100 * share)
