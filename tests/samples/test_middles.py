"""Objects with a centroid outside: rings, crescents, pieces. A crop shows its own object."""

from __future__ import annotations

import numpy as np
import pytest

from embedscope.samples import samples_from_labels, samples_from_table
from embedscope.samples.images import _objects
from embedscope.samples.images._locating import locate_objects

Y, X = np.mgrid[:40, :40]


def ring() -> np.ndarray:
    """A ring, label 1, around a neighbour, label 2."""
    r = np.hypot(Y - 20, X - 20)
    return np.where(r < 5, 2, np.where((r > 8) & (r < 13), 1, 0))


def crescent() -> np.ndarray:
    is_moon = (np.hypot(Y - 20, X - 20) < 15) & (np.hypot(Y - 20, X - 24) > 15)
    return np.where(is_moon, 1, np.where(X > 30, 2, 0))


def pieces() -> np.ndarray:
    """Two daughter cells with the id of their mother, and a neighbour between them."""
    labels = np.zeros((40, 40), np.int32)
    labels[5:15, 5:12] = labels[25:35, 28:35] = 1
    labels[17:23, 17:23] = 2
    return labels


SHAPES = {"ring": ring, "crescent": crescent, "pieces": pieces}


@pytest.fixture(params=[True, False], ids=["kept runs", "read twice"])
def reading(request, monkeypatch):
    if not request.param:
        monkeypatch.setattr(_objects, "KEPT_RUNS", 0)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("axes", ["yx", "zyx", "tyx"])
def test_the_middle_of_a_sample_is_its_own(shape, axes, reading):
    labels = SHAPES[shape]()
    affine = np.diag([0.3] * len(axes) + [1])
    affine[:-1, -1] = 7
    if len(axes) == 3:
        labels = np.stack([labels] * 3)
    samples = samples_from_labels(
        labels, labels, 1, axes=axes, affine=affine, align=False, volume="volume", pixel_size=1
    )
    source = samples.sources["image"]
    for row, identity in enumerate(samples.identities):
        middle = samples.centroids[row]
        point = source.to_world([identity.frame, *middle] if axes == "tyx" else middle)
        assert source.label_at(point) == identity
        assert (samples.images[row] == identity.label).all()  # of one pixel
        frame = labels[identity.frame] if axes == "tyx" else labels
        own = np.argwhere(frame == identity.label)
        mean = own.mean(axis=0)
        if identity.label == 2:  # is whole
            np.testing.assert_allclose(middle, mean)
        else:
            nearest = np.linalg.norm(own - mean, axis=1).min()
            np.testing.assert_allclose(np.linalg.norm(middle - mean), nearest)
    table = samples_from_table(
        samples.identities.to_frame().drop(columns="source").assign(value=[*range(len(samples))]),
        columns=["value"],
        source=source,
    )
    np.testing.assert_array_equal(locate_objects(table).centroids, samples.centroids)


def test_a_crop_without_neighbours_shows_a_piece_of_its_object():
    labels = pieces()
    samples = samples_from_labels(np.ones(labels.shape), labels, 5, background="zero")
    assert samples.images[0].any()


def test_a_centroid_between_two_pixels_may_be_rounded_to_either():
    labels = np.zeros((8, 8), np.int32)
    labels[2:4, 2:4] = 1  # all four pixels around its centroid are its own
    labels[[5, 6], [5, 6]] = 2  # two of the four
    samples = samples_from_labels(labels, labels, 3)
    assert samples.centroids.tolist() == [[2.5, 2.5], [6, 6]]
