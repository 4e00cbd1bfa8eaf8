"""Arrays that are larger than memory: read tile by tile, each tile once, with the same result."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from embedscope.samples import measure_features, samples_from_labels, samples_from_patches
from embedscope.samples.identity._arrays import chunk_sides
from embedscope.samples.images import _tiles as tiles_module


class CountingArray:
    """A numpy array that counts how much of it was read at a time and in total."""

    def __init__(self, values: np.ndarray, chunks: tuple[int, ...]) -> None:
        self.values, self.chunks = values, chunks
        self.shape, self.dtype, self.ndim = values.shape, values.dtype, values.ndim
        self.largest_read = self.n_read = 0

    def __getitem__(self, index):
        part = self.values[index]
        self.largest_read = max(self.largest_read, part.size)
        self.n_read += part.size
        return part


def field_of_discs(side=240, spacing=12, radius=4):
    rows, columns = np.ogrid[:side, :side]
    distance = (rows % spacing - 6) ** 2 + (columns % spacing - 6) ** 2
    numbers = 3 * ((rows // spacing) * (side // spacing) + columns // spacing) + 1
    labels = np.where(distance <= radius**2, numbers, 0).astype(np.int32)
    image = np.random.default_rng(0).integers(0, 255, (side, side, 2)).astype(np.uint8)
    return image, labels


@pytest.fixture
def small_tiles(monkeypatch):
    monkeypatch.setattr(tiles_module, "TILE_PIXELS", 40 * 40)


@pytest.mark.parametrize("options", [{}, {"background": "median"}, {"align": True, "size": 9}])
def test_only_a_tile_is_read_at_a_time(small_tiles, options):
    image, labels = field_of_discs()
    lazy_image = CountingArray(image, (20, 20, 2))
    lazy_labels = CountingArray(labels, (20, 20))
    samples = samples_from_labels(lazy_image, lazy_labels, **options)
    halo = 2 * 16 + 12  # crops and objects extend beyond the tile
    assert lazy_labels.largest_read <= (40 + halo) ** 2
    assert lazy_image.largest_read <= 2 * (40 + halo) ** 2
    plain = samples_from_labels(image, labels, **options)
    np.testing.assert_array_equal(samples.images, plain.images)
    np.testing.assert_array_equal(samples.identities.label, plain.identities.label)
    np.testing.assert_allclose(samples.features, plain.features)


def test_every_chunk_is_read_about_once(small_tiles):
    image, labels = field_of_discs()
    lazy_image, lazy_labels = CountingArray(image, (20, 20, 2)), CountingArray(labels, (20, 20))
    samples_from_labels(lazy_image, lazy_labels, 9, features=False)
    assert lazy_labels.n_read == labels.size
    assert lazy_image.n_read < 1.6 * image.size


def test_a_chunk_larger_than_a_tile_is_read_whole(small_tiles):
    _, labels = field_of_discs()
    lazy = CountingArray(labels, (120, 120))
    samples_from_labels(labels, lazy, 9, features=False)
    assert lazy.largest_read == 120 * 120
    assert lazy.n_read == labels.size


def test_an_object_over_many_tiles_is_one_object(small_tiles):
    labels = np.zeros((200, 200), np.uint16)
    labels[3:197, 90:110] = 9
    labels[95:105, 3:197] = 9
    image = np.random.default_rng(0).random((200, 200))
    whole = samples_from_labels(image, labels, 21, align=True, features=False)
    assert len(whole) == 1
    np.testing.assert_allclose(whole.centroids[0], np.argwhere(labels).mean(axis=0))
    assert whole.bounding_boxes.tolist() == [[3, 3, 197, 197]]
    table = measure_features(image, labels)
    assert table["area"].tolist() == [(labels == 9).sum()]
    np.testing.assert_allclose(table["mean channel 0"], image[labels == 9].mean())


@pytest.mark.parametrize("kind", ["dask", "zarr", "sharded zarr", "zarr format 2"])
def test_stored_arrays_give_what_numpy_gives(small_tiles, kind, tmp_path):
    image, labels = field_of_discs(side=120)
    stored = [
        stored_as(kind, array, tmp_path / name) for array, name in ((image, "i"), (labels, "l"))
    ]
    lazy = samples_from_labels(*stored, align=True, background="zero")
    plain = samples_from_labels(image, labels, align=True, background="zero")
    np.testing.assert_array_equal(lazy.images, plain.images)
    np.testing.assert_allclose(lazy.features, plain.features)
    patches = samples_from_patches(stored[0], 16)
    np.testing.assert_array_equal(patches.images, samples_from_patches(image, 16).images)
    assert lazy.sources["image"].label_at((6, 6)) == ("image", 0, 1)


def stored_as(kind, array, path):
    chunks = (32, 32, 1)[: array.ndim]
    if kind == "dask":
        import dask.array as da

        return da.from_array(array, chunks=chunks)
    import zarr

    options = {"shards": (64, 64, 2)[: array.ndim]} if kind == "sharded zarr" else {}
    if kind == "zarr format 2":
        options = {"zarr_format": 2}
    stored = zarr.create_array(path, shape=array.shape, chunks=chunks, dtype=array.dtype, **options)
    stored[...] = array
    return stored


def test_chunks_of_dask_may_differ_in_length():
    import dask.array as da

    assert chunk_sides(da.zeros((10, 7), chunks=((3, 3, 4), (7,)))) == (4, 7)
    assert chunk_sides(np.zeros((10, 7))) == (1, 1)


def test_zarr_pyramid_reads_the_finest_level(small_tiles, tmp_path):
    image, labels = field_of_discs(side=120)
    levels = {
        name: [stored_as("zarr", a[::s, ::s], tmp_path / f"{name}{s}") for s in (1, 2, 4)]
        for name, a in (("image", image), ("labels", labels))
    }
    pyramid = samples_from_labels(levels["image"], levels["labels"])
    np.testing.assert_array_equal(pyramid.images, samples_from_labels(image, labels).images)


@pytest.mark.parametrize("options", [{}, {"align": True}, {"background": "median"}], ids=str)
def test_arrays_that_cannot_be_written_to(options):
    """As a memmap of a file is: also where a tile is the whole array, which nothing copies."""
    labels = np.zeros((40, 60), np.uint16)
    labels[5:15, :20], labels[20:38, 30:] = 4, 9
    image = np.random.default_rng(0).random((*labels.shape, 2), np.float32)
    free = samples_from_labels(image, labels, 16, **options)
    for array in (image, labels):
        array.setflags(write=False)
    locked = samples_from_labels(image, labels, 16, **options)
    np.testing.assert_array_equal(locked.X, free.X)
    pd.testing.assert_frame_equal(locked.features, free.features)
