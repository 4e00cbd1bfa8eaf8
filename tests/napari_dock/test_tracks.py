"""Tracks join the same label from frame to frame."""

from __future__ import annotations

import numpy as np

from embedscope.napari_dock.map._map_canvas import MapCanvas
from embedscope.napari_dock.map._points_menu import PointsMenu
from embedscope.napari_dock.map._tracks import has_frames, segments_of, track_segments
from embedscope.samples import ArrayRecipe, Identities, Samples, Source


def samples_of(source: list[int], frame: list[int], label: list[int]) -> Samples:
    names = ("a", "b")
    return Samples(
        Identities(names, source, frame, label),
        {name: Source(name, "array") for name in names},
        ArrayRecipe((1,)),
        table=np.zeros((len(label), 1), np.float32),
        feature_names=("value",),
    )


def test_a_label_is_joined_to_itself_in_later_frames_of_its_source():
    #                     row: 0  1  2  3  4  5
    samples = samples_of([0, 0, 1, 0, 0, 1], [2, 0, 0, 1, 0, 4], [7, 7, 7, 7, 9, 7])
    assert sorted(map(tuple, track_segments(samples).tolist())) == [(1, 3), (2, 5), (3, 0)]
    assert has_frames(samples)


def test_one_sample_stands_for_its_track():
    samples = samples_of([0, 0, 1, 0, 0, 1], [2, 0, 0, 1, 0, 4], [7, 7, 7, 7, 9, 7])
    segments = track_segments(samples)
    for row, expected in ((3, [(1, 3), (3, 0)]), (5, [(2, 5)]), (4, [])):
        assert list(map(tuple, segments_of(segments, samples, np.array([row])))) == expected


def test_stills_have_no_tracks():
    samples = samples_of([0, 0, 1], [0, 0, 0], [1, 2, 1])
    assert track_segments(samples).shape == (0, 2)
    assert not has_frames(samples)


def test_the_menu_draws_them_where_there_are_any(qtbot):
    canvas = MapCanvas()
    qtbot.addWidget(canvas)
    menu = PointsMenu(canvas, canvas)
    assert not menu.tracks.isEnabled()
    menu.show_samples(samples_of([0, 0], [0, 1], [3, 3]))
    canvas.map_view.set_positions(np.array([[0, 0], [1, 1]], np.float32))
    assert not canvas.map_view._tracks.visible
    menu.tracks.setChecked(True)
    assert not canvas.map_view._tracks.visible  # of the selection, which is empty
    menu.show_selection(np.array([1]))
    assert canvas.map_view._tracks.visible
    menu.show_selection(np.array([], np.int64))
    assert not canvas.map_view._tracks.visible
    menu.shown.setCurrentText("all")
    assert canvas.map_view._tracks.visible
    menu.show_samples(samples_of([0, 0], [0, 0], [3, 4]))
    assert not canvas.map_view._tracks.visible
