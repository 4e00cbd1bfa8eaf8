"""Images that real writers have written, read by path: axes, scale, channels and labels."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile
import zarr
from PIL import Image

from embedscope._errors import InvalidInputError
from embedscope.explorer import Explorer
from embedscope.samples import read, samples_from_files, samples_from_labels, samples_from_tracks
from embedscope.samples.reading import open_image_file

LABELS = np.zeros((48, 64), np.uint16)
for number, (row, column) in enumerate([(4, 4), (20, 10), (8, 40), (30, 44)]):
    LABELS[row : row + 8, column : column + 6 + number] = 3 * number + 2
IMAGE = np.stack([LABELS * 10, LABELS * 0 + 7, LABELS % 4]).astype(np.uint16)  # cyx
NAMES = ("DNA", "ER", "Actin")


def expected(**options):
    return samples_from_labels(IMAGE, LABELS, 12, image_axes="cyx", **options)


def check(samples):
    assert samples.channel_names == NAMES
    assert samples.identities.label.tolist() == [2, 5, 8, 11]
    np.testing.assert_array_equal(samples.images, expected().images)


def write_ome_tiff(path):
    metadata = {
        "axes": "CYX",
        "PhysicalSizeX": 0.5,
        "PhysicalSizeXUnit": "µm",
        "PhysicalSizeY": 250.0,
        "PhysicalSizeYUnit": "nm",
        "Channel": {"Name": list(NAMES)},
    }
    tifffile.imwrite(path, IMAGE, metadata=metadata, compression="zlib")


def test_an_ome_tiff_states_its_scale_and_channels(tmp_path):
    write_ome_tiff(tmp_path / "cells.ome.tif")
    tifffile.imwrite(tmp_path / "masks.tif", LABELS)
    samples = read(tmp_path / "cells.ome.tif", tmp_path / "masks.tif", size=12)
    check(samples)
    assert samples.recipe.pixel_size == (0.25, 0.5)
    assert list(samples.sources) == ["cells"]
    assert samples.features["area"].tolist() == [8 * w * 0.125 for w in (6, 7, 8, 9)]


def test_png_files_hold_labels_of_16_bits_and_colours_last(tmp_path):
    colours = np.moveaxis(IMAGE, 0, -1).astype(np.uint8)
    Image.fromarray(colours).save(tmp_path / "cells.png")
    Image.fromarray(LABELS * 300).save(tmp_path / "cells_cp_masks.png")  # as Cellpose names them
    samples = read(tmp_path / "cells.png", tmp_path / "cells_cp_masks.png", size=12)
    assert samples.identities.label.tolist() == [600, 1500, 2400, 3300]
    np.testing.assert_array_equal(
        samples.images, samples_from_labels(colours, LABELS, 12, image_axes="yxc").images
    )


def test_png_files_with_other_numbers_than_pixels_are_refused(tmp_path):
    Image.fromarray(LABELS.astype(np.uint8)).save(tmp_path / "masks.png")
    indexed = Image.fromarray(LABELS.astype(np.uint8)).convert("P")
    indexed.save(tmp_path / "cells.png")
    with pytest.raises(InvalidInputError, match="palette; it must be grey or RGB"):
        read(tmp_path / "cells.png", tmp_path / "masks.png")


def test_an_imagej_tiff_states_its_scale(tmp_path):
    metadata = {"axes": "CYX", "unit": "um"}
    tifffile.imwrite(
        tmp_path / "cells.tif", IMAGE, imagej=True, resolution=(2, 4), metadata=metadata
    )
    tifffile.imwrite(tmp_path / "masks.tif", LABELS)
    samples = read(tmp_path / "cells.tif", tmp_path / "masks.tif", size=12)
    assert samples.recipe.pixel_size == (0.25, 0.5)
    np.testing.assert_array_equal(samples.images, expected().images)


def write_ome_zarr(path, version, image, labels, axes):
    from ome_zarr.format import FormatV04, FormatV05
    from ome_zarr.writer import write_image, write_labels

    fmt = {"0.4": FormatV04, "0.5": FormatV05}[version]()
    root = zarr.open_group(path, mode="w", zarr_format=2 if version == "0.4" else 3)
    units = {"t": "second", "c": None, "z": "micrometer", "y": "micrometer", "x": "nanometer"}
    kinds = {"t": "time", "c": "channel"}
    named = [
        {"name": axis, "type": kinds.get(axis, "space")}
        | ({"unit": units[axis]} if units[axis] else {})
        for axis in axes
    ]
    steps = {"t": 1, "c": 1, "z": 2, "y": 0.25, "x": 500}
    scale = [
        [{"type": "scale", "scale": [steps[a] * (k if a in "yx" else 1) for a in axes]}]
        for k in (1, 2)
    ]
    options = {"axes": named, "coordinate_transformations": scale, "scale_factors": [2], "fmt": fmt}
    omero = {"channels": [{"label": name, "color": "FFFFFF"} for name in NAMES]}
    write_image(image, root, metadata={"omero": omero}, **options)
    described = dict(root.attrs)
    if version == "0.4":
        root.attrs["omero"] = omero
    else:
        root.attrs["ome"] = {**described["ome"], "omero": omero}
    write_labels(labels, root, name="cells", scaler=None, **options)


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")
@pytest.mark.parametrize("version", ["0.4", "0.5"])
@pytest.mark.parametrize("axes", ["tczyx", "cyx"])
def test_an_ome_zarr_holds_its_labels(tmp_path, version, axes):
    image, labels = IMAGE, LABELS[np.newaxis]
    if axes == "tczyx":
        image, labels = IMAGE[np.newaxis, :, np.newaxis], LABELS[np.newaxis, np.newaxis, np.newaxis]
    path = tmp_path / "cells.zarr"
    write_ome_zarr(path, version, image, labels, axes)
    samples = read(path, size=12)
    check(samples)
    assert samples.recipe.pixel_size == (0.25, 0.5)
    assert not isinstance(samples.sources["cells"].image, np.ndarray)  # it stays on disk
    Explorer(samples).save(tmp_path / "session")
    again = Explorer.open(tmp_path / "session").samples
    assert not again.absent
    np.testing.assert_array_equal(again.images, samples.images)


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")
def test_a_plate_is_one_set_of_its_fields(tmp_path):
    from ome_zarr.format import FormatV05
    from ome_zarr.writer import write_plate_metadata, write_well_metadata

    path = tmp_path / "plate.zarr"
    root = zarr.open_group(path, mode="w", zarr_format=3)
    write_plate_metadata(root, ["A"], ["1", "2"], ["A/1", "A/2"], fmt=FormatV05())
    for well in ("A/1", "A/2"):
        group = root.require_group(well)
        write_well_metadata(group, ["0"], fmt=FormatV05())
        write_ome_zarr(path / well / "0", "0.5", IMAGE, LABELS[np.newaxis], "cyx")
    samples = read(path, size=12)
    assert list(samples.sources) == ["A/1/0", "A/2/0"]
    assert samples.features["well"].tolist() == ["A/1"] * 4 + ["A/2"] * 4


@pytest.mark.filterwarnings("ignore")  # of bioio's own packages, while they are imported
@pytest.mark.parametrize("n_channels", [1, 3])
def test_other_formats_are_opened_by_bioio(tmp_path, n_channels):
    pytest.importorskip("bioio")
    pytest.importorskip("bioio_imageio")
    iio = pytest.importorskip("imageio.v3")
    image = np.moveaxis(IMAGE[:n_channels], 0, -1).astype(np.uint8)
    iio.imwrite(tmp_path / "cells.bmp", image if n_channels == 3 else image[..., 0])
    np.save(tmp_path / "masks.npy", LABELS)
    samples = read(tmp_path / "cells.bmp", tmp_path / "masks.npy", size=12)
    expected = samples_from_labels(image, LABELS, 12)
    np.testing.assert_array_equal(samples.images, expected.images)


@pytest.mark.filterwarnings("ignore")  # of bioio's own packages, while they are imported
@pytest.mark.parametrize(
    ("named", "in_ome", "expected"),
    [
        ("millimeter", None, (500.0, 250.0)),  # as the reader of OME-Zarr
        (None, "mm", (500.0, 250.0)),  # as the reader of OME-TIFF
        (None, "Å", (5e-5, 2.5e-5)),
        (None, "pixel", None),
        (None, None, (0.5, 0.25)),  # as readers that have converted
    ],
)
def test_sizes_of_bioio_are_taken_in_the_units_of_the_file(
    tmp_path, monkeypatch, named, in_ome, expected
):
    base = pytest.importorskip("bioio_base")
    imageio = pytest.importorskip("bioio_imageio")
    ome = pytest.importorskip("ome_types").model
    pytest.importorskip("imageio.v3").imwrite(tmp_path / "cells.bmp", IMAGE[0].astype(np.uint8))
    sizes = base.types.PhysicalPixelSizes(None, 0.5, 0.25)
    monkeypatch.setattr(imageio.Reader, "physical_pixel_sizes", property(lambda self: sizes))
    if named is not None:
        axis = base.types.DimensionProperty(type="space", unit=base.types.ureg.Unit(named))
        every = base.types.DimensionProperties(T=axis, C=axis, Z=axis, Y=axis, X=axis)
        monkeypatch.setattr(imageio.Reader, "dimension_properties", property(lambda self: every))
    if in_ome is not None:
        pixels = ome.Pixels(
            dimension_order="XYZCT", type="uint8", size_x=50, size_y=40, size_z=1, size_c=1,
            size_t=1, physical_size_x=0.25, physical_size_x_unit=in_ome, physical_size_y=0.5,
            physical_size_y_unit=in_ome, metadata_only=True,
        )  # fmt: skip
        held = ome.OME(images=[ome.Image(pixels=pixels)])
        monkeypatch.setattr(imageio.Reader, "ome_metadata", property(lambda self: held))
    assert open_image_file(tmp_path / "cells.bmp").steps("yx") == pytest.approx(expected)


def test_labels_that_are_not_there_are_named(tmp_path):
    zarr.save_array(tmp_path / "a.zarr", IMAGE)
    group = zarr.open_group(tmp_path / "g.zarr", mode="w")
    group.create_array("0", data=IMAGE)
    group.attrs["multiscales"] = [{"version": "0.4", "datasets": [{"path": "0"}]}]
    with pytest.raises(InvalidInputError, match=r"with labels inside; got none in"):
        read(tmp_path / "g.zarr")
    with pytest.raises(InvalidInputError, match="must be a file that exists"):
        read(tmp_path / "absent.tif", tmp_path / "a.zarr")


def test_masks_of_cellpose_in_a_pickle_are_refused_with_the_remedy(tmp_path):
    np.save(tmp_path / "cells_seg.npy", {"masks": LABELS}, allow_pickle=True)
    np.save(tmp_path / "cells.npy", IMAGE)
    for given in [
        (tmp_path / "cells_seg.npy",),
        (tmp_path / "cells.npy", tmp_path / "cells_seg.npy"),
    ]:
        with pytest.raises(InvalidInputError, match=r"Save the masks as TIFF"):
            read(*given)


def test_a_table_of_the_objects_is_joined_and_says_what_does_not_match(tmp_path):
    # The columns of MCMICRO's quantification, https://mcmicro.org/io.html.
    np.save(tmp_path / "cells.npy", IMAGE)
    np.save(tmp_path / "masks.npy", LABELS)
    (tmp_path / "cells.csv").write_text(
        "CellID,CD45,X_centroid,Y_centroid\n11,1.5,3,4\n2,0.5,2,3\n5,2.5,1,1\n99,9.5,0,0\n"
    )
    samples = read(
        tmp_path / "cells.npy", tmp_path / "masks.npy", size=12, table=tmp_path / "cells.csv"
    )
    np.testing.assert_array_equal(samples.features["CD45"], [0.5, 2.5, np.nan, 1.5])
    told = [f"{each.name}: {each.reason}" for each in samples.left_out]
    assert "1 row of the table: no such object in cells (labels 99)" in told
    assert "values of 1 object: the table has no row for them (labels 8)" in told
    assert "CellID: the column that names the object of each row, so no feature" in told


def test_tracks_of_the_cell_tracking_challenge(tmp_path):
    # https://celltrackingchallenge.net/datasets/: rows of L, B, E and P.
    images, masks = tmp_path / "01", tmp_path / "01_GT" / "TRA"
    images.mkdir()
    masks.mkdir(parents=True)
    for time in range(3):
        tifffile.imwrite(images / f"t{time:03}.tif", IMAGE[0] + time)
        tifffile.imwrite(masks / f"man_track{time:03}.tif", np.where(LABELS == 8, 0, LABELS))
    (masks / "man_track.txt").write_text("2 0 2 0\n5 0 2 2\n7 1 1 0\n")
    samples = samples_from_tracks(images, masks, size=12)
    assert samples.identities.frame.tolist() == [0] * 3 + [1] * 3 + [2] * 3
    assert samples.identities.label.tolist() == [2, 5, 11] * 3
    assert samples.features["parent track"].tolist()[:2] == [0, 2]
    told = [f"{each.name}: {each.reason}" for each in samples.left_out]
    assert told == [
        "1 tracks: no pixel in any frame (labels 7)",
        "1 tracks: no row in man_track.txt (labels 11)",
    ]
    np.testing.assert_array_equal(read(images, masks, size=12).images, samples.images)
    Explorer(samples).save(tmp_path / "session")
    assert not Explorer.open(tmp_path / "session").samples.absent
    (images / "t002.tif").unlink()
    with pytest.raises(InvalidInputError, match="got 2 images and 3 masks"):
        samples_from_tracks(images, masks)


def test_what_the_files_state_can_be_replaced(tmp_path):
    write_ome_tiff(tmp_path / "cells.ome.tif")
    tifffile.imwrite(tmp_path / "masks.tif", LABELS)
    samples = samples_from_files(
        tmp_path / "cells.ome.tif",
        tmp_path / "masks.tif",
        12,
        pixel_size=2.0,
        channel_names=["a", "b", "c"],
        source="mine",
    )
    assert samples.recipe.pixel_size == (2.0, 2.0)
    assert samples.channel_names == ("a", "b", "c")
    assert list(samples.sources) == ["mine"]
