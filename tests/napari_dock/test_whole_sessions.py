"""Sessions in a real viewer, through the proxies that napari passes to plugins."""

from __future__ import annotations

import dask.array as da
import numpy as np
import pytest
import zarr
from dock_hands import cell_field, click_image
from map_pixels import settle

from embedscope import Explorer
from embedscope.napari_dock.data._opened_layers import integer_labels
from embedscope.samples import SampleId, samples_from_labels


@pytest.mark.parametrize("dtype", [np.int32, np.float32])  # floats as ImageJ writes labels
def test_a_session_of_files_is_opened_in_an_empty_viewer(
    dtype, shown_viewer, tmp_path, open_dock, qtbot
):
    """As `embedscope explore` does; warnings of napari are errors here."""
    labels = cell_field().astype(dtype)
    pixels = np.random.default_rng(0).random(labels.shape, np.float32)
    np.save(tmp_path / "image.npy", pixels)
    np.save(tmp_path / "labels.npy", labels)
    explorer = Explorer(
        samples_from_labels(
            pixels,
            labels,
            source="cells",
            image_path=str(tmp_path / "image.npy"),
            labels_path=str(tmp_path / "labels.npy"),
        )
    )
    explorer.place(np.random.default_rng(0).normal(size=(len(explorer.samples), 2)))
    explorer.save(tmp_path / "session")
    dock = open_dock(shown_viewer)
    dock.open_session(str(tmp_path / "session"))
    qtbot.waitUntil(lambda: dock.explorer.samples is not None, timeout=60_000)
    settle()
    assert list(dock.links.layers) == ["cells"]
    label = int(explorer.samples.identities.label[7])
    click_image(shown_viewer, np.argwhere(labels == label).mean(axis=0))
    assert dock.explorer.selected_ids == [SampleId("cells", 0, label)]
    # The layers are known as what the samples were cut from: what is painted there is noticed.
    shown_viewer.layers["cells"].data_setitem(np.nonzero(labels == label), 0)
    qtbot.waitUntil(lambda: dock.outdated.isVisible(), timeout=60_000)


def test_lazy_labels_of_floats_become_integers_level_by_level(tmp_path):
    labels = cell_field().astype(np.float64)
    stored = zarr.create_array(tmp_path / "ids.zarr", data=labels)
    levels = integer_labels([stored, da.from_array(labels[::2, ::2])])
    assert all(isinstance(level, da.Array) and level.dtype == np.int64 for level in levels)
    np.testing.assert_array_equal(levels[0], labels)
    whole = labels.astype(np.int32)
    assert integer_labels(whole) is whole
