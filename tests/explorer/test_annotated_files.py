"""Annotated tables on disk: names of elements, and no other folder is replaced."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from embedscope.explorer.export._annotated_files import element_names, write_h5ad, write_zarr
from embedscope.explorer.export._exports import write_parquet
from embedscope.explorer.export._frames import to_frame
from embedscope.samples import Identities, samples_from_array, samples_from_table

anndata = pytest.importorskip("anndata")


@pytest.fixture
def table():
    from embedscope.explorer.export._annotated import to_anndata

    samples = samples_from_array(np.random.default_rng(0).random((6, 3)))
    positions = np.arange(12, dtype=np.float32).reshape(6, 2)
    return to_anndata(to_frame(samples.identities, positions, samples.features, {}, {}))


def test_elements_are_named_by_source_and_by_frame_if_labels_repeat():
    identities = Identities(
        sources=("cells, day 1", "cells_day_1", "series"),
        source=np.array([0, 0, 1, 2, 2, 2]),
        frame=np.array([0, 0, 0, 0, 1, 1]),
        label=np.array([1, 2, 1, 5, 5, 6]),
    )
    assert element_names(identities) == {
        ("cells, day 1", 0): "cells_day_1",
        ("cells_day_1", 0): "cells_day_1_2",
        ("series", 0): "series_t0",
        ("series", 1): "series_t1",
    }


def test_unique_labels_need_no_frame():
    identities = Identities(("a",), np.zeros(3, int), np.arange(3), np.array([4, 5, 6]))
    assert set(element_names(identities).values()) == {"a"}


def test_h5ad_file_replaces_an_existing_one(table, tmp_path):
    for shift in (0, 1):
        table.obsm["X_umap"] = np.full((6, 2), shift, np.float32)
        write_h5ad(tmp_path / "map.h5ad", table)
    read = anndata.read_h5ad(tmp_path / "map.h5ad")
    assert (read.obsm["X_umap"] == 1).all()
    assert [path.name for path in tmp_path.iterdir()] == ["map.h5ad"]


def test_zarr_table_replaces_no_existing_folder(table, tmp_path):
    write_zarr(tmp_path / "new" / "map.zarr", table)
    assert len(anndata.read_zarr(tmp_path / "new" / "map.zarr")) == 6
    for taken in (tmp_path / "new" / "map.zarr", tmp_path / "new"):
        with pytest.raises(ValueError, match="path must be a new folder"):
            write_zarr(taken, table)
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["map.zarr"]


SIZES = np.array([0.1, 0.2, 0.5, 0.6, 0.9, 0.95])
CATEGORIES = {
    "intervals": pd.cut(SIZES, 3),
    "dates": pd.Categorical(pd.to_datetime(["2024-01-01", "2024-01-02"] * 3)),
    "mixtures": pd.Categorical([1, "other", None] * 2),
    "the same as text": pd.Categorical([1, "1", 2] * 2),
    "numbers": pd.Categorical([3, 1, 2] * 2),
    "text": pd.Categorical(["b", "a", None] * 2, categories=["b", "a"], ordered=True),
}


@pytest.mark.parametrize("column", CATEGORIES.values(), ids=CATEGORIES)
def test_any_categories_can_be_written(column, tmp_path):
    from embedscope.explorer.export._annotated import to_anndata

    features = pd.DataFrame({"size": SIZES, "class": column})
    samples = samples_from_table(features, columns=["size"])
    frame = to_frame(samples.identities, np.zeros((6, 2), np.float32), samples.features, {}, {})
    write_h5ad(tmp_path / "map.h5ad", to_anndata(frame))
    write_parquet(tmp_path / "map.parquet", frame)
    wanted = features["class"].astype(object).map(str, na_action="ignore")
    for read in (
        anndata.read_h5ad(tmp_path / "map.h5ad").obs["class"],
        pd.read_parquet(tmp_path / "map.parquet")["class"],
    ):
        found = read.astype(object).map(str, na_action="ignore")
        assert found.isna().tolist() == wanted.isna().tolist()
        assert found.dropna().tolist() == wanted.dropna().tolist()
    if column.ordered:
        classes = anndata.read_h5ad(tmp_path / "map.h5ad").obs["class"].cat
        assert classes.ordered
        assert classes.categories.tolist() == [str(each) for each in column.categories]
