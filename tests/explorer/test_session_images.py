"""Images are opened again by path and recognised by their pixels."""

from __future__ import annotations

import json
import os
import pickle
import re
import tracemalloc
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes

from embedscope.explorer import Explorer
from embedscope.explorer.session import _session_images
from embedscope.explorer.session._session_images import ImageReference, open_image
from embedscope.samples import samples_from_labels

IMAGE = np.random.default_rng(0).integers(0, 60_000, (3, 70, 90), dtype=np.uint16)


def save_npy(path: Path) -> str:
    np.save(path / "a.npy", IMAGE)
    return str(path / "a.npy")


def save_npz(path: Path) -> str:
    np.savez_compressed(path / "a.npz", image=IMAGE, other=np.zeros(3))
    return str(path / "a.npz::image")


def save_single_npz(path: Path) -> str:
    np.savez(path / "a.npz", IMAGE)
    return str(path / "a.npz")


def save_tiff(path: Path) -> str:
    tifffile.imwrite(path / "a.tif", IMAGE, photometric="minisblack")
    return str(path / "a.tif")


def save_big_endian_tiff(path: Path) -> str:
    tifffile.imwrite(path / "a.TIFF", IMAGE, photometric="minisblack", byteorder=">")
    return str(path / "a.TIFF")


def save_compressed_tiff(path: Path) -> str:
    tifffile.imwrite(path / "a.tif", IMAGE, photometric="minisblack", compression="zlib")
    return str(path / "a.tif")


def save_zarr(path: Path) -> str:
    zarr.create_array(path / "a.zarr", data=IMAGE, chunks=(1, 32, 32))
    return str(path / "a.zarr")


def save_old_zarr(path: Path) -> str:
    zarr.create_array(path / "a.zarr", data=IMAGE, chunks=(1, 32, 32), zarr_format=2)
    return str(path / "a.zarr")


def save_pyramid(path: Path) -> str:
    group = zarr.create_group(path / "a.zarr")
    group.create_array("fine", data=IMAGE)
    group.create_array("coarse", data=IMAGE[:, ::2, ::2])
    levels = [{"path": "fine"}, {"path": "coarse"}]
    group.attrs["ome"] = {"multiscales": [{"datasets": levels}]}
    return str(path / "a.zarr")


def save_plate(path: Path) -> zarr.Group:
    """An OME-Zarr image with labels, as ome-zarr writes it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from ome_zarr.writer import write_image, write_labels

        group = zarr.open_group(str(path / "o.zarr"), mode="w")
        write_image(IMAGE, group, axes="tyx", scaler=None)
        write_labels(IMAGE, group, name="cells", axes="tyx", scaler=None)
    return group


def finest_name(group: zarr.Group) -> str:
    """The name of the finest level: "0" or "s0", by the version of ome-zarr."""
    return str(group.attrs["ome"]["multiscales"][0]["datasets"][0]["path"])


def save_inner_array(path: Path) -> str:
    return str(path / "o.zarr" / finest_name(save_plate(path)))


def save_inner_labels(path: Path) -> str:
    save_plate(path)
    return str(path / "o.zarr" / "labels" / "cells")


def save_btf(path: Path) -> str:
    tifffile.imwrite(path / "a.btf", IMAGE, photometric="minisblack", bigtiff=True)
    return str(path / "a.btf")


def save_second_series(path: Path) -> str:
    with tifffile.TiffWriter(path / "a.tif") as file:
        file.write(IMAGE[0, :20], photometric="minisblack")
        file.write(IMAGE, photometric="minisblack")
    return str(path / "a.tif::1")


def save_unnamed_second_series(path: Path) -> str:
    with tifffile.TiffWriter(path / "a.tif") as file:
        file.write(IMAGE[::-1], photometric="minisblack")
        file.write(IMAGE, photometric="minisblack", compression="zlib")
    return str(path / "a.tif")


KINDS: list[Callable[[Path], str]] = [
    save_npy,
    save_npz,
    save_single_npz,
    save_tiff,
    save_big_endian_tiff,
    save_compressed_tiff,
    save_zarr,
    save_old_zarr,
    save_pyramid,
    save_inner_array,
    save_inner_labels,
    save_btf,
    save_second_series,
    save_unnamed_second_series,
]


def finest(image: Any) -> np.ndarray:
    return np.asarray((image[0] if isinstance(image, list) else image)[...])


@pytest.mark.parametrize("save", KINDS)
def test_every_kind_is_opened_again(save: Callable[[Path], str], tmp_path: Path) -> None:
    image, reason = open_image(ImageReference.of(IMAGE, save(tmp_path)))
    assert reason == ""
    np.testing.assert_array_equal(finest(image), IMAGE)


@pytest.mark.parametrize("save", KINDS)
def test_reference_is_of_pixels_not_of_files(save: Callable[[Path], str], tmp_path: Path) -> None:
    image, _ = open_image(ImageReference.of(IMAGE, save(tmp_path)))
    assert ImageReference.of(image, "x") == ImageReference.of(IMAGE, "x")


def test_pyramid_has_its_levels(tmp_path: Path) -> None:
    image, _ = open_image(ImageReference.of([IMAGE, IMAGE[:, ::2, ::2]], save_pyramid(tmp_path)))
    assert [level.shape for level in image] == [(3, 70, 90), (3, 35, 45)]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.npy", b"", "cannot be read"),
        ("a.npy", b"\x93NUMPY garbage", "cannot be read"),
        ("a.tif", b"II*\x00 garbage", "cannot be read"),
        ("a.npz", b"PK garbage", "cannot be read"),
        ("a.png", b"\x89PNG garbage", "cannot be read"),
        ("a.zarr", b"", "cannot be read"),
        (
            "a.czi",
            b"image",
            "opened by themselves are .btf, .npy, .npz, .png, .tf8, .tif, .tiff, .zarr",
        ),
        ("a", b"image", "images opened by themselves are"),
    ],
)
def test_unreadable_file_is_a_reason(name: str, content: bytes, words: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    image, reason = open_image(ImageReference.of(IMAGE, str(tmp_path / name)))
    assert image is None
    assert words in reason


def test_other_shapes_types_and_pixels_are_reasons(tmp_path: Path) -> None:
    path = save_npy(tmp_path)
    for image, words in (
        (IMAGE[0], r"of shape \(3, 70, 90\) and dtype <u2, and the session used one of shape \(70"),
        (IMAGE.astype(np.int32), "dtype <u2, and the session used one of .* dtype <i4"),
        (IMAGE + 1, "has changed since the session was saved"),
    ):
        found, reason = open_image(ImageReference.of(image, path))
        assert found is None
        assert re.search(words, reason)


def test_member_without_a_name_is_found_by_its_pixels(tmp_path: Path) -> None:
    path = save_npz(tmp_path).removesuffix("::image")
    image, reason = open_image(ImageReference.of(IMAGE, path))
    assert reason == ""
    np.testing.assert_array_equal(image, IMAGE)
    _, reason = open_image(ImageReference.of(IMAGE + 1, path))
    assert "holds image, other, none of which is the image; a path ends with ::" in reason


def test_series_that_is_not_there(tmp_path: Path) -> None:
    path = save_second_series(tmp_path)
    for other in ("2", "x"):
        _, reason = open_image(ImageReference.of(IMAGE, path[:-1] + other))
        assert f"it holds the series 0 to 1, and none is '{other}'" in reason


def test_session_finds_labels_inside_of_a_plate(tmp_path: Path) -> None:
    group = save_plate(tmp_path)
    image = finest_name(group)
    labels = f"labels/cells/{finest_name(group['labels/cells'])}"
    ids = np.zeros((3, 70, 90), np.uint16)
    ids[:, 5:9, 5:9], ids[:, 30:40, 50:60] = 3, 7
    group[labels][:] = ids
    made = samples_from_labels(
        group[image],
        group[labels],
        8,
        axes="tyx",
        features=False,
        image_path=str(tmp_path / "o.zarr" / image),
        labels_path=str(tmp_path / "o.zarr" / "labels" / "cells"),
    )
    Explorer(made).save(tmp_path / "session")
    opened = Explorer.open(tmp_path / "session").samples
    assert not opened.absent
    np.testing.assert_array_equal(opened.images, made.images)


@pytest.mark.parametrize("kind", ["floats", "one object in many pieces"])
def test_session_cuts_again_what_the_user_took_as_labels(kind: str, tmp_path: Path) -> None:
    ids = np.zeros((70, 90), np.float32)
    for place, label in enumerate([3, 70_001, 255, 9]):
        ids[10:14, 20 * place + 3 : 20 * place + 9] = label
    options: dict[str, Any] = {}
    if kind != "floats":
        ids, options = np.where(ids > 0, 255, 0).astype(np.uint8), {"label_ids": [255]}
    tifffile.imwrite(tmp_path / "ids.tif", ids)
    tifffile.imwrite(tmp_path / "image.tif", IMAGE[0])
    made = samples_from_labels(
        tifffile.imread(tmp_path / "image.tif"),
        tifffile.imread(tmp_path / "ids.tif"),
        8,
        features=False,
        image_path=str(tmp_path / "image.tif"),
        labels_path=str(tmp_path / "ids.tif"),
        **options,
    )
    Explorer(made).save(tmp_path / "session")
    opened = Explorer.open(tmp_path / "session").samples
    assert not opened.absent
    assert list(opened.identities) == list(made.identities)
    np.testing.assert_array_equal(opened.images, made.images)


def test_group_without_levels(tmp_path: Path) -> None:
    zarr.create_group(tmp_path / "a.zarr").create_array("0", data=IMAGE)
    _, reason = open_image(ImageReference.of(IMAGE, str(tmp_path / "a.zarr")))
    assert "name one of the arrays" in reason


@pytest.mark.timeout(20)
def test_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.npy")
    _, reason = open_image(ImageReference.of(IMAGE, str(tmp_path / "a.npy")))
    assert "pipe" in reason


@pytest.mark.parametrize("path", ["https://example.org/a.zarr", "s3://bucket/a.zarr"])
def test_no_connection_to_another_computer_is_made(path: str, tmp_path: Path) -> None:
    reference = ImageReference.of(IMAGE, path).relative_to(tmp_path / "session")
    assert reference.path == path
    _, reason = open_image(reference.absolute_from(tmp_path / "session"))
    assert "not on this computer" in reason


def test_chunks_are_never_unpickled(tmp_path: Path) -> None:
    path = tmp_path / "a.zarr"
    trace = tmp_path / "trace"

    class Bomb:
        def __reduce__(self) -> tuple[Any, ...]:
            return Path.touch, (trace,)

    path.mkdir()
    metadata = {
        "zarr_format": 2,
        "shape": [4],
        "chunks": [4],
        "dtype": "<u2",
        "order": "C",
        "fill_value": 0,
        "compressor": None,
        "filters": [{"id": "pickle", "protocol": 5}],
    }
    (path / ".zarray").write_text(json.dumps(metadata))
    (path / "0").write_bytes(pickle.dumps(Bomb()))
    image, reason = open_image(ImageReference.of(np.zeros(4, np.uint16), str(path)))
    assert image is None
    assert "cannot be read" in reason
    assert not trace.exists()


names = st.text("abcü ", min_size=1, max_size=3).map(str.strip).filter(bool)


@given(st.lists(names, max_size=3), st.lists(names, min_size=1, max_size=3))
def test_relative_paths_become_absolute_again(to_session: list[str], to_image: list[str]) -> None:
    root = Path(os.path.abspath("/data"))
    session, image = root.joinpath("project", *to_session, "s"), root.joinpath(*to_image, "a.npy")
    reference = ImageReference(str(image), (1,), "<u2", "")
    relative = reference.relative_to(session)
    assert relative.absolute_from(session) == reference
    assert relative.path is not None
    assert Path(relative.path).is_absolute() != image.is_relative_to(session.parent)


@settings(deadline=None)  # the first call loads scipy.stats
@given(array_shapes(max_dims=4, max_side=40))
def test_large_images_are_sampled_within(shape: tuple[int, ...]) -> None:
    most, _session_images._MOST_BYTES = _session_images._MOST_BYTES, 4096
    try:
        blocks = _session_images._sampled_blocks(shape, 2)
    finally:
        _session_images._MOST_BYTES = most
    image = np.zeros(shape, np.uint8)
    if image.size * 2 <= 4096:
        assert len(blocks) == 1
        assert image[blocks[0]].size == image.size
        return
    assert len(blocks) == 16
    for block in blocks:
        assert all(0 <= part.start < part.stop <= n for part, n in zip(block, shape, strict=True))
        assert image[block].size * 2 <= 4096 // 16


def test_large_image_is_recognised_by_a_few_blocks() -> None:
    large = np.zeros((3000, 4000), np.uint16)
    large[::7, ::5] = 9
    reference = ImageReference.of(large, None)
    assert ImageReference.of(large.copy(), None) == reference
    assert ImageReference.of(np.roll(large, 1, axis=0), None) != reference


LARGE = np.zeros((4096, 8192), np.uint16)  # 64 MiB, which a small file holds


def large_npz(path: Path) -> str:
    np.savez_compressed(path / "a.npz", image=LARGE)
    return str(path / "a.npz::image")


def large_tiff(path: Path) -> str:
    tifffile.imwrite(path / "a.tif", LARGE, photometric="minisblack", compression="zlib")
    return str(path / "a.tif")


def large_zarr(path: Path) -> str:
    zarr.create_array(path / "a.zarr", data=LARGE, chunks=LARGE.shape)
    return str(path / "a.zarr")


@pytest.mark.parametrize("save", [large_npz, large_tiff, large_zarr])
@pytest.mark.parametrize("other", ["shape", "dtype"])
def test_another_image_is_not_unpacked(
    other: str, save: Callable[[Path], str], tmp_path: Path
) -> None:
    path = save(tmp_path)
    assert sum(file.stat().st_size for file in tmp_path.rglob("*")) < LARGE.nbytes / 100
    reference = ImageReference.of(LARGE, path)
    reference = replace(
        reference, **({"shape": (16, 16)} if other == "shape" else {"dtype": "<f4"})
    )
    tracemalloc.start()
    try:
        image, reason = open_image(reference)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert image is None
    assert "holds an image of shape (4096, 8192) and dtype <u2" in reason
    assert peak < LARGE.nbytes / 4


def test_chunks_much_larger_than_the_image(tmp_path: Path) -> None:
    """One pixel would unpack a whole chunk."""
    image = np.zeros((16, 16), np.uint16)
    zarr.create_array(tmp_path / "a.zarr", shape=image.shape, chunks=(2**15, 2**15), dtype="<u2")
    found, reason = open_image(ImageReference.of(image, str(tmp_path / "a.zarr")))
    assert found is None
    assert "chunks of 2,147,483,648 bytes are larger than the image" in reason


def test_big_chunks_of_a_small_image_are_usual(tmp_path: Path) -> None:
    image = np.zeros((16, 16), np.uint16)
    array = zarr.create_array(tmp_path / "a.zarr", shape=(16, 16), chunks=(512, 512), dtype="<u2")
    array[:] = image
    assert open_image(ImageReference.of(image, str(tmp_path / "a.zarr")))[1] == ""
