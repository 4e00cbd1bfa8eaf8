"""The choices between time and quality that `ParametricUMAP(quality=...)` can name."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Quality:
    """A choice between time and quality.

    Attributes
    ----------
    effort : float
        Multiplies the steps and rounds of the standard schedule.
    summary : str
        Error messages quote it after the name.
    """

    effort: float
    summary: str


QUALITIES: dict[str, Quality] = {
    "fast": Quality(0.5, "trains for half as long"),
    "balanced": Quality(1.0, "is the standard schedule"),
    "best": Quality(4.0, "trains four times as long"),
}
