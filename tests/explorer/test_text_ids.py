"""Samples that text identifies, such as barcodes and UUIDs: from data to every file, and back."""

from __future__ import annotations

import io
import tempfile
import uuid
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embedscope._errors import InvalidInputError
from embedscope.explorer import Explorer, read_csv
from embedscope.explorer.export import write_h5ad
from embedscope.samples import (
    Identities,
    SampleId,
    Source,
    join_samples,
    samples_from_array,
    samples_from_table,
)
from embedscope.samples import read as read_samples

anndata = pytest.importorskip("anndata")

RNG = np.random.default_rng(0)
NAMES = ["007", "7", " ", "A 1", "Zelle-é", "細胞", "a,b", 'say "no"', "1e5", "-3"]
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1)


def table(names: list[str] = NAMES) -> pd.DataFrame:
    return pd.DataFrame(RNG.random((len(names), 3)), index=names, columns=["CD3", "CD8", "DNA"])


def shown(data: Any) -> Explorer:
    explorer = Explorer(data)
    explorer.place(RNG.normal(size=(len(explorer.samples), 2)))
    return explorer


@pytest.mark.parametrize(
    "data",
    [
        table(),
        table().rename_axis("barcode").reset_index(),
        anndata.AnnData(table()),
        samples_from_array(table().to_numpy(), ids=NAMES, source="table"),
        samples_from_table(
            table().reset_index(names="it").astype({"it": "category"}), label_column="it"
        ),
        samples_from_table(table().set_axis(pd.array(NAMES, "string"), axis=0)),
    ],
    ids=["index", "column", "anndata", "array", "categories", "string dtype"],
)
def test_text_identifies_the_rows_of_any_data(data: Any, tmp_path: Path) -> None:
    explorer = shown(data)
    assert list(explorer.samples.identities) == [("table", 0, name) for name in NAMES]
    explorer.select_ids([SampleId("table", 0, "007"), ("table", 0, "細胞")])
    assert explorer.selected_ids == [("table", 0, "007"), ("table", 0, "細胞")]
    assert explorer.describe(3).name == "table A 1"
    assert [hit.label for hit in map(explorer.samples.identities.__getitem__, (0, -1))] == [
        "007",
        "-3",
    ]
    explorer.save(tmp_path / "session")
    again = Explorer.open(tmp_path / "session")
    assert list(again.samples.identities) == list(explorer.samples.identities)
    assert again.selected_ids == explorer.selected_ids


def test_names_and_variables_of_an_anndata_come_back() -> None:
    made = shown(anndata.AnnData(table())).to_anndata()
    assert made.obs_names.tolist() == NAMES
    assert made.var_names.tolist() == ["CD3", "CD8", "DNA"]


@settings(max_examples=25, deadline=None)
@given(st.lists(TEXT, min_size=2, max_size=6, unique=True))
def test_any_text_goes_through_every_file(names: list[str]) -> None:
    explorer = shown(table(names))
    wanted = [("table", 0, name) for name in names]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        explorer.to_parquet(folder / "map.parquet")
        assert list(Explorer(pd.read_parquet(folder / "map.parquet")).samples.identities) == wanted
        explorer.to_csv(folder / "map.csv")
        assert list(Explorer(read_csv(folder / "map.csv")).samples.identities) == wanted
        explorer.save(folder / "session")
        assert list(Explorer.open(folder / "session").samples.identities) == wanted


def test_text_goes_through_h5ad_and_csv(tmp_path: Path) -> None:
    explorer = shown(table())
    write_h5ad(tmp_path / "map.h5ad", explorer.to_anndata())
    read = Explorer(anndata.read_h5ad(tmp_path / "map.h5ad"))
    assert list(read.samples.identities) == list(explorer.samples.identities)
    explorer.to_csv(tmp_path / "map.csv")
    read = Explorer(pd.read_csv(tmp_path / "map.csv"))
    assert list(read.samples.identities) == list(explorer.samples.identities)


def test_a_csv_of_text_that_looks_like_numbers_is_read_by_its_path(tmp_path: Path) -> None:
    explorer = shown(table(["007", "08", "1e3"]))
    explorer.to_csv(tmp_path / "map.csv")
    again = read_samples(tmp_path / "map.csv")
    assert list(again.identities) == list(explorer.samples.identities)
    assert again.feature_names == explorer.samples.feature_names


def test_instances_of_spatialdata_may_be_text() -> None:
    pytest.importorskip("spatialdata")
    explorer = shown(table())
    made = explorer.to_spatialdata_table({"table": "cells"})
    assert made.obs["instance_id"].tolist() == NAMES
    assert samples_from_table(made).identities.label.tolist() == NAMES


def test_qupath_identifies_objects_by_uuid() -> None:
    ids = [str(uuid.UUID(int=number, version=4)) for number in range(1, 6)]
    rows = "\n".join(
        f"slide.svs\t{name}\tCell\t\tTumor\t{10.5 + k}\t{20 - k**2}" for k, name in enumerate(ids)
    )
    header = "Image\tObject ID\tObject type\tName\tClassification\tNucleus: Area\tDAB: Mean\n"
    samples = samples_from_table(pd.read_csv(io.StringIO(header + rows), sep="\t"))
    assert samples.identities.label.tolist() == ids
    assert samples.feature_names == ("Nucleus: Area", "DAB: Mean")


def test_a_later_table_with_numbered_rows_is_added_to_one_with_names() -> None:
    first = samples_from_table(table(), source="a")
    later = first.same_way(table(list("uvw")).reset_index(drop=True), source="b")
    joined = join_samples([first, later])
    assert joined.identities.label.tolist() == [*NAMES, "0", "1", "2"]
    assert joined.identities.rows("b", [2, 0, 5]).tolist() == [12, 10, -1]
    assert later.identities.rows("b", ["2", "02"]).tolist() == [2, -1]
    assert first.same_way(table(list("uvw")), source="c").identities.label.tolist() == list("uvw")


def test_repeated_names_are_refused_and_the_remedy_works() -> None:
    frame = table(["a", "a", "b"])
    with pytest.raises(InvalidInputError, match=r"frame\.reset_index\(\)"):
        samples_from_table(frame)
    samples = samples_from_table(frame.reset_index())
    assert samples.identities.label.tolist() == [0, 1, 2]
    assert samples.column("index").tolist() == ["a", "a", "b"]


@pytest.mark.parametrize(
    ("names", "got"), [([1, "A2"], "mixed-integer"), (["a", None], "missing values")]
)
def test_other_values_are_refused_and_the_remedy_works(names: list[Any], got: str) -> None:
    frame = pd.DataFrame({"well": names, "x": [1.0, 2.0]})
    with pytest.raises(InvalidInputError, match=rf"column 'well' must .* got .*{got}"):
        samples_from_table(frame, label_column="well")
    texts = frame["well"].map(str)
    text = samples_from_table(frame.assign(well=texts), label_column="well")
    assert text.identities.label.tolist() == texts.tolist()


def test_objects_of_an_image_need_whole_numbers() -> None:
    cells = Source("cells", "labels", axes="yx")
    with pytest.raises(InvalidInputError, match=r"must hold whole numbers .* got "):
        samples_from_table(
            table().reset_index(names="it"), source=cells, label_column="it", columns=["CD3"]
        )
    both = table().reset_index(names="it").assign(ObjectNumber=range(1, 11))
    samples = samples_from_table(both, source=cells)
    assert samples.identities.label.tolist() == list(range(1, 11))
    assert samples.column("it").tolist() == NAMES


@pytest.mark.speed
def test_a_hundred_thousand_names_are_found_in_milliseconds() -> None:
    import time

    names = np.array([f"cell-{number}" for number in RNG.permutation(100_000)])
    identities = Identities.of("a", names)
    times = []
    for _ in range(5):
        start = time.perf_counter()
        rows = identities.rows("a", names)
        times.append(time.perf_counter() - start)
    assert rows.tolist() == list(range(100_000))
    assert min(times) < 0.4  # 0.03 s on an idle machine
