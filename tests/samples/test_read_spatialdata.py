"""SpatialData: labels or shapes, the image under them, and the table that annotates them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from embedscope._errors import InvalidInputError
from embedscope.samples import read, samples_from_spatialdata

# spatialdata's own dependencies warn while they are imported.
pytestmark = pytest.mark.filterwarnings("ignore")

LABELS = np.zeros((40, 50), np.int32)
for number, (row, column) in enumerate([(4, 4), (20, 10), (8, 30)]):
    LABELS[row : row + 8, column : column + 8] = 10 * number + 10
IMAGE = np.random.default_rng(0).integers(0, 999, (2, 40, 50)).astype(np.uint16)


@pytest.fixture(scope="module")
def sdata():
    import anndata
    import geopandas
    import spatialdata
    from shapely import Point, box
    from spatialdata.models import Image2DModel, Labels2DModel, ShapesModel, TableModel
    from spatialdata.transformations import Scale

    half = Scale([0.5, 0.5], axes=("y", "x"))
    options = {"transformations": {"global": half}}
    obs = pd.DataFrame(
        {"region": pd.Categorical(["cells"] * 3), "cell": [30, 10, 99], "class": list("abc")},
        index=["p", "q", "r"],
    )
    adata = anndata.AnnData(np.array([[3.5], [1.5], [9.5]], np.float32), obs=obs)
    adata.var_names = ["gene"]
    table = TableModel.parse(adata, region="cells", region_key="region", instance_key="cell")
    corners = [(4, 4), (8, 30)]
    squares = [box(x, y, x + 8, y + 8) for y, x in corners]
    polygons = geopandas.GeoDataFrame(geometry=squares, index=["one", "two"])
    middles = [Point(10, 12), Point(30, 20)]
    circles = geopandas.GeoDataFrame({"radius": [3.0, 4.0]}, geometry=middles)
    return spatialdata.SpatialData(
        images={
            "raw": Image2DModel.parse(
                IMAGE, dims=("c", "y", "x"), c_coords=["DNA", "ER"], scale_factors=[2], **options
            )
        },
        labels={"cells": Labels2DModel.parse(LABELS, dims=("y", "x"), **options)},
        shapes={
            "squares": ShapesModel.parse(polygons, **options),
            "spots": ShapesModel.parse(circles, **options),
        },
        tables={"table": table},
    )


def check(samples):
    assert samples.identities.label.tolist() == [10, 20, 30]
    assert samples.channel_names == ("DNA", "ER")
    assert samples.recipe.pixel_size == (0.5, 0.5)
    np.testing.assert_array_equal(samples.features["gene"], [1.5, np.nan, 3.5])
    assert samples.features["class"].tolist()[::2] == ["b", "a"]
    told = " ".join(each.reason for each in samples.left_out)
    assert "no such object in cells (labels 99)" in told
    assert "the table has no row for them (labels 20)" in told


def test_labels_with_their_image_and_table(sdata):
    samples = samples_from_spatialdata(sdata, "cells", 10)
    check(samples)
    source = samples.sources["cells"]
    # The centre of the first pixel is at half a pixel, of half a unit.
    np.testing.assert_allclose(source.to_world([0, 0]), [0.25, 0.25])
    assert source.label_at(source.to_world(samples.centroids[1])) == samples.identities[1]


def test_a_folder_is_read_and_a_session_finds_it_again(sdata, tmp_path):
    from embedscope.explorer import Explorer

    sdata.write(tmp_path / "s.zarr")
    samples = read(tmp_path / "s.zarr", element="cells", size=10)
    check(samples)
    Explorer(samples).save(tmp_path / "session")
    assert not Explorer.open(tmp_path / "session").samples.absent


def test_shapes_are_drawn_onto_the_image(sdata):
    samples = samples_from_spatialdata(sdata, "squares", 10)
    assert samples.features["name"].tolist() == ["one", "two"]
    assert samples.bounding_boxes.tolist() == [[4, 4, 12, 12], [8, 30, 16, 38]]
    assert samples.features["area"].tolist() == [16.0, 16.0]  # 64 pixels of a quarter
    spots = samples_from_spatialdata(sdata, "spots", 10)
    np.testing.assert_allclose(spots.features["area"] * 4, [9 * np.pi, 16 * np.pi], rtol=0.15)


def test_polygons_through_the_centres_of_pixels_are_drawn_like_spatialdata_does(sdata):
    """`to_polygons` puts outlines half a pixel before the corners of pixels."""
    import spatialdata
    from spatialdata.models import Labels2DModel

    labels = LABELS.copy()
    labels[30, 40] = 7
    half = spatialdata.transformations.Scale([0.5, 0.5], axes=("y", "x"))
    options = {"transformations": {"global": half}}
    shapes = spatialdata.to_polygons(Labels2DModel.parse(labels, dims=("y", "x"), **options))
    data = spatialdata.SpatialData(images={"raw": sdata["raw"]}, shapes={"outlines": shapes})
    samples = samples_from_spatialdata(data, size=12)
    assert samples.features["area"].tolist() == [63 * 0.25] * 3  # no pixel at the cut corner
    boxes = [[4, 4, 12, 12], [20, 10, 28, 18], [8, 30, 16, 38]]
    assert sorted(samples.bounding_boxes.tolist()) == sorted(boxes)
    assert samples.left_out[-1] == ("1 shapes", "no pixel of their own (7)")


def test_what_must_be_named_is_listed(sdata):
    with pytest.raises(InvalidInputError, match=r"\['cells', 'spots', 'squares'\]; got None"):
        samples_from_spatialdata(sdata)
    with pytest.raises(InvalidInputError, match=r"coordinate_system must be one of \['global'\]"):
        samples_from_spatialdata(sdata, "cells", coordinate_system="aligned")
