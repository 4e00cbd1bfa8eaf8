"""Samples of a large image, part by part: the same ones, each once, and little in memory."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st

from embedscope._errors import InvalidInputError
from embedscope.samples import Samples, samples_from_array, samples_from_labels


def scene(n_side: int = 6, spacing: int = 17) -> tuple[np.ndarray, np.ndarray]:
    """Ellipses of random sizes, with ids in a random order, and a picture of two channels."""
    rng = np.random.default_rng(4)
    side = n_side * spacing
    labels = np.zeros((side, side), np.uint32)
    rows, columns = np.mgrid[:side, :side]
    ids = rng.permutation(np.arange(3, 3 + 2 * n_side**2, 2))
    for number, label in enumerate(ids):
        at = np.array(divmod(number, n_side)) * spacing + spacing // 2
        high, wide = rng.uniform(3, 7, 2)
        labels[((rows - at[0]) / high) ** 2 + ((columns - at[1]) / wide) ** 2 < 1] = label
    image = rng.integers(0, 200, (side, side, 2)).astype(np.uint16) + 40 * (labels[..., None] > 0)
    return image.astype(np.uint16), labels


IMAGE, LABELS = scene()


def known(**options: Any) -> Samples:
    return samples_from_labels(IMAGE, LABELS, 12, features=False, **options)


def stored(folder: Path, chunk: int, image: np.ndarray = IMAGE) -> tuple[Any, Any]:
    pixels = zarr.create_array(
        store=str(folder / f"image {chunk}"), data=image, chunks=(chunk, chunk, 1)
    )
    ids = zarr.create_array(
        store=str(folder / f"labels {chunk}"), data=LABELS, chunks=(chunk, chunk)
    )
    return pixels, ids


OPTIONS = [{}, {"align": True}, {"background": "median"}, {"padding": "zero"}]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_all_parts_together_are_the_samples_of_the_whole_image(
    options: dict[str, Any], tmp_path: Path
) -> None:
    samples = known(**options)
    pixels, ids = stored(tmp_path, 10)  # most objects lie in several chunks
    whole = samples.same_way(pixels, ids, source="slide")
    parts = [part() for part in samples.parts_same_way(pixels, ids, n_rows=7, source="slide")]
    made = [part.samples for part in parts if part.samples is not None]
    assert [len(part) for part in made] == [7, 7, 7, 7, 7, 1]
    np.testing.assert_array_equal(
        np.concatenate([part.identities.label for part in made]), whole.identities.label
    )
    np.testing.assert_array_equal(np.concatenate([part.images for part in made]), whole.images)
    np.testing.assert_array_equal(
        np.concatenate([part.inputs(np.arange(len(part))) for part in made]),
        whole.inputs(np.arange(len(whole))),
    )
    assert {part.identities.sources[0] for part in made} == {"slide"}


@given(chunk=st.integers(5, 60), n_rows=st.integers(1, 40))
@settings(max_examples=15)
def test_each_object_is_found_once_whatever_the_chunks(
    tmp_path_factory: pytest.TempPathFactory, chunk: int, n_rows: int
) -> None:
    pixels, ids = stored(tmp_path_factory.mktemp("chunks"), chunk)
    parts = known().parts_same_way(pixels, ids, n_rows=n_rows)
    found = [part().samples for part in parts]
    labels = np.concatenate([each.identities.label for each in found if each is not None])
    np.testing.assert_array_equal(labels, np.unique(LABELS)[1:])


def test_a_part_without_a_finite_object_is_empty_and_says_so() -> None:
    spoiled = IMAGE.astype(np.float32)
    first = np.unique(LABELS)[1:4]
    spoiled[np.isin(LABELS, first)] = np.nan
    samples = samples_from_labels(IMAGE.astype(np.float32), LABELS, 4, features=False)
    parts = [part() for part in samples.parts_same_way(spoiled, LABELS, n_rows=3)]
    assert parts[0].samples is None
    assert [f"object {label} of frame 0 of image" for label in first] == [
        each.name for each in parts[0].left_out
    ]
    assert all(part.samples is not None and not part.left_out for part in parts[1:])


def test_nothing_is_cut_before_it_is_asked_for() -> None:
    class Untouched:
        shape, dtype, ndim = IMAGE.shape, IMAGE.dtype, IMAGE.ndim

        def __getitem__(self, index: Any) -> np.ndarray:
            raise AssertionError("the image was read")

    parts = list(known().parts_same_way(Untouched(), LABELS, n_rows=10))
    assert len(parts) == 4
    with pytest.raises(AssertionError, match="the image was read"):
        parts[0]()


def test_other_kinds_of_samples_come_in_one_part() -> None:
    samples = samples_from_array(np.random.default_rng(0).random((9, 4)))
    (part,) = samples.parts_same_way(np.ones((3, 4)), n_rows=2)
    assert len(part().samples or ()) == 3


@pytest.mark.parametrize("n_rows", [0, -1, 2.5, None, True])
def test_a_part_of_no_objects_is_refused(n_rows: Any) -> None:
    with pytest.raises(InvalidInputError, match="n_rows must be an int of at least 1"):
        known().parts_same_way(IMAGE, LABELS, n_rows=n_rows)


MEMORY = """
import resource, sys
import numpy as np, zarr
from embedscope.samples import samples_from_labels

image, labels = (zarr.open_array(path, mode="r") for path in sys.argv[1:])
first = image[:256, :256], labels[:256, :256]
samples = samples_from_labels(*first, 32, features=False)
for part in samples.parts_same_way(*first, n_rows=100):
    part()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
n = sum(len(part().samples) for part in samples.parts_same_way(image, labels, n_rows=1000))
print(n, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no such measure there")
def test_a_slide_is_cut_without_being_in_memory(tmp_path: Path) -> None:
    """16,384 objects on 8192 x 8192 pixels: 256 MiB of labels and 192 of pixels, 48 of crops."""
    side, spacing = 8192, 64
    ids = zarr.create_array(str(tmp_path / "l"), shape=(side, side), chunks=(512, 512), dtype="u4")
    shape, chunks = (side, side, 3), (512, 512, 3)
    pixels = zarr.create_array(str(tmp_path / "i"), shape=shape, chunks=chunks, dtype="u1")
    for start in range(0, side, 512):
        rows, columns = np.mgrid[start : start + 512, :side]
        inside = (np.abs(rows % spacing - 32) < 9) & (np.abs(columns % spacing - 32) < 9)
        label = (rows // spacing * (side // spacing) + columns // spacing + 1) * inside
        ids[start : start + 512] = label.astype(np.uint32)
        pixels[start : start + 512] = (label[..., None] % 250).astype(np.uint8)
    done = subprocess.run(
        [sys.executable, "-c", MEMORY, str(tmp_path / "i"), str(tmp_path / "l")],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    n_samples, grown = done.stdout.split()
    assert int(n_samples) == (side // spacing) ** 2
    assert float(grown) < 150
