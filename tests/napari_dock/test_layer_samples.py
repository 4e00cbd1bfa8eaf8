"""Samples from napari's layers: the right object with the right name, for every kind of layer."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from napari.layers import Image, Labels

from embedscope._errors import InvalidInputError
from embedscope.napari_dock.data._copied_samples import check_is_no_copy
from embedscope.napari_dock.data._layer_features import samples_of_features
from embedscope.napari_dock.data._layer_places import affine_of
from embedscope.napari_dock.data._layer_samples import (
    CropOptions,
    samples_of_objects,
    samples_of_patches,
    samples_same_way,
)
from embedscope.samples import SampleId

IDS = (5, 9, 300)


def field(shape: tuple[int, ...] = (40, 60)) -> np.ndarray:
    """Three objects with gaps between their ids."""
    labels = np.zeros(shape, np.int32)
    for place, label in enumerate(IDS):
        labels[..., 5:12, 5 + 18 * place : 14 + 18 * place] = label
    return labels


def image_of(labels: np.ndarray) -> np.ndarray:
    """The value of every pixel is its label."""
    return labels.astype(np.float32)


def layers(features: pd.DataFrame | None = None, **transform: object) -> tuple[Labels, Image]:
    labels = field()
    return (
        Labels(labels, name="cells", features=features, **transform),
        Image(image_of(labels), name="stain", **transform),
    )


@pytest.mark.parametrize(
    "transform",
    [
        {},
        {"scale": (0.5, 0.25), "translate": (100, -7)},
        {"rotate": 30, "scale": (2, 2)},
        {"affine": [[0, 1, 4], [-1, 0, 2], [0, 0, 1]]},
    ],
)
def test_every_crop_is_its_own_object_and_its_place_is_found_again(transform):
    labels, image = layers(**transform)
    samples = samples_of_objects(labels, [image], CropOptions(size_px=5))
    assert [identity.label for identity in samples.identities] == list(IDS)
    for row, identity in enumerate(samples.identities):
        assert identity.source == "cells"
        assert samples.images[row, 2, 2, 0] == identity.label
        world = labels.data_to_world(samples.centroids[row])
        assert samples.sources["cells"].label_at(world) == identity


def test_affine_is_what_napari_does():
    labels, _ = layers(scale=(2, 3), translate=(1, 5), rotate=20, shear=[0.2])
    point = np.array([3.0, 8.0, 1.0])
    np.testing.assert_allclose((affine_of(labels) @ point)[:2], labels.data_to_world(point[:2]))


def test_time_points_are_distinguished():
    labels = np.stack([field(), field()[::-1]])
    cells = Labels(labels, name="cells")
    samples = samples_of_objects(
        cells, [Image(image_of(labels))], CropOptions(size_px=5, third_axis="t")
    )
    assert len(samples) == 6
    assert SampleId("cells", 1, 300) in list(samples.identities)
    volume = samples_of_objects(
        cells, [Image(image_of(labels))], CropOptions(size_px=5, third_axis="z")
    )
    assert len(volume) == 3


def test_image_layers_are_channels_and_colours_too():
    labels, image = layers()
    other = Image(2 * image.data, name="other")
    samples = samples_of_objects(labels, [image, other], CropOptions(size_px=5))
    assert samples.channel_names == ("stain", "other")
    np.testing.assert_array_equal(samples.images[..., 1], 2 * samples.images[..., 0])
    colours = Image(np.stack([image.data / 300] * 3, axis=-1), rgb=True, name="colours")
    assert samples_of_objects(labels, [colours], CropOptions(size_px=5)).sample_shape == (5, 5, 3)
    with pytest.raises(InvalidInputError, match="got both"):
        samples_of_objects(labels, [colours, image], CropOptions())


def test_pyramids_and_lazy_arrays_are_read_at_their_finest_level():
    import dask.array as da

    labels = field()
    cells = Labels([labels, labels[::2, ::2]], multiscale=True, name="cells")
    stain = Image([image_of(labels), image_of(labels)[::2, ::2]], multiscale=True)
    lazy = Image(da.from_array(image_of(labels)), name="lazy")
    samples = samples_of_objects(cells, [stain, lazy], CropOptions(size_px=5))
    assert samples.images[:, 2, 2].tolist() == [[label, label] for label in IDS]


@pytest.mark.parametrize(
    "features",
    [
        {"index": [300, 5, 9], "area": [3.0, 1.0, 2.0]},
        {"label": [9, 300, 5], "area": [2.0, 3.0, 1.0]},
        {"index": [0, 5, 9, 300], "area": [0.0, 1.0, 2.0, 3.0]},
        {"index": [5, 9, 300, 301], "area": [1.0, 2.0, 3.0, 9.0]},
    ],
)
def test_features_go_by_label_never_by_row(features):
    labels, image = layers(features=pd.DataFrame(features))
    samples = samples_of_objects(labels, [image], CropOptions(size_px=5))
    # skimage measures an area too, under the same name: what was measured stays.
    assert samples.column("area").tolist() == [63.0] * 3
    assert any("'area' of cells" in name for name, _ in samples.left_out)
    table = samples_of_features(labels, ["area"], "t")
    assert {
        identity.label: value
        for identity, value in zip(table.identities, table.column("area"), strict=True)
        if identity.label in IDS
    } == {5: 1.0, 9: 2.0, 300: 3.0}
    assert len(samples) == 3


def test_what_the_layer_knows_comes_along():
    known = pd.DataFrame({"index": [9, 5], "phase": ["S", "G1"]})
    labels, image = layers(features=known)
    phase = samples_of_objects(labels, [image], CropOptions(size_px=5)).column("phase")
    assert phase[:2].tolist() == ["G1", "S"]
    assert pd.isna(phase[2])


def test_without_a_column_row_i_is_label_i():
    labels = Labels(np.array([[0, 1, 2]]), features=pd.DataFrame({"size": [0.0, 1.0, 2.0]}))
    samples = samples_of_features(labels, ["size"], "t")
    assert samples.identities.label.tolist() == samples.column("size").tolist() == [1, 2]


@pytest.mark.parametrize(
    "wrong",
    [
        Image(np.zeros((40, 61)), name="wide"),
        Image(np.zeros((40, 60)), name="moved", translate=(0, 1)),
        Image(np.zeros((40, 60)), name="scaled", scale=(2, 1)),
    ],
)
def test_an_image_that_lies_elsewhere_is_refused(wrong):
    labels, _ = layers()
    with pytest.raises(InvalidInputError, match=f"{wrong.name}.* must have the s"):
        samples_of_objects(labels, [wrong], CropOptions())


def test_nothing_chosen_is_said():
    labels, _ = layers()
    with pytest.raises(InvalidInputError, match="must be chosen"):
        samples_of_objects(labels, [], CropOptions())
    with pytest.raises(InvalidInputError, match="must have features"):
        samples_of_features(labels, None, "t")


def test_patches_cover_an_image_without_labels():
    _, image = layers(scale=(2, 2))
    samples = samples_of_patches([image], 10, 10, "t")
    assert len(samples) == 4 * 6
    source = samples.sources["stain"]
    for row, identity in enumerate(samples.identities):
        assert source.label_at(source.to_world(samples.centroids[row])) == identity


UM, NM = {"units": ("um", "um")}, {"units": ("nm", "nm")}


@pytest.mark.parametrize(
    ("of_labels", "of_image", "fits"),
    [
        ({"scale": (1, 1), **UM}, {"scale": (1, 1), **NM}, False),
        ({"scale": (1, 1), **UM}, {"scale": (1000, 1000), **NM}, True),
        ({"scale": (1, 1), "translate": (5, 5), **UM}, {"translate": (5, 5), **NM}, False),
        ({"scale": (1e-7, 1e-7), "units": ("m", "m")}, {"scale": (2e-7, 2e-7)}, False),
        ({"scale": (0.325, 0.325), **UM}, {"scale": (0.3250001, 0.325), **UM}, True),
        ({"scale": (0.5, 0.5)}, {"scale": (0.5, 0.5), **UM}, True),
    ],
)
def test_equal_numbers_of_other_units_are_another_place(of_labels, of_image, fits):
    labels = Labels(field(), name="cells", **of_labels)
    image = Image(image_of(field()), name="stain", **of_image)
    if fits:
        assert len(samples_of_objects(labels, [image], CropOptions(size_px=5))) == len(IDS)
        return
    with pytest.raises(InvalidInputError, match=r"scale and place of 'cells'.* and units"):
        samples_of_objects(labels, [image], CropOptions(size_px=5))


@pytest.mark.parametrize(("scale", "unit"), [(0.5, "um"), (500, "nm"), (5e-7, "m"), (0.5, "pixel")])
def test_micrometres_are_micrometres_in_any_units(scale, unit):
    labels, image = layers(scale=(scale, scale), units=(unit, unit))
    samples = samples_of_objects(labels, [image], CropOptions(size_um=4.0))
    assert samples.sample_shape == (8, 8, 1)
    again = samples_same_way(samples, labels, [image], "cells")
    np.testing.assert_array_equal(again.images, samples.images)
    finer = Labels(field(), name="finer", scale=(scale / 2, scale / 2), units=(unit, unit))
    stain = Image(image_of(field()), name="stain", scale=finer.scale, units=(unit, unit))
    later = samples_same_way(samples, finer, [stain])
    assert later.sample_shape == (8, 8, 1)
    assert later.sources["finer"].pixel_size == pytest.approx((0.25, 0.25))
    in_px = samples_of_objects(labels, [image], CropOptions(size_px=8))
    with pytest.raises(InvalidInputError, match="pixel size"):
        samples_same_way(in_px, finer, [stain])


def test_a_size_in_micrometres_needs_a_scale():
    labels, image = layers()
    with pytest.raises(InvalidInputError, match=r"'cells' must have a scale for crops of 4 µm"):
        samples_of_objects(labels, [image], CropOptions(size_um=4.0))


def test_only_copies_count_as_copies():
    labels, image = layers()
    samples = samples_of_objects(labels, [image], CropOptions(size_px=9))
    for change, is_copy in (
        (lambda cells: cells, True),
        (lambda cells: np.where(cells == 9, 0, cells), True),  # one object less
        (lambda cells: np.where(cells > 0, cells + 1000, 0), False),  # no label is the same
        (lambda cells: np.roll(cells, 3, axis=1), False),  # other objects with the same labels
    ):
        other = Labels(change(field()), name="other")
        made = samples_same_way(samples, other, [image])
        if is_copy:
            with pytest.raises(InvalidInputError, match="got 'other'"):
                check_is_no_copy(samples, made)
        else:
            check_is_no_copy(samples, made)
