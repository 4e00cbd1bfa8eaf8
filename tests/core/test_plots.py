"""The plots show every loss, every sample and every class."""

from __future__ import annotations

from collections.abc import Iterator

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgba

from embedscope._errors import InvalidInputError
from embedscope.core._plots import plot_loss, plot_map


@pytest.fixture(autouse=True)
def close_figures() -> Iterator[None]:
    yield
    plt.close("all")


@pytest.fixture
def embedding(rng: np.random.Generator) -> np.ndarray:
    return rng.normal(size=(60, 3)).astype(np.float32)


def test_one_loss_is_one_curve() -> None:
    ax = plot_loss({"loss": [3.0, 2.0, 1.5]})
    (line,) = ax.get_lines()
    np.testing.assert_array_equal(line.get_xydata(), [[1, 3.0], [2, 2.0], [3, 1.5]])
    assert ax.get_ylabel() == "cross entropy"
    assert ax.get_legend() is None


def test_every_loss_has_a_curve_with_its_name() -> None:
    history = {
        "loss": [3.0, 2.0],
        "reconstruction_loss": [0.5, 0.4],
        "val_reconstruction_loss": [0.6, 0.5],
        "another": [1.0],
    }
    ax = plot_loss(history)
    drawn = [line.get_ydata().tolist() for line in ax.get_lines()]
    assert drawn == list(history.values())
    names = [text.get_text() for text in ax.get_legend().get_texts()]
    assert names == ["UMAP cross entropy", "reconstruction", "reconstruction, held out", "another"]


def test_given_axes_are_drawn_on(embedding: np.ndarray) -> None:
    _, (left, right) = plt.subplots(1, 2)
    assert plot_loss({"loss": [1.0]}, left) is left
    assert plot_map(embedding, right) is right
    assert plt.get_fignums() == [1]


def test_every_sample_is_a_point_of_the_first_two_dimensions(embedding: np.ndarray) -> None:
    ax = plot_map(embedding)
    np.testing.assert_array_equal(ax.collections[0].get_offsets(), embedding[:, :2])


def test_a_map_of_one_dimension_is_a_line(embedding: np.ndarray) -> None:
    offsets = plot_map(embedding[:, :1]).collections[0].get_offsets()
    np.testing.assert_array_equal(offsets, np.column_stack([embedding[:, 0], np.zeros(60)]))


@pytest.mark.parametrize(
    "names", [["G1", "S", "G2"], [7, -1, 3], [True, False]], ids=["text", "numbers", "boolean"]
)
def test_every_class_has_a_color_that_the_legend_names(embedding: np.ndarray, names: list) -> None:
    labels = np.array(names)[np.arange(60) % len(names)]
    ax = plot_map(embedding, labels=labels.tolist())
    named = {
        text.get_text(): to_rgba(handle.get_color())
        for text, handle in zip(
            ax.get_legend().get_texts(), ax.get_legend().legend_handles, strict=True
        )
    }
    assert set(named) == {str(name) for name in labels}
    assert len(set(named.values())) == len(names)
    drawn = ax.collections[0].get_facecolors()
    np.testing.assert_allclose(drawn, [named[str(name)] for name in labels])


def test_many_classes_have_colors_of_their_own(embedding: np.ndarray) -> None:
    labels = [f"class {number:02}" for number in np.arange(60) % 20]
    ax = plot_map(embedding, labels=labels)
    assert len(np.unique(ax.collections[0].get_facecolors(), axis=0)) == 20


def test_labels_with_gaps_are_a_class_of_their_own(embedding: np.ndarray) -> None:
    labels = np.array(["G1", None, 3.5], dtype=object)[np.arange(60) % 3]
    legend = plot_map(embedding, labels=labels).get_legend()
    assert {text.get_text() for text in legend.get_texts()} == {"G1", "None", "3.5"}


def test_more_names_than_colors_are_drawn_without_a_legend(embedding: np.ndarray) -> None:
    ax = plot_map(embedding, labels=[f"cell {number}" for number in range(60)])
    assert ax.get_legend() is None
    assert len(ax.collections[0].get_offsets()) == 60


def test_many_numbers_are_a_scale(embedding: np.ndarray) -> None:
    values = np.linspace(0.0, 5.0, 60)
    ax = plot_map(embedding, labels=values)
    np.testing.assert_array_equal(ax.collections[0].get_array(), values)
    assert ax.get_legend() is None
    assert len(ax.figure.axes) == 2  # the second is the color bar


def test_labels_of_other_samples_are_refused(embedding: np.ndarray) -> None:
    with pytest.raises(InvalidInputError, match=r"^labels must have .* 60 samples; got 59\. Give"):
        plot_map(embedding, labels=np.zeros(59))


def test_both_pictures_can_be_drawn(embedding: np.ndarray) -> None:
    for labels in (None, np.arange(60) % 3, np.linspace(0, 1, 60)):
        plot_map(embedding, labels=labels).figure.canvas.draw()
    plot_loss({"loss": [2.0, 1.0], "reconstruction_loss": [1.0, 0.5]}).figure.canvas.draw()
