"""The sample images of the package have the documented properties."""

from __future__ import annotations

import subprocess
import sys
from importlib import resources

import numpy as np
import pytest

from embedscope.samples import jurkat_cells, nuclei

DATA = resources.files("embedscope.samples") / "data"


@pytest.fixture(scope="module")
def cells():
    return jurkat_cells()


@pytest.fixture(scope="module")
def fields():
    return nuclei()


def test_jurkat_labels_and_table_name_the_same_cells(cells):
    assert cells.image.shape == (1600, 1600, 3)
    assert cells.labels.shape == (1600, 1600)
    np.testing.assert_array_equal(np.unique(cells.labels)[1:], np.sort(cells.label_ids))
    assert len(cells.phase) == len(cells.total_dna) == len(cells.label_ids) == 1600


def test_jurkat_table_belongs_to_the_pixels(cells):
    """The instrument's DNA content follows from the DNA pixels under each label."""
    dna_pixels = np.bincount(cells.labels.ravel(), weights=cells.image[..., 1].ravel())
    assert np.corrcoef(dna_pixels[cells.label_ids], cells.total_dna)[0, 1] > 0.9


def test_jurkat_phases_are_complete_and_in_order(cells):
    assert cells.phase_names == (
        "G1",
        "S",
        "G2",
        "Prophase",
        "Metaphase",
        "Anaphase",
        "Telophase",
    )
    assert np.bincount(cells.phase).tolist() == [406, 406, 405, 273, 68, 15, 27]
    dna = [cells.total_dna[cells.phase == phase].mean() for phase in range(4)]
    assert dna == sorted(dna)


def test_every_jurkat_cell_lies_in_its_own_tile(cells):
    tiles = cells.labels.reshape(40, 40, 40, 40).transpose(0, 2, 1, 3).reshape(1600, -1)
    np.testing.assert_array_equal(tiles.max(axis=1), cells.label_ids)
    assert all(len(np.unique(tile)) == 2 for tile in tiles)


def test_no_cell_is_shown_twice(cells):
    tiles = cells.image[..., 0].reshape(40, 40, 40, 40).transpose(0, 2, 1, 3).reshape(1600, -1)
    likeness = np.corrcoef(tiles) - np.eye(1600)
    assert likeness.max() < 0.98


def test_nuclei_are_counted_and_measured(fields):
    assert fields.images.shape == fields.labels.shape == (6, 256, 256)
    assert len(fields.label_ids) == len(fields.fields) == 311
    assert len(set(fields.image_ids)) == 6
    for row in (0, 100, 310):
        own = fields.labels[fields.fields[row]] == fields.label_ids[row]
        assert fields.area_px[row] == own.sum()
        pixels = fields.images[fields.fields[row]][own]
        assert fields.mean_intensity[row] == pytest.approx(pixels.mean())


def test_nuclei_are_brighter_than_their_background(fields):
    for image, labels in zip(fields.images, fields.labels, strict=True):
        assert image[labels > 0].mean() > 1.5 * image[labels == 0].mean()


@pytest.mark.parametrize("load", [jurkat_cells, nuclei])
def test_source_licence_and_citation_are_stated(load):
    sample = load()
    assert sample.source.startswith("https://")
    assert sample.licence
    assert "doi:10." in sample.citation
    notice = (DATA / "README.md").read_text(encoding="utf-8")
    assert sample.citation.rsplit("doi:", 1)[1] in notice


def test_bsd_notice_is_stored_with_the_cells():
    notice = (DATA / "README.md").read_text(encoding="utf-8")
    assert "Copyright (c) 2017, minh-doan" in notice
    assert "Redistributions in binary form must reproduce" in notice
    assert 'THIS SOFTWARE IS PROVIDED BY THE COPYRIGHT HOLDERS AND CONTRIBUTORS "AS IS"' in notice


def test_sample_data_take_at_most_three_megabytes():
    assert sum(len(entry.read_bytes()) for entry in DATA.iterdir()) <= 3_000_000


def test_importing_samples_reads_no_file_and_no_heavy_library():
    code = (
        "import sys, numpy as np\n"
        "np.load = lambda *a, **k: sys.exit('a file was read on import')\n"
        "import embedscope.samples\n"
        "heavy = {'tensorflow', 'keras', 'numba', 'matplotlib', 'pandas', 'skimage', 'dask'}\n"
        "heavy = (heavy | {'scipy', 'zarr'}) & set(sys.modules)\n"
        "sys.exit(f'imported {heavy}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
