"""Tables as other programs write them; of desktop programs, the layout that is documented."""

from __future__ import annotations

import json
import sqlite3

import numpy as np
import pandas as pd
import pytest
import tifffile

from embedscope._errors import InvalidInputError
from embedscope.samples import read, samples_from_anndata, samples_from_cellprofiler

# CellProfiler, ExportToSpreadsheet: one header row in Nuclei.csv, two if objects are combined.
# https://cellprofiler-manual.s3.amazonaws.com/CellProfiler-4.2.6/modules/fileprocessing.html
ROWS = [(1, 1, 20.0, 3.0, 5), (1, 2, 30.0, 4.0, 6), (2, 1, 25.0, 5.0, 7), (2, 2, 27.0, 6.0, 8)]
NAMES = ["ImageNumber", "ObjectNumber", "AreaShape_Area", "Location_Center_X", "Parent_Cells"]


def check_cellprofiler(samples):
    assert samples.feature_names == ("AreaShape_Area",)
    assert samples.identities.frame.tolist() == [1, 1, 2, 2]
    assert samples.identities.label.tolist() == [1, 2, 1, 2]
    assert "Location_Center_X" in [each.name for each in samples.left_out]


@pytest.mark.parametrize("n_header_rows", [1, 2])
def test_spreadsheets_of_cellprofiler(tmp_path, n_header_rows):
    frame = pd.DataFrame(ROWS, columns=NAMES)
    if n_header_rows == 2:
        objects = ["Image", "Nuclei", "Nuclei", "Nuclei", "Nuclei"]
        frame.columns = pd.MultiIndex.from_arrays([objects, NAMES])
    path = tmp_path / "Nuclei.csv"
    frame.to_csv(path, index=False)
    check_cellprofiler(read(path))
    images = pd.DataFrame({"ImageNumber": [1, 2], "Metadata_Well": [7, 8], "Count_Nuclei": [2, 2]})
    images.to_csv(tmp_path / "Image.csv", index=False)
    samples = samples_from_cellprofiler(path, images=tmp_path / "Image.csv")
    check_cellprofiler(samples)
    assert samples.features["Metadata_Well"].tolist() == ["7", "7", "8", "8"]
    assert "Count_Nuclei" not in samples.features


def test_databases_of_cellprofiler(tmp_path):
    # ExportToDatabase: tables Per_Image and Per_<Objects>, with the prefix of the experiment.
    path = tmp_path / "DefaultDB.db"
    names = ["ImageNumber", "Nuclei_Number_Object_Number", *(f"Nuclei_{n}" for n in NAMES[2:])]
    with sqlite3.connect(path) as opened:
        pd.DataFrame(ROWS, columns=names).to_sql("MyExpt_Per_Nuclei", opened, index=False)
        images = pd.DataFrame({"ImageNumber": [1, 2], "Image_Metadata_Well": ["A1", "A2"]})
        images.to_sql("MyExpt_Per_Image", opened, index=False)
    samples = read(path)
    check_cellprofiler(samples)
    assert samples.features["Image_Metadata_Well"].tolist() == ["A1", "A1", "A2", "A2"]
    with sqlite3.connect(path) as opened:
        pd.DataFrame(ROWS, columns=NAMES).to_sql("MyExpt_Per_Cells", opened, index=False)
    opened.close()
    check_cellprofiler(read(path, objects="Cells"))
    with pytest.raises(InvalidInputError, match=r"one of \['Cells', 'Nuclei'\].*got None"):
        read(path)
    (tmp_path / "text.db").write_text("no database at all " * 20)
    with pytest.raises(InvalidInputError, match="must be a database of SQLite that can be read"):
        read(tmp_path / "text.db")


def test_measurements_of_qupath(tmp_path):
    # https://qupath.readthedocs.io/en/stable/docs/tutorials/exporting_measurements.html
    lines = [
        "Image\tObject ID\tName\tClassification\tROI\tCentroid X µm\tCentroid Y µm\t"
        "Nucleus: Area µm^2",
        "a.svs\t6f6a-1\t\tTumor\tPolygon\t5.5\t6.5\t20.5",
        "a.svs\t6f6a-2\t\tStroma\tPolygon\t7.5\t8.5\t30.5",
        "b.svs\t6f6a-3\t\tTumor\tPolygon\t5.5\t6.5\t25.5",
    ]
    path = tmp_path / "measurements.tsv"
    path.write_text("\n".join(lines), encoding="utf-8")
    samples = read(path)
    assert samples.feature_names == ("Nucleus: Area µm^2",)
    assert samples.column("source").tolist() == ["a.svs", "a.svs", "b.svs"]
    assert [each.label for each in samples.identities] == ["6f6a-1", "6f6a-2", "6f6a-3"]
    assert samples.features["Classification"].tolist() == ["Tumor", "Stroma", "Tumor"]
    path.write_bytes("\n".join(lines).encode("cp1252"))
    assert read(path).feature_names == samples.feature_names


def square(y, x, side, measurements, name):
    ring = [[x, y], [x + side, y], [x + side, y + side], [x, y + side], [x, y]]
    return {
        "type": "Feature",
        "id": name,
        "geometry": {"type": "Polygon", "coordinates": [ring]},
        "properties": {
            "objectType": "detection",
            "classification": {"name": "Tumor", "color": [200, 0, 0]},
            "measurements": measurements,
        },
    }


def test_outlines_of_qupath_are_measured_or_cut(tmp_path):
    features = [
        square(4, 6, 8, {"Mean": 1.5}, "one"),
        square(20, 30, 6, {"Mean": 2.5}, "two"),
    ]
    path = tmp_path / "cells.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    samples = read(path)
    assert samples.feature_names == ("Mean",)
    assert [each.label for each in samples.identities] == ["one", "two"]
    image = np.random.default_rng(0).integers(0, 255, (40, 48, 3), np.uint8)
    tifffile.imwrite(tmp_path / "slide.tif", image, photometric="rgb")
    cut = read(path, image=tmp_path / "slide.tif", size=10)
    assert cut.features["area"].tolist() == [64, 36]
    assert cut.bounding_boxes.tolist() == [[4, 6, 12, 14], [20, 30, 26, 36]]
    assert cut.features["Object ID"].tolist() == ["one", "two"]
    np.testing.assert_array_equal(cut.images[0], image[3:13, 5:15])


@pytest.mark.parametrize("is_early", [False, True])
def test_regions_around_the_cells_of_qupath_are_no_cells(is_early, tmp_path):
    # As in demo_Qupath_project/Single_cells.geojson of CosciaLab/Qupath_to_LMD. Early versions
    # named objects after their kind.
    region = square(0, 0, 40, {}, "region")
    region["properties"] |= {"objectType": "annotation"}
    cells = [square(4, 6, 8, {"Mean": 1.5}, "one"), square(20, 30, 6, {"Mean": 2.5}, "two")]
    cells[0]["properties"]["classification"] = {"names": ["CD4", "CD8"]}
    for each, name in zip([region, *cells], ["Annotation", "Cell", "Cell"], strict=True):
        if is_early:
            del each["properties"]["objectType"]
            each["id"] = f"Path{name}Object"
    path = tmp_path / "cells.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [region, *cells]}))
    samples = read(path)
    labels = [1, 2] if is_early else ["one", "two"]
    assert [each.label for each in samples.identities] == labels
    assert "1 annotations" in dict(samples.left_out)
    assert samples.features["Classification"].tolist() == ["CD4: CD8", "Tumor"]
    tifffile.imwrite(tmp_path / "slide.tif", np.arange(40 * 48, dtype=np.uint16).reshape(40, 48))
    cut = read(path, image=tmp_path / "slide.tif", size=10)
    assert cut.features["area"].tolist() == [64, 36]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [region, region]}))
    with pytest.raises(InvalidInputError):
        read(path)  # regions alone are objects, which have no measurements here
    assert len(read(path, image=tmp_path / "slide.tif", size=10)) == 1


def test_spots_of_trackmate(tmp_path):
    # Four header rows: names, long names, short names and units, as in "Export to CSV".
    # https://imagej.net/plugins/trackmate/
    path = tmp_path / "spots.csv"
    path.write_text(
        "LABEL,ID,TRACK_ID,QUALITY,POSITION_X,FRAME,RADIUS,VISIBILITY,AREA\n"
        "Label,Spot ID,Track ID,Quality,X,Frame,Radius,Visibility,Area\n"
        "Label,Spot ID,Track ID,Quality,X,Frame,R,Visibility,Area\n"
        ",,,(quality),(micron),,(micron),,(micron^2)\n"
        "ID12,12,0,3.5,1.5,0,2.5,1,20.5\nID40,40,0,4.5,1.7,1,2.5,1,25.5\n"
        "ID41,41,,5.5,9.7,1,2.5,1,30.5\n"
    )
    samples = read(path)
    assert samples.feature_names == ("QUALITY", "AREA")
    assert samples.identities.frame.tolist() == [0, 1, 1]
    assert samples.identities.label.tolist() == [12, 40, 41]
    xml = tmp_path / "spots.xml"
    xml.write_text(
        '<TrackMate version="7.11"><Model spatialunits="micron"><AllSpots nspots="3">'
        '<SpotsInFrame frame="0"><Spot ID="12" name="ID12" QUALITY="3.5" POSITION_X="1.5" '
        'FRAME="0" AREA="20.5"/></SpotsInFrame><SpotsInFrame frame="1"><Spot ID="40" name="ID40" '
        'QUALITY="4.5" POSITION_X="1.7" FRAME="1" AREA="25.5"/><Spot ID="41" name="ID41" '
        'QUALITY="5.5" POSITION_X="9.7" FRAME="1" AREA="30.5"/></SpotsInFrame></AllSpots>'
        '<AllTracks><Track name="Track_0" TRACK_ID="0"><Edge SPOT_SOURCE_ID="12" '
        'SPOT_TARGET_ID="40"/></Track></AllTracks></Model></TrackMate>'
    )
    same = read(xml)
    np.testing.assert_array_equal(same.table, samples.table)
    assert list(same.identities) == [each._replace(source="spots") for each in samples.identities]
    np.testing.assert_array_equal(same.features["TRACK_ID"], [0, 0, np.nan])


def test_spots_and_tracks_that_trackmate_filters_out_are_left_out(tmp_path):
    # As in FakeTracks.xml of trackmate-sc/TrackMate, where 84 of 233 spots are visible.
    spots = "".join(
        f'<Spot ID="{k}" name="ID{k}" QUALITY="{k}.5" VISIBILITY="{int(k != 3)}" FRAME="0" '
        f'RADIUS="{k}.25"/>'
        for k in range(1, 7)
    )
    tracks = "".join(
        f'<Track TRACK_ID="{k}"><Edge SPOT_SOURCE_ID="{2 * k + 1}" SPOT_TARGET_ID="{2 * k + 2}"/>'
        "</Track>"
        for k in range(2)
    )
    path = tmp_path / "a.xml"
    path.write_text(
        f'<TrackMate version="8.1.6"><Model><AllSpots><SpotsInFrame frame="0">{spots}'
        f"</SpotsInFrame></AllSpots><AllTracks>{tracks}</AllTracks>"
        '<FilteredTracks><TrackID TRACK_ID="0" /></FilteredTracks></Model></TrackMate>'
    )
    samples = read(path)
    assert samples.identities.label.tolist() == [1, 2, 4, 5, 6]
    assert dict(samples.left_out)["1 spots"] == "the filters of TrackMate hide them"
    np.testing.assert_array_equal(samples.features["TRACK_ID"], [0, 0, *[np.nan] * 3])


@pytest.mark.parametrize(
    ("separator", "decimal"), [(",", "."), (";", ","), ("\t", ","), (";", ".")]
)
def test_tables_of_any_separator_and_decimal_sign(separator, decimal, tmp_path):
    numbers = np.array([[1.5, -2.5e-7], [3.25, 4], [5.125, 6.5]])
    table = pd.DataFrame(numbers, columns=["a; b, c", "d"])
    table.to_csv(tmp_path / "a.csv", sep=separator, decimal=decimal, index=False)
    samples = read(tmp_path / "a.csv", standardise=False)
    np.testing.assert_array_equal(samples.table, numbers.astype(np.float32))
    assert samples.feature_names == ("a; b, c", "d")


def test_table_of_an_early_qupath_has_no_ids(tmp_path):
    (tmp_path / "a.txt").write_bytes(
        "Image\tName\tClass\tParent\tROI\tCentroid X \xb5m\tNucleus: Area\n"
        "a.svs\tPathCell\tTumor\tImage\tPolygon\t8.5\t21.5\n"
        "b.svs\tPathCell\tTumor\tImage\tPolygon\t8.25\t22.5\n".encode("cp1252")
    )
    samples = read(tmp_path / "a.txt")
    assert samples.feature_names == ("Nucleus: Area",)
    assert [tuple(each) for each in samples.identities] == [("a.svs", 0, 1), ("b.svs", 0, 2)]


def test_object_of_steinbock_names_the_objects(tmp_path):
    # https://bodenmillergroup.github.io/steinbock/latest/file-types/#object-data
    path = tmp_path / "intensities.csv"
    path.write_text("Object,Ag,Cd\n1,0.5,1.5\n3,1.5,0.5\n4,2.5,3.5\n")
    samples = read(path)
    assert samples.feature_names == ("Ag", "Cd")
    assert samples.identities.label.tolist() == [1, 3, 4]


def annotated(sparse):
    import anndata
    import scipy.sparse

    rng = np.random.default_rng(0)
    X = rng.random((6, 4)).astype(np.float32)
    adata = anndata.AnnData(scipy.sparse.csr_matrix(X) if sparse else X)
    adata.obs_names = [f"cell {k}" for k in range(6)]
    adata.var_names = list("abcd")
    adata.obs["batch"] = list("xyxyxy")
    adata.layers["raw"] = adata.X * 2
    adata.obsm["X_pca"] = rng.random((6, 3))
    return adata


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("where", ["memory", "h5ad", "zarr"])
@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning")
def test_x_a_layer_or_obsm_of_anndata(tmp_path, sparse, where):
    adata = annotated(sparse)
    data = adata
    if where != "memory":
        data = tmp_path / f"a.{where}"
        getattr(adata, {"h5ad": "write_h5ad", "zarr": "write_zarr"}[where])(data)
    samples = read(data)
    assert samples.feature_names == ("a", "b", "c", "d")
    assert samples.features["batch"].tolist() == list("xyxyxy")
    layer = samples_from_anndata(data, layer="raw", standardise=False)
    np.testing.assert_allclose(layer.table, 2 * adata.to_df().to_numpy(), rtol=1e-6)
    components = samples_from_anndata(data, obsm="X_pca")
    np.testing.assert_allclose(components.table, adata.obsm["X_pca"], rtol=1e-6)
    assert components.features["batch"].tolist() == list("xyxyxy")
    with pytest.raises(InvalidInputError, match=r"obsm must be one of \['X_pca'\]; got 'X_scvi'"):
        samples_from_anndata(data, obsm="X_scvi")


def test_options_of_another_kind_are_named(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("label,area\n1,2.5\n2,3.5\n")
    with pytest.raises(InvalidInputError, match=r"those of samples_from_table.*got \['size'\]"):
        read(path, size=32)
    assert read(path, standardise=False).table.tolist() == [[2.5], [3.5]]


def test_files_of_no_kind_are_named(tmp_path):
    (tmp_path / "a.docx").write_text("text")
    with pytest.raises(InvalidInputError, match=r"an image and its labels; got .*a\.docx' alone"):
        read(tmp_path / "a.docx")
