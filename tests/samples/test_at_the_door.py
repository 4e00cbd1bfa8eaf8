"""Objects that hold images or tables: right input, or an error whose remedy works when followed."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
import zarr

from embedscope._errors import InvalidInputError
from embedscope.samples import (
    as_samples,
    measure_features,
    samples_from_array,
    samples_from_labels,
    samples_from_patches,
    samples_from_table,
)

RNG = np.random.default_rng(0)
IMAGE = RNG.random((40, 40))
LABELS = np.zeros((40, 40), np.int32)
LABELS[3:8, 3:8], LABELS[20:30, 20:30], LABELS[3:8, 20:25] = 1, 5, 9


def cut(image: Any = IMAGE, labels: Any = LABELS, **options: Any) -> list[int]:
    made = samples_from_labels(image, labels, 6, features=False, **options)
    return [int(label) for label in made.identities.label]


def remedy_of(error: Any, before: str) -> str:
    """The expression that the error recommends."""
    found = re.search(re.escape(before) + r"(.+?)[.]?$", str(error.value))
    assert found is not None, str(error.value)
    return found[1]


@pytest.mark.filterwarnings("ignore")
def test_datatree_of_spatialdata() -> None:
    models = pytest.importorskip("spatialdata.models")
    tree = models.Labels2DModel.parse(LABELS, dims=("y", "x"), scale_factors=[2])
    with pytest.raises(InvalidInputError, match=r"labels must be .*; got DataTree") as error:
        cut(labels=tree)
    levels = eval(remedy_of(error, "Pass its levels: "), {"tree": tree})
    assert [level.shape for level in levels] == [(40, 40), (20, 20)]
    assert cut(labels=levels) == [1, 5, 9]
    assert cut(labels=models.Labels2DModel.parse(LABELS, dims=("y", "x"))) == [1, 5, 9]


def test_zarr_group(tmp_path: Path) -> None:
    group = zarr.open_group(str(tmp_path / "cells.zarr"), mode="w")
    group.create_array("0", data=LABELS)
    group.create_array("1", data=LABELS[::2, ::2])
    with pytest.raises(InvalidInputError, match=r"labels must be .*; got Group") as error:
        cut(labels=group)
    said = remedy_of(error, "Pass one of its arrays, or ").partition(" if they are")[0]
    assert cut(labels=eval(said, {"group": group})) == [1, 5, 9]
    assert cut(labels=group["0"]) == [1, 5, 9]


@pytest.mark.parametrize("steps", [(2, 1), (4, 1, 2)])
def test_levels_in_another_order(steps: tuple[int, ...]) -> None:
    levels = [LABELS[::step, ::step] for step in steps]
    with pytest.raises(InvalidInputError, match="from its finest level to its coarsest") as error:
        cut(labels=levels)
    assert cut(labels=eval(remedy_of(error, "largest first: "), {"levels": levels})) == [1, 5, 9]
    with pytest.raises(InvalidInputError, match=r"with numpy\.stack"):
        cut(labels=[LABELS, LABELS])


def test_labels_with_all_axes_of_ome_zarr() -> None:
    labels, image = LABELS[None, None, None], IMAGE[None, None, None]
    with pytest.raises(InvalidInputError, match="labels must have 2 to 4 axes") as error:
        cut(image, labels)
    assert "pass labels[:, 0]" in str(error.value)
    assert "image_axes='tczyx'" in str(error.value)
    assert cut(image, labels[:, 0], image_axes="tczyx") == [1, 5, 9]
    assert cut(IMAGE, labels[0, 0, 0]) == [1, 5, 9]


@pytest.mark.parametrize(
    ("path", "reader"),
    [
        ("a.tif", "tifffile.imread(path)"),
        ("dir/a.npy", "numpy.load(path)"),
        ("a.zarr", "zarr.open(path)['0']"),
        ("a.czi", "the library of this format"),
    ],
)
@pytest.mark.parametrize("kind", [str, Path])
def test_paths_of_images(path: str, reader: str, kind: type) -> None:
    wanted = re.escape(f"got the path {path!r}. Open it first, for example with {reader}.")
    for make in (
        lambda: cut(image=kind(path)),
        lambda: cut(labels=kind(path)),
        lambda: samples_from_patches(kind(path), 4),
        lambda: samples_from_array(kind(path)),
        lambda: measure_features(kind(path), LABELS),
    ):
        with pytest.raises(InvalidInputError, match=wanted):
            make()


@pytest.mark.parametrize("make", [as_samples, samples_from_table])
@pytest.mark.parametrize(
    ("path", "reader"),
    [("a.csv", "pandas.read_csv(path)"), ("a.h5ad", "anndata.read_h5ad(path)")],
)
def test_paths_of_tables(make: Any, path: str, reader: str) -> None:
    with pytest.raises(InvalidInputError, match=re.escape(reader)):
        make(path)


def test_a_dictionary_of_columns() -> None:
    columns = {"a": [1.0, 2, 4], "b": [1.0, 0, 2]}
    with pytest.raises(InvalidInputError, match=r"pandas\.DataFrame\(data\)"):
        as_samples(columns)
    assert len(as_samples(pd.DataFrame(columns))) == 3


@pytest.mark.filterwarnings("ignore:Observation names are not unique")
def test_annotated_matrices() -> None:
    anndata = pytest.importorskip("anndata")
    values = RNG.random((6, 3), np.float32)
    names = pd.DataFrame(index=[f"cell {k}" for k in range(6)])
    made = anndata.AnnData(values, obs=names)
    np.testing.assert_array_equal(samples_from_table(made, standardise=False).X, values)
    with pytest.raises(InvalidInputError, match="Pass it to samples_from_table, or take its array"):
        samples_from_array(made)
    np.testing.assert_array_equal(samples_from_array(made.X).X, values)
    sparse = anndata.AnnData(scipy.sparse.csr_matrix(values), obs=names)
    np.testing.assert_array_equal(samples_from_table(sparse, standardise=False).X, values)
    joined = anndata.concat([made, made])
    with pytest.raises(InvalidInputError, match=r"Run adata\.obs_names_make_unique\(\) first"):
        samples_from_table(joined)
    joined.obs_names_make_unique()
    assert len(samples_from_table(joined)) == 12
    wide = anndata.AnnData(scipy.sparse.csr_matrix((2**15, 2**14), dtype=np.float32))
    with pytest.raises(InvalidInputError, match=r"samples_from_array\(adata\.obsm\['X_pca'\]\)"):
        samples_from_table(wide)


@pytest.mark.parametrize("kind", ["csr_matrix", "csc_array", "coo_matrix"])
def test_sparse_matrices(kind: str) -> None:
    values = np.where(RNG.random((8, 5)) < 0.5, 0, RNG.random((8, 5)))
    samples = samples_from_array(getattr(scipy.sparse, kind)(values))
    np.testing.assert_allclose(samples.X, values, rtol=1e-6)
    again = samples.same_way(getattr(scipy.sparse, kind)(values), source="later")
    np.testing.assert_allclose(again.X, values, rtol=1e-6)
    with pytest.raises(InvalidInputError, match="TruncatedSVD"):
        samples_from_array(scipy.sparse.csr_matrix((2**15, 2**14)))


CELLPROFILER = """Image,Nuclei,Nuclei,Cells
ImageNumber,ObjectNumber,AreaShape_Area,AreaShape_Area
1,1,20,30
1,2,30,41
2,1,45,52
"""
TRACKMATE = """LABEL,ID,TRACK_ID,AREA
Label,Spot ID,Track ID,Area
Label,Spot ID,Track ID,Area
,,,(um^2)
ID1,11,0,10.5
ID2,12,0,20.5
ID3,13,1,25
"""


def test_two_header_rows_of_cellprofiler() -> None:
    with pytest.raises(InvalidInputError, match="first 1 row may be header rows") as error:
        samples_from_table(pd.read_csv(io.StringIO(CELLPROFILER)))
    said = remedy_of(error, "read the file with ")
    table = eval(said, {"pandas": pd, "path": io.StringIO(CELLPROFILER)})
    samples = samples_from_table(table)
    assert samples.feature_names == ("Nuclei_AreaShape_Area", "Cells_AreaShape_Area")
    assert samples.identities.frame.tolist() == [1, 1, 2]
    assert samples.identities.label.tolist() == [1, 2, 1]


def test_further_header_rows_of_trackmate() -> None:
    with pytest.raises(InvalidInputError, match="first 3 rows may be header rows") as error:
        samples_from_table(pd.read_csv(io.StringIO(TRACKMATE)))
    said = remedy_of(error, "read the file with ")
    table = eval(said, {"pandas": pd, "path": io.StringIO(TRACKMATE)})
    samples = samples_from_table(table)
    assert samples.feature_names == ("AREA",)
    assert samples.identities.label.tolist() == [11, 12, 13]


@pytest.mark.parametrize(
    ("columns", "remedy"),
    [
        ({"a": ["x", "y", "z"]}, "with pandas.get_dummies(frame, dtype=float)"),
        ({"day": pd.date_range("2026-01-01", periods=3)}, "with frame['day'].astype('int64')"),
        ({"alive": [True, False, True]}, "Name columns to use with columns="),
        ({"area": [3.0]}, "Give more rows"),
    ],
)
def test_a_table_without_numbers_gets_a_remedy_that_works(columns, remedy) -> None:
    """None of these has a header to skip."""
    with pytest.raises(InvalidInputError) as error:
        samples_from_table(pd.DataFrame(columns))
    assert remedy in str(error.value)
    assert "header" not in str(error.value)


@pytest.mark.parametrize(
    ("areas", "why"),
    [
        ([900.0, 20, 25, 30], "the background (labels 0)"),
        ([900.0, 20, np.nan, 30], "missing or infinite values, or the background (labels 0, 2)"),
    ],
)
def test_the_background_is_named_if_a_row_is_of_it(areas, why) -> None:
    frame = pd.DataFrame({"label": [0, 1, 2, 3], "area": areas})
    assert why in [reason for _, reason in samples_from_table(frame).left_out]


@pytest.mark.parametrize("given", [(np.eye(6), np.arange(6)), {"data": np.eye(6), "names": ["x"]}])
def test_data_with_their_classes_get_the_remedy_to_pass_the_data(given) -> None:
    with pytest.raises(InvalidInputError, match="for example data") as error:
        samples_from_array(given)
    assert len(samples_from_array(eval(remedy_of(error, "for example "), {"data": given}))) == 6
