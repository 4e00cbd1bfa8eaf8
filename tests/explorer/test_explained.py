"""The explained share of unseen samples, as numbers and text."""

from __future__ import annotations

import math

import numpy as np
import pytest
from linear_map import linear_explorer

from embedscope.explorer import Explained

SHARES = {"val_reconstruction_loss": [0.9, 0.64], "val_style_reconstruction_loss": [0.8, 0.26]}


def test_text_is_of_the_latest_losses() -> None:
    explained = Explained.of_losses(SHARES)
    assert explained.place == pytest.approx(0.36)
    assert explained.style == pytest.approx(0.74)
    assert explained.text == "explains 36 % of unseen samples; 74 % with their own code"


@pytest.mark.parametrize(("share", "said"), [(-0.03, "-3 %"), (-0.001, "0 %"), (1.0, "100 %")])
def test_negative_share_is_reported(share: float, said: str) -> None:
    assert Explained(share).text == f"explains {said} of unseen samples"


def test_losses_in_other_units_are_no_shares() -> None:
    assert Explained.of_losses({"val_reconstruction_loss": [0.64]}) is None
    assert Explained.of_losses({"loss": [1.0]}) is None
    assert Explained.of_losses({}) is None
    style_alone = {name: SHARES[name] for name in ("val_style_reconstruction_loss",)}
    assert Explained.of_losses(style_alone) is None


@pytest.mark.parametrize("missing", [[], [0.5, math.nan], [math.inf]])
def test_missing_losses_are_left_out(missing: list[float]) -> None:
    no_style = SHARES | {"val_style_reconstruction_loss": missing, "style_reconstruction_loss": [1]}
    assert Explained.of_losses(no_style) == Explained(pytest.approx(0.36))
    assert Explained.of_losses(SHARES | {"val_reconstruction_loss": missing}) is None


def test_explained_is_live_and_cleared_with_the_samples() -> None:
    explorer = linear_explorer()
    assert explorer.explained is None
    for place, style in ((0.9, 0.8), (0.64, 0.26)):
        explorer._on_losses(
            {"val_reconstruction_loss": place, "val_style_reconstruction_loss": style}
        )
    assert explorer.explained.text.startswith("explains 36 %")
    explorer.set_samples(np.random.default_rng(0).random((5, 3)))
    assert explorer.explained is None
