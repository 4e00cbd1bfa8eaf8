"""The slider that turns decoded pictures: offered on upright maps; keeps its value."""

from __future__ import annotations

import numpy as np
import pytest

from embedscope.explorer import Explorer, Reconstruction, ViewIntents
from embedscope.napari_dock._dock_view import DockView
from embedscope.samples import SampleId, samples_from_array

PICTURE = np.zeros((6, 6, 3), np.uint8)
WHOSE = SampleId("array", 0, 3)


def decoded(x: float = 0.5, *, style_of: SampleId | None = None) -> Reconstruction:
    return Reconstruction(
        np.array([x, 0.25]),
        np.zeros((6, 6, 1), np.float32),
        PICTURE,
        np.array([0, 1]),
        np.array([0.1, 0.2]),
        0.5,
        decoded=True,
        style="typical" if style_of is None else "carried",
        style_of=style_of,
    )


@pytest.fixture
def view(qapp, rng):
    upright = [True]
    made = DockView(can_turn=lambda: upright[0])
    made.upright = upright
    explorer = Explorer(samples_from_array(rng.random((5, 6, 6, 1))))
    explorer.place(rng.random((5, 2)))
    made.show_samples(explorer.samples)
    made.show_embedding(explorer.embedding)
    return made


@pytest.fixture
def asked(view):
    intents: ViewIntents = view.intents
    got = []
    for name in ("decode_requested", "turned_decode_requested", "turned_path_requested"):
        getattr(intents, name).connect(lambda *args, name=name: got.append((name, *args)))
    return got


def test_it_is_there_only_if_there_is_something_to_turn(view):
    turning = view.sample_panel.turning
    assert turning.isHidden()
    view.show_reconstruction(decoded())
    assert not turning.isHidden()
    view.upright[0] = False
    view.show_reconstruction(decoded())
    assert turning.isHidden()


def test_moving_it_decodes_the_same_place_and_style_again(view, asked):
    view.show_reconstruction(decoded(style_of=WHOSE))
    view.sample_panel.turning.slider.setValue(90)
    ((name, point, style, angle),) = asked
    assert (name, style, angle) == ("turned_decode_requested", WHOSE, 90.0)
    np.testing.assert_array_equal(point, [0.5, 0.25])
    assert view.sample_panel.turning.text.text() == "90°"


def test_the_angle_stays_while_the_place_moves_and_ends_with_the_map(view, asked):
    view.show_reconstruction(decoded())
    view.sample_panel.turning.slider.setValue(30)
    view.show_reconstruction(decoded(0.7))
    asked.clear()
    view._map_intents.request_decoding(np.array([1.0, 2.0]))
    assert [(each[0], each[-1]) for each in asked] == [("turned_decode_requested", 30.0)]
    view.upright[0] = False  # another map, or a run
    asked.clear()
    view._map_intents.request_decoding(np.array([1.0, 2.0]))
    assert [each[0] for each in asked] == ["decode_requested"]


def test_a_path_is_turned_whole_and_keeps_its_step(view, asked):
    path = tuple(decoded(x) for x in (0.0, 0.5, 1.0, 1.5))
    view.show_reconstruction(path)
    view.sample_panel.strip.chosen.emit(3)
    view.sample_panel.turning.slider.setValue(45)
    ((name, points, n, style, angle),) = asked
    assert (name, n, style, angle) == ("turned_path_requested", 4, None, 45.0)
    np.testing.assert_allclose(points[:, 0], [0.0, 0.5, 1.0, 1.5])
    view.show_reconstruction(path)
    assert view.sample_panel.looked_at is path[3]
