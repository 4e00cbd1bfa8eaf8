"""Loss curves: whatever comes is drawn, and nothing in it stops the drawing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from map_pixels import as_array

from embedscope.napari_dock.panels._loss_plot import LossPlot
from embedscope.napari_dock.widgets._theme import DARK, LIGHT

BLUE, ORANGE, GREEN = (0x56, 0xB4, 0xE9), (0xE6, 0x9F, 0x00), (0x00, 0x9E, 0x73)
NAMES = (
    "loss",
    "reconstruction_loss",
    "val_reconstruction_loss",
    "style_reconstruction_loss",
    "val_style_reconstruction_loss",
)


@pytest.fixture(scope="module")
def plot(qapp):
    plot = LossPlot()
    plot.resize(300, 96)
    return plot


def painted(plot: LossPlot) -> np.ndarray:
    return as_array(plot.grab().toImage())


def columns_of(plot: LossPlot, color: tuple[int, int, int]) -> np.ndarray:
    """Where from left to right something of a colour is drawn."""
    return np.flatnonzero((np.abs(painted(plot) - color) < 40).all(axis=-1).any(axis=0))


def curve(plot: LossPlot) -> np.ndarray:
    """Rows of the first curve, one a column; NaN where it is not drawn."""
    is_blue = (np.abs(painted(plot) - BLUE) < 40).all(axis=-1)
    rows = np.arange(is_blue.shape[0])[:, None]
    return np.where(is_blue.any(axis=0), (rows * is_blue).sum(0) / is_blue.sum(0).clip(1), np.nan)


def test_a_loss_that_falls_is_seen_to_fall(plot):
    plot.show_losses({"loss": [10.0, 8, 6, 4, 2, 1]})
    rows = curve(plot)
    rows = rows[np.isfinite(rows)]
    assert len(rows) > 200
    assert rows[-1] - rows[0] > 40
    assert (np.diff(rows[5:-10]) > -3).all()


def test_small_units_are_seen_as_well_as_large_ones(plot):
    plot.show_losses({"loss": [3.0, 2, 1]})
    large = painted(plot)[30:]
    plot.show_losses({"loss": [3e-9, 2e-9, 1e-9]})
    assert np.abs(large - painted(plot)[30:]).mean() < 3


@settings(max_examples=40, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from([*NAMES, "other", "val_other"]),
        st.lists(st.floats(width=32), max_size=30),
    )
)
def test_any_losses_can_be_drawn(plot, losses):
    plot.show_losses(losses)
    assert set(plot.losses) == {name for name, values in losses.items() if values}
    assert painted(plot).shape == (96, 300, 3)


def test_each_kind_has_a_band_of_its_own_from_left_to_right(plot):
    plot.show_losses({name: [1.0, 0.5, 0.3] for name in reversed(NAMES)})
    blue, orange, green = (columns_of(plot, color) for color in (BLUE, ORANGE, GREEN))
    assert blue.max() < orange.min() < orange.max() < green.min()
    assert min(np.ptp(columns) for columns in (blue, orange, green)) > 50


def test_what_is_held_out_is_dashed_beside_what_is_learned_from(plot):
    falling = np.linspace(1.0, 0.1, 20)
    solid, dashed = {"reconstruction_loss": falling}, {"val_reconstruction_loss": falling}
    plot.show_losses(solid)
    n_solid = len(columns_of(plot, BLUE))  # alone it is the first band
    plot.show_losses(dashed)
    n_dashed = len(columns_of(plot, BLUE))
    assert 0.3 * n_solid < n_dashed < 0.9 * n_solid
    plot.show_losses({"reconstruction_loss": falling, "val_reconstruction_loss": falling + 0.5})
    assert len(columns_of(plot, BLUE)) >= n_solid - 2  # both in one band
    rows = curve(plot)
    assert np.nanmax(np.abs(np.diff(rows))) > 5  # two curves apart on one scale


def test_values_that_are_not_finite_leave_the_rest(plot):
    plot.show_losses({"loss": [float("nan"), float("inf"), 3.0, 2.0, 1.0]})
    assert np.isfinite(curve(plot)).sum() > 100
    plot.show_losses({"loss": [float("nan")]})
    assert not np.isfinite(curve(plot)).any()


def test_nothing_yet_says_so_and_themes_differ(plot):
    shown = {}
    for name, colors in {"dark": DARK, "light": LIGHT}.items():
        plot.set_theme(colors)
        plot.show_losses({})
        shown[name] = painted(plot)
    assert (shown["dark"] != shown["light"]).any()
    assert (shown["dark"] != shown["dark"][0, 0]).any()
