"""Reconstructions of real samples: known errors, held-out samples, and two colours."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from linear_map import HELD_OUT, N_SAMPLES, linear_explorer, linear_result, random_samples

from embedscope._errors import InvalidInputError
from embedscope.explorer import Explorer, Presenter
from embedscope.explorer.answers._held_out import find_held_out
from embedscope.explorer.answers._reconstructing import draw_difference
from embedscope.samples import samples_from_array


@pytest.fixture
def explorer() -> Explorer:
    return linear_explorer()


def test_errors_are_shares_of_that_of_the_mean_sample(explorer: Explorer) -> None:
    X = explorer.samples.X.reshape(N_SAMPLES, -1).astype(np.float64)
    of_mean = ((X - X.mean(axis=0)) ** 2).mean()
    made = explorer.reconstruct([8, 3])
    for row, each in zip((8, 3), made, strict=True):
        assert each.row == row
        assert each.id == explorer.samples.identities[row]
        # From the place two values are right, with the code four; all others are drawn as 0.
        assert each.typical_error == pytest.approx((X[row, 2:] ** 2).sum() / 16 / of_mean, rel=1e-4)
        assert each.error == pytest.approx((X[row, 4:] ** 2).sum() / 16 / of_mean, rel=1e-4)
        np.testing.assert_array_equal(each.sample, explorer.samples.X[row])
        np.testing.assert_allclose(each.reconstruction.ravel()[:4], X[row, :4], atol=1e-6)
        assert not each.reconstruction.ravel()[4:].any()


def test_pictures_are_those_of_the_samples(explorer: Explorer) -> None:
    samples = explorer.samples
    (each,) = explorer.reconstruct([5])
    np.testing.assert_array_equal(each.original, samples.thumbnail(5))
    np.testing.assert_array_equal(each.picture, samples.to_picture(each.reconstruction))
    typical = explorer.decode(explorer.embedding.positions[5])
    np.testing.assert_array_equal(each.typical, typical.picture)
    np.testing.assert_array_equal(
        each.difference, draw_difference(each.reconstruction - each.sample)
    )


def test_too_bright_is_orange_and_too_dark_is_blue() -> None:
    difference = np.array([[[0.25], [0.125], [0.0], [-0.125], [-9.0]]], np.float32)
    np.testing.assert_array_equal(
        draw_difference(difference)[0],
        [[255, 128, 0], [128, 64, 0], [0, 0, 0], [0, 64, 128], [0, 128, 255]],
    )


def test_of_channels_and_depth_the_largest_difference_is_shown() -> None:
    difference = np.zeros((2, 1, 1, 3), np.float32)
    difference[0, 0, 0] = [0.05, -0.15, 0.1]
    difference[1, 0, 0] = [0.2, -0.1, 0.0]
    assert draw_difference(difference).tolist() == [[[204, 102, 0]]]
    assert draw_difference(difference[0]).tolist() == [[[0, 77, 153]]]


@given(st.lists(st.floats(-2, 2, width=32), min_size=1, max_size=12))
def test_the_sign_decides_the_colour(values: list[float]) -> None:
    difference = np.array(values, np.float32).reshape(1, -1, 1)
    picture = draw_difference(difference)[0].astype(int)
    opposite = draw_difference(-difference)[0].astype(int)
    np.testing.assert_array_equal(picture, opposite[:, ::-1])
    for value, (red, _, blue) in zip(values, picture, strict=True):
        assert (red > 0) == (value > 0) or abs(value) < 0.01
        assert (blue > 0) == (value < 0) or abs(value) < 0.01


def test_selected_samples_are_reconstructed_at_most_n_most(explorer: Explorer) -> None:
    explorer.select_rows(list(range(10, 30)))
    assert [each.row for each in explorer.reconstruct()] == list(range(10, 30))
    assert [each.row for each in explorer.reconstruct(n_most=2)] == [10, 29]
    assert len(explorer.reconstruct(n_most=500)) == 20
    mask = np.zeros(N_SAMPLES, bool)
    mask[[4, 50]] = True
    assert [each.row for each in explorer.reconstruct(mask)] == [4, 50]
    assert len(explorer.reconstruct(explorer.samples)) == N_SAMPLES
    assert explorer.sample_reconstructions == ()


def test_rows_keep_their_order() -> None:
    explorer = linear_explorer(random_samples((4,), 700))
    rows = np.random.default_rng(1).permutation(700)
    made = explorer.reconstruct(rows)
    assert [each.row for each in made] == rows.tolist()
    np.testing.assert_array_equal([each.sample for each in made], explorer.samples.X[rows])
    assert max(each.error for each in made) < 1e-9  # four values: all are known
    assert made[0].picture is made[0].original is made[0].typical is made[0].difference is None


def test_further_samples_are_placed_by_the_map_and_were_not_trained_on(explorer: Explorer) -> None:
    new = np.random.default_rng(9).random((3, 4, 4, 1), np.float32)
    made = explorer.reconstruct(new)
    read = explorer.samples.same_way(new)
    assert [(each.row, each.is_held_out) for each in made] == [(None, None)] * 3
    assert [each.id.label for each in made] == [0, 1, 2]
    np.testing.assert_array_equal([each.sample for each in made], read.X)
    np.testing.assert_allclose(made[1].reconstruction.ravel()[:4], read.X[1].ravel()[:4], atol=1e-6)
    assert len(explorer.samples) == N_SAMPLES


def test_frame_is_read_like_the_table() -> None:
    frame = pd.DataFrame(np.random.default_rng(0).random((N_SAMPLES, 5)), columns=list("abcde"))
    explorer = Explorer(frame)
    explorer.show_result(linear_result(explorer.samples))
    made = explorer.reconstruct(frame.iloc[:2, ::-1])
    np.testing.assert_allclose([each.sample for each in made], explorer.samples.X[:2], atol=1e-6)


def test_held_out_samples_are_known_by_identity(explorer: Explorer) -> None:
    explorer.add_samples(np.random.default_rng(5).random((2, 4, 4, 1), np.float32))
    told = [each.is_held_out for each in explorer.reconstruct(explorer.samples)]
    assert [row for row, held_out in enumerate(told) if held_out is True] == HELD_OUT.tolist()
    assert told.count(False) == N_SAMPLES - len(HELD_OUT)
    assert told[N_SAMPLES:] == [None, None]


@given(st.data())
def test_held_out_samples_are_found_after_others_are_removed(data: Any) -> None:
    whole = linear_result()
    rows = data.draw(st.lists(st.integers(0, N_SAMPLES - 1), min_size=1, unique=True))
    left = replace(whole, samples=whole.samples.subset(rows), embedding=whole.embedding[rows])
    np.testing.assert_array_equal(find_held_out(left), np.isin(rows, HELD_OUT))


def test_samples_at_one_position_count_as_fitted_if_rows_differ() -> None:
    X = random_samples().X
    X[1] = X[0]  # 0 is held out, 1 is not
    whole = linear_result(samples_from_array(X))
    assert find_held_out(whole)[:2].tolist() == [True, False]
    left = replace(whole, samples=whole.samples.subset([0, 10]), embedding=whole.embedding[[0, 10]])
    assert find_held_out(left).tolist() == [False, True]


def test_without_style_codes_the_position_alone_reconstructs() -> None:
    (each,) = linear_explorer(style=False, spread=False).reconstruct([0])
    assert each.error == each.typical_error > 0
    assert each.is_held_out is False
    np.testing.assert_array_equal(each.picture, each.typical)


def test_equal_samples_have_zero_or_infinite_error() -> None:
    alike = np.zeros((N_SAMPLES, 5), np.float32)
    explorer = Explorer(alike)
    explorer.show_result(linear_result(explorer.samples))
    assert explorer.reconstruct([0])[0].error == 0.0
    assert explorer.reconstruct(alike[:1] + np.float32(1))[0].error == np.inf


def test_shown_reconstructions_are_emitted_and_cleared_with_the_map(explorer: Explorer) -> None:
    told: list[Any] = []
    explorer.events.sample_reconstructions_changed.connect(told.append)
    made = explorer.reconstruct([1, 2])
    explorer.show_sample_reconstructions(made)
    assert explorer.sample_reconstructions == made
    explorer.show_result(linear_result(explorer.samples))
    assert explorer.sample_reconstructions == ()
    assert told[:2] == [made, ()]
    explorer.set_samples(np.zeros((1, 4, 4), np.float32) + np.eye(4, dtype=np.float32))
    with pytest.raises(InvalidInputError, match=r"^reconstructions must be of the samples on show"):
        explorer.show_sample_reconstructions(made)


@pytest.mark.parametrize(
    "samples",
    [[N_SAMPLES], [-1], [0.5], "all", [True, False], [[1, 2], [3]], object(), np.zeros((2, 9))],
)
def test_what_are_no_samples_is_refused(explorer: Explorer, samples: Any) -> None:
    with pytest.raises(InvalidInputError, match="got"):
        explorer.reconstruct(samples)


def test_no_samples_no_decoder_and_bad_numbers_are_refused(explorer: Explorer) -> None:
    for nobody in (None, [], np.zeros(N_SAMPLES, bool)):
        with pytest.raises(InvalidInputError, match=r"^samples must be at least one; got none"):
            explorer.reconstruct(nobody)
    for wrong in (0, 1.5, "all"):
        with pytest.raises(InvalidInputError, match=r"^n_most must be .*; got"):
            explorer.reconstruct([1], n_most=wrong)
    explorer.model.estimator.decoder_ = None
    with pytest.raises(InvalidInputError, match=r"^The map must have a decoder"):
        explorer.reconstruct([1])
    with pytest.raises(InvalidInputError, match=r"^A map must be trained first"):
        Explorer(np.zeros((5, 3), np.float32)).reconstruct([1])


def test_samples_of_another_scale_are_refused(explorer: Explorer) -> None:
    dark = samples_from_array(0.1 * np.random.default_rng(2).random((5, 4, 4, 1), np.float32))
    with pytest.raises(InvalidInputError, match=r"^samples must be on the scale"):
        explorer.reconstruct(dark)


def test_other_threads_can_issue_commands_meanwhile(explorer: Explorer) -> None:
    began, go_on = threading.Event(), threading.Event()
    style = explorer.model.estimator.style

    def slow(X: np.ndarray) -> np.ndarray:
        began.set()
        assert go_on.wait(30)
        return style(X)

    explorer.model.estimator.style = slow
    worker = threading.Thread(target=lambda: explorer.reconstruct([1, 2]))
    worker.start()
    assert began.wait(30)
    explorer.select_rows([3])  # would wait for ever if the lock were held
    go_on.set()
    worker.join(30)
    assert explorer.selection.rows.tolist() == [3]


def test_what_is_cleared_while_it_is_computed_is_not_shown(explorer: Explorer) -> None:
    from view_contract import RecordingView

    view, waiting = RecordingView(), []

    def run(work, done, failed):
        waiting.append(lambda: done(work()))

    presenter = Presenter(explorer, view, "view", slowly=lambda: run)
    explorer.select_rows([1, 2])
    view.intents.sample_reconstructions_requested.emit(2)
    view.intents.sample_reconstructions_clearing_requested.emit()
    waiting.pop()()
    assert explorer.sample_reconstructions == ()
    view.intents.sample_reconstructions_requested.emit(2)
    waiting.pop()()
    assert [each.row for each in explorer.sample_reconstructions] == [1, 2]
    presenter.close()


def test_intents_for_styles_and_reconstructions(
    explorer: Explorer,
) -> None:
    from view_contract import RecordingView

    view = RecordingView()
    presenter = Presenter(explorer, view, "view")
    one = explorer.samples.identities[2]
    view.intents.styled_decode_requested.emit([0.1, 0.1], one)
    assert view.told["reconstruction"][0].style == "carried"
    view.intents.styled_path_requested.emit([[0, 0], [1, 1]], 3, one)
    assert len(view.told["reconstruction"][0]) == 3
    view.intents.rows_selection_requested.emit([1, 2, 3], "replace")
    view.intents.sample_reconstructions_requested.emit(2)
    assert [each.row for each in view.told["sample_reconstructions"][0]] == [1, 3]
    view.intents.sample_reconstructions_clearing_requested.emit()
    assert view.told["sample_reconstructions"] == ((),)
    view.intents.clear_selection_requested.emit()
    view.intents.sample_reconstructions_requested.emit(2)
    assert str(view.told["error"][0]).startswith("samples must be at least one; got none")
    presenter.close()
