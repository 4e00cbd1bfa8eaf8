"""The gates as label images, read by tifffile and zarr, and by the readers of the format."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import numpy as np
import pytest

from embedscope import Explorer
from embedscope._errors import InvalidInputError
from embedscope.explorer.export import _gate_image, _ome_tiff
from embedscope.explorer.export._gate_image import gate_images
from embedscope.samples import join_samples, samples_from_labels, samples_from_patches

tifffile = pytest.importorskip("tifffile")
zarr = pytest.importorskip("zarr")
da = pytest.importorskip("dask.array")

WIDE = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)], float)
RIGHT = np.array([(0, -3), (3, -3), (3, 3), (0, 3)], float)
SCALE = np.diag([1.0, 0.5, 0.25, 1.0])
SCALE[1, 3] = 10


def labels_of(n_frames: int, height: int = 700, width: int = 90) -> np.ndarray:
    """Squares on a grid; each frame starts again with the same labels, which have gaps."""
    numbers = 7 * np.arange(1, height * width // 100 + 1).reshape(height // 10, width // 10)
    large = np.kron(numbers, np.pad(np.ones((8, 8), np.int64), 1))
    return np.stack([large, *(large[::-1] for _ in range(n_frames - 1))])


def placed(samples) -> Explorer:
    shown = Explorer(samples)
    shown.place(np.random.default_rng(1).normal(size=(len(samples), 2)))
    shown.add_gate(WIDE, "T cells / CD4+", "#ee6677")
    shown.add_gate(RIGHT, "right", "#5289c7")
    return shown


def expected(shown: Explorer, source: str, labels: np.ndarray) -> np.ndarray:
    """The class at each pixel of (t, y, x): that of the last gate."""
    frame = shown.to_frame()
    classes = np.where(frame["gate:right"], 2, np.where(frame["gate:T cells / CD4+"], 1, 0))
    made = np.zeros_like(labels)
    for row in np.flatnonzero(frame["source"] == source):
        where = int(frame["frame"][row])
        made[where][labels[where] == int(frame["label"][row])] = classes[row]
    assert set(np.unique(made)) == {0, 1, 2}
    return made


@pytest.fixture(scope="module")
def series():
    """A time series on disk, in chunks of two frames, with a pixel size."""
    labels = labels_of(3)
    stored = zarr.create_array({}, data=labels, chunks=(2, 64, 64))
    samples = samples_from_labels(
        labels, stored, 8, axes="tyx", source="day 1", affine=SCALE, features=False
    )
    shown = placed(samples)
    return shown, expected(shown, "day 1", labels)


def test_ome_zarr_labels_have_classes_colors_and_places(series, tmp_path):
    shown, classes = series
    (folder,) = shown.save_gate_labels(tmp_path / "gates.ome.zarr")
    group = zarr.open_group(folder, mode="r")
    assert np.array_equal(group["0"][:], classes)
    assert np.array_equal(group["1"][:], classes[:, ::2, ::2])
    assert group["0"].dtype == np.uint8
    ome = group.attrs["ome"]
    assert ome["version"] == "0.5"
    levels = ome["multiscales"][0]["datasets"]
    assert [level["path"] for level in levels] == ["0", "1"]
    steps = [level["coordinateTransformations"] for level in levels]
    assert [step[0]["scale"] for step in steps] == [[1, 0.5, 0.25], [1, 1, 0.5]]
    assert [step[1]["translation"] for step in steps] == [[0, 10, 0]] * 2
    assert ome["multiscales"][0]["axes"][1] == {"name": "y", "type": "space", "unit": "micrometer"}
    assert ome["image-label"] == {
        "colors": [
            {"label-value": 1, "rgba": [0xEE, 0x66, 0x77, 255]},
            {"label-value": 2, "rgba": [0x52, 0x89, 0xC7, 255]},
        ],
        "properties": [
            {"label-value": 1, "class": "T cells / CD4+"},
            {"label-value": 2, "class": "right"},
        ],
    }
    with pytest.raises(InvalidInputError, match="exists already"):
        shown.save_gate_labels(folder)


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_labels_are_added_to_an_ome_zarr_image_in_its_version(series, version, tmp_path):
    shown, classes = series
    image = zarr.create_group(tmp_path / "a.zarr", zarr_format=2 if version == "0.4" else 3)
    about = {"multiscales": [{"version": version, "datasets": [{"path": "0"}]}]}
    image.attrs.update(about if version == "0.4" else {"ome": {"version": version, **about}})
    for name in ("gates", "again"):
        shown.save_gate_labels(tmp_path / "a.zarr" / "labels" / name)
    held = zarr.open_group(tmp_path / "a.zarr", mode="r")["labels"]
    listed = held.attrs if version == "0.4" else held.attrs["ome"]
    assert listed["labels"] == ["gates", "again"]
    label = held["again"].attrs if version == "0.4" else held["again"].attrs["ome"]
    assert label["image-label"]["source"] == {"image": "../../"}
    assert np.array_equal(held["gates/0"][:], classes)


def test_an_ome_tiff_has_classes_names_and_pixel_sizes(series, tmp_path):
    shown, classes = series
    (file,) = shown.save_gate_labels(tmp_path / "gates.ome.tif")
    with tifffile.TiffFile(file) as opened:
        assert opened.is_ome
        assert opened.series[0].axes == "TYX"
        assert np.array_equal(opened.asarray(), classes)
        root = ET.fromstring(opened.ome_metadata)
    pixels = root.find(".//{*}Pixels").attrib
    assert (pixels["PhysicalSizeX"], pixels["PhysicalSizeXUnit"]) == ("0.25", "\xb5m")
    named = {
        each.attrib["K"]: each.text for each in root.find(".//{*}MapAnnotation").findall(".//{*}M")
    }
    assert named == {"1": "T cells / CD4+", "2": "right"}


def test_a_large_ome_tiff_is_a_pyramid(series, tmp_path):
    shown, classes = series
    frame = shown.to_frame()
    inside = {name: frame[f"gate:{name}"].to_numpy() for name in shown.gates.names}
    (image,) = gate_images(shown.samples, shown.gates, inside).values()
    _ome_tiff._write(tmp_path / "gates.ome.tif", image, 600)
    with tifffile.TiffFile(tmp_path / "gates.ome.tif") as opened:
        (pyramid,) = opened.series
        assert opened.is_ome
        assert pyramid.axes == "TYX"
        assert [level.shape for level in pyramid.levels] == [(3, 700, 90), (3, 350, 45)]
        assert [len(page.subifds) for page in opened.pages] == [1, 1, 1]
        for number, level in enumerate(pyramid.levels):
            assert np.array_equal(level.asarray(), classes[:, :: 2**number, :: 2**number])
        assert [level.keyframe.subfiletype for level in pyramid.levels] == [0, 1]
        root = ET.fromstring(opened.ome_metadata)
    assert len(root.findall(".//{*}Image")) == 1
    named = root.find(".//{*}MapAnnotation").findall(".//{*}M")
    assert [each.text for each in named] == ["T cells / CD4+", "right"]
    assert _ome_tiff._number_of_coarser((3, 700, 90), 700) == 0
    assert _ome_tiff._number_of_coarser((2049, 90), 2048) == 3


def test_each_source_has_a_file_and_no_image_is_read_whole(tmp_path, monkeypatch):
    first, second = labels_of(1)[0], labels_of(2, 50, 60)[1]
    read = []
    real = _gate_image.read
    monkeypatch.setattr(_gate_image, "read", lambda a, box: read.append(box) or real(a, box))
    monkeypatch.setattr(_gate_image, "_ROWS_AT_ONCE", 512)
    parts = [
        samples_from_labels(each, da.from_array(each, chunks=64), 8, source=name, features=False)
        for name, each in (("day/1", first), ("day 2", second))
    ]
    shown = placed(join_samples(parts))
    files = shown.save_gate_labels(tmp_path / "gates.ome.tif")
    assert [file.name for file in files] == ["gates_day_1.ome.tif", "gates_day_2.ome.tif"]
    for file, name, labels in zip(files, ("day/1", "day 2"), (first, second), strict=True):
        assert np.array_equal(tifffile.imread(file), expected(shown, name, labels[np.newaxis])[0])
    assert [box[0].stop - box[0].start for box in read] == [512, 188, 50]
    (tmp_path / "gates_day_2.zarr").mkdir()
    with pytest.raises(InvalidInputError, match="exists already"):
        shown.save_gate_labels(tmp_path / "gates.zarr")
    assert not (tmp_path / "gates_day_1.zarr").exists()


@pytest.mark.parametrize("ending", ["ome.tif", "zarr"])
def test_all_files_are_written_or_none(tmp_path, monkeypatch, ending):
    labels = labels_of(2, 50, 60)
    shown = placed(
        join_samples(
            [
                samples_from_labels(each, each, 8, source=name, features=False)
                for name, each in zip(("a", "b"), labels, strict=True)
            ]
        )
    )
    path = tmp_path / f"gates.{ending}"
    if ending == "ome.tif":
        shown.save_gate_labels(path)
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    shown.remove_gate("right")
    read = _gate_image.read

    def fails_in_the_second(array, box):
        if np.array_equal(array, labels[1]):
            raise OSError("bad sector")
        return read(array, box)

    monkeypatch.setattr(_gate_image, "read", fails_in_the_second)
    with pytest.raises(OSError, match=rf"gates_b\.{ending}.*bad sector.*unchanged"):
        shown.save_gate_labels(path)
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before


def test_labels_of_several_sources_are_listed_in_one_image(tmp_path):
    image = zarr.create_group(tmp_path / "a.zarr")
    image.attrs["ome"] = {"version": "0.5", "multiscales": [{"datasets": [{"path": "0"}]}]}
    parts = [
        samples_from_labels(each, each, 8, source=name, features=False)
        for name, each in zip(("a", "b"), labels_of(2, 50, 60), strict=True)
    ]
    placed(join_samples(parts)).save_gate_labels(tmp_path / "a.zarr" / "labels" / "gates")
    listed = zarr.open_group(tmp_path / "a.zarr", mode="r")["labels"].attrs["ome"]
    assert listed["labels"] == ["gates_a", "gates_b"]


def test_patches_have_the_class_of_the_nearest(tmp_path):
    image = np.random.default_rng(0).random((64, 96)).astype(np.float32)
    samples = samples_from_patches(image, 16)
    shown = placed(samples)
    (folder,) = shown.save_gate_labels(tmp_path / "gates.zarr")
    classes = zarr.open_group(folder, mode="r")["0"][:]
    inside = shown.to_frame()["gate:right"].to_numpy().reshape(4, 6)
    assert np.array_equal(classes == 2, np.kron(inside, np.ones((16, 16), bool)))


def test_what_cannot_be_a_label_image_is_refused(series, tmp_path):
    shown, _ = series
    with pytest.raises(InvalidInputError, match=r"must end in \.zarr, \.tif or \.tiff"):
        shown.save_gate_labels(tmp_path / "gates.png")
    table = placed(np.random.default_rng(0).random((9, 3)))
    with pytest.raises(InvalidInputError, match="samples_from_labels"):
        table.save_gate_labels(tmp_path / "gates.tif")
    bare = Explorer(shown.samples)
    bare.place(shown.embedding.positions)
    with pytest.raises(InvalidInputError, match="add_gate"):
        bare.save_gate_labels(tmp_path / "gates.tif")
    assert not list(tmp_path.iterdir())
