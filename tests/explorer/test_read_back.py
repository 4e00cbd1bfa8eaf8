"""An exported map is read back with the same samples, identities, features, map and gates."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from embedscope._errors import InvalidInputError
from embedscope.explorer import Explorer, gates_of, read_csv
from embedscope.explorer.export import write_h5ad, write_zarr
from embedscope.explorer.export._exports import write_csv
from embedscope.samples import join_samples, samples_from_array, samples_from_table

anndata = pytest.importorskip("anndata")
pa = pytest.importorskip("pyarrow")

N = 30
SQUARE = np.array([[-0.5, -0.5], [3.0, -0.5], [3.0, 3.0], [-0.5, 3.0]])


def measured(seed: int) -> pd.DataFrame:
    """A table with labels that start again in each frame, and a feature of every plain type."""
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "label": np.arange(N) % 15,  # 0 is an object: no label image says that it is not
            "frame": np.arange(N) // 15,
            "area": rng.random(N),
            "big": 2**31 + rng.integers(0, 2**20, N),
            "treated": rng.random(N) < 0.5,
            "kind": pd.Categorical(rng.choice(["round", "long"], N)),
            "umap_1": rng.random(N),  # a feature, although it looks like a position
        }
    )


def explorer() -> Explorer:
    """Two sources with a map and gates."""
    parts = [
        samples_from_table(
            measured(seed).set_axis([f"r{k}" for k in range(N)]),
            source=name,
            label_column="label",
            columns=["area", "big", "umap_1"],
        )
        for seed, name in enumerate(("day 1", "day 2"))
    ]
    shown = Explorer(join_samples(parts))
    places = np.random.default_rng(5).normal(size=(len(shown.samples), 2))
    places[7] = np.nan
    shown.place(places)
    shown.add_gate(SQUARE, name="T cells / CD4+")
    shown.add_gate(SQUARE - 1, name="others")
    return shown


def through_csv(shown: Explorer, folder: Path) -> Any:
    shown.to_csv(folder / "map.csv")
    return read_csv(folder / "map.csv")


def through_parquet(shown: Explorer, folder: Path) -> Any:
    shown.to_parquet(folder / "map.parquet")
    return pd.read_parquet(folder / "map.parquet")


def through_h5ad(shown: Explorer, folder: Path) -> Any:
    write_h5ad(folder / "map.h5ad", shown.to_anndata())
    return anndata.read_h5ad(folder / "map.h5ad")


def through_zarr(shown: Explorer, folder: Path) -> Any:
    regions = {
        (source, frame): f"{source}_{frame}".replace(" ", "_")
        for source in ("day 1", "day 2")
        for frame in (0, 1)
    }
    write_zarr(folder / "map.zarr", shown.to_spatialdata_table(regions))
    return anndata.read_zarr(folder / "map.zarr")


ALL = [through_csv, through_parquet, through_h5ad, through_zarr]


@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning")
@pytest.mark.parametrize("there_and_back", ALL)
def test_an_export_gives_everything_again(
    there_and_back: Callable[[Explorer, Path], Any], tmp_path: Path
) -> None:
    shown = explorer()
    read = there_and_back(shown, tmp_path)
    samples = samples_from_table(read)
    assert list(samples.identities) == list(shown.samples.identities)
    assert samples.feature_names == shown.samples.feature_names
    np.testing.assert_allclose(samples.X, shown.samples.X, atol=1e-4)
    pd.testing.assert_frame_equal(
        samples.features, shown.samples.features, check_dtype=False, check_categorical=False
    )
    assert samples.features["big"].tolist() == shown.samples.features["big"].tolist()
    memberships = shown.gates.memberships(shown.embedding.positions)
    for name, mask in gates_of(read).items():
        np.testing.assert_array_equal(mask, memberships[name])
    again = Explorer(read)
    np.testing.assert_allclose(again.embedding.positions, shown.embedding.positions, atol=1e-6)
    assert again.gates == shown.gates
    # What is exported again is the same.
    pd.testing.assert_frame_equal(
        again.to_frame().iloc[:, :10],
        shown.to_frame().iloc[:, :10],
        check_dtype=False,
        check_categorical=False,
    )


def test_columns_that_are_no_features_are_left_out_with_the_reason(tmp_path: Path) -> None:
    samples = samples_from_table(through_csv(explorer(), tmp_path))
    reasons = dict(samples.left_out)
    assert reasons["label"] == "holds identities, not measurements"
    assert reasons["umap_1"] == "a position on the map from which the table was exported"
    assert reasons["gate:others"].startswith("a gate of the map")
    assert reasons["score:novelty"].startswith("a score from the map")


def test_several_sources_are_read_from_a_plain_table() -> None:
    frame = pd.DataFrame({"source": ["a", "a", "b"], "label": [1, 2, 1], "x": [1.0, 2, 4]})
    assert list(samples_from_table(frame).identities) == [("a", 0, 1), ("a", 0, 2), ("b", 0, 1)]
    one = frame[frame["source"] == "a"]
    assert samples_from_table(one, source="dish").identities[0] == ("dish", 0, 1)
    with pytest.raises(InvalidInputError, match="identities must differ"):
        samples_from_table(frame.assign(source="a"))


def test_an_array_has_its_values_as_variables(tmp_path: Path) -> None:
    values = np.random.default_rng(0).random((8, 3))
    shown = Explorer(values)
    assert shown.to_anndata().var_names.tolist() == ["feature 0", "feature 1", "feature 2"]
    assert shown.to_anndata().obs_names.tolist() == [str(row) for row in range(8)]
    read = through_csv(shown, tmp_path)
    samples = samples_from_table(read, standardise=False)
    np.testing.assert_allclose(samples.X, values, rtol=1e-6)
    assert samples.identities.label.tolist() == list(range(8))  # row 0 is no background
    assert list(samples.identities) == list(samples_from_array(values).identities)


def test_names_of_rows_come_back() -> None:
    names = ["AAAC-1", "AAAG-1", "AAAT-1"]
    given = anndata.AnnData(
        np.random.default_rng(0).random((3, 2), np.float32), obs=pd.DataFrame(index=names)
    )
    assert Explorer(given).to_anndata().obs_names.tolist() == names
    frame = pd.DataFrame({"area": [1.0, 2.0, 4.0]}, index=pd.Index(names, name="barcode"))
    made = Explorer(frame).to_anndata()
    assert made.obs_names.tolist() == names
    assert made.obs["label"].tolist() == names
    both = Explorer(frame.assign(label=[3, 1, 7]))  # the number of an object, and a name
    assert both.samples.identities.label.tolist() == [3, 1, 7]
    assert both.to_anndata().obs_names.tolist() == names


def test_integers_that_single_precision_rounds_are_in_obs(tmp_path: Path) -> None:
    exact = [2**24 + 1, 2**24 + 3, 2**40 + 1]
    frame = pd.DataFrame({"area": [1, 2, 2**24], "stamp": exact, "low": [-(2**24) - 1, 0, 1]})
    read = through_h5ad(Explorer(frame), tmp_path)
    assert read.var_names.tolist() == ["area"]
    assert read.obs["stamp"].tolist() == exact
    assert read.obs["low"].tolist() == [-(2**24) - 1, 0, 1]


# -- columns of every type ------------------------------------------------------------------------

SIZES = np.array([0.1, 0.2, 0.5, 0.6, 0.9, 0.95])
GAP = [True, None, False] * 2
TURNED = {
    "intervals": pd.Series(pd.cut(SIZES, 3)),
    "mixture": pd.Series([1, "A2", None] * 2, dtype=object),
    "dates as categories": pd.Series(pd.Categorical(pd.to_datetime(["2024-01-01", None] * 3))),
    "dates": pd.Series(pd.date_range("2024-01-01", periods=6)),
    "numbers as categories": pd.Series(pd.Categorical([3, 1, 2] * 2)),
    "truth as categories": pd.Series(pd.Categorical([True, False] * 3)),
    "lists": pd.Series([[1, 2], [3], None] * 2),
    "durations": pd.Series(pd.to_timedelta([1, 2, 3] * 2, unit="h")),
    "complex": pd.Series(SIZES + 1j),
}
KEPT = {
    "yes and no with a gap": (pd.Series(GAP, dtype=object), "boolean"),
    "nullable booleans": (pd.Series(GAP, dtype="boolean"), "boolean"),
    "booleans of Arrow": (pd.Series(GAP, dtype="bool[pyarrow]"), "boolean"),
    "decimals": (pd.Series([Decimal("1.5"), None] * 3), "float64"),
    "floats of Arrow": (pd.Series([1.5, None] * 3, dtype="double[pyarrow]"), "float64"),
    "sparse": (pd.Series(pd.arrays.SparseArray([0, 0, 1.5] * 2)), "float64"),
    "text of Arrow": (pd.Series(["a", None, "b"] * 2, dtype="string[pyarrow]"), "category"),
    "dictionary of Arrow": (
        pd.Series(["a", None, "b"] * 2).astype(
            pd.ArrowDtype(pa.dictionary(pa.int32(), pa.string()))
        ),
        "category",
    ),
}


def exported(column: pd.Series, folder: Path) -> tuple[Explorer, dict[str, pd.Series]]:
    """The column as read from every file that can hold it."""
    shown = Explorer(
        samples_from_table(pd.DataFrame({"size": SIZES, "it": column}), columns=["size"])
    )
    found = {
        "csv": through_csv(shown, folder)["it"],
        "parquet": through_parquet(shown, folder)["it"],
        "h5ad": samples_from_table(through_h5ad(shown, folder)).features["it"],
    }
    shown.save(folder / "session")
    found["session"] = Explorer.open(folder / "session").samples.features["it"]
    return shown, found


@pytest.mark.parametrize("column", TURNED.values(), ids=TURNED)
def test_other_types_become_text_in_every_file_and_it_is_said(
    column: pd.Series, tmp_path: Path
) -> None:
    shown, found = exported(column, tmp_path)
    said = []
    shown.events.message_sent.connect(said.append)
    shown.to_parquet(tmp_path / "again.parquet")
    assert said[-1].endswith("again.parquet. Written as text: it")
    shown.save(tmp_path / "session")
    assert said[-1].endswith(". Stored as text: it")
    assert shown.to_anndata().uns["embedscope"]["as_text"].tolist() == ["it"]
    wanted = [None if gap else str(value) for value, gap in zip(column, column.isna(), strict=True)]
    for kind, read in found.items():
        values = [None if gap else str(v) for v, gap in zip(read, read.isna(), strict=True)]
        assert values == wanted, kind
        if kind != "csv":  # has no types
            assert not pd.api.types.is_numeric_dtype(read.dtype) or read.dtype == "category"


@pytest.mark.parametrize(("column", "kind"), KEPT.values(), ids=KEPT)
def test_known_types_keep_their_values(column: pd.Series, kind: str, tmp_path: Path) -> None:
    shown, found = exported(column, tmp_path)
    assert not len(shown.to_anndata().uns["embedscope"]["as_text"])
    assert found["session"].dtype == kind
    for read in found.values():
        assert read.isna().tolist() == column.isna().tolist()
        assert read.dropna().tolist() == column.dropna().astype(object).tolist()


def test_categories_of_numbers_are_not_learned_from_again(tmp_path: Path) -> None:
    _, found = exported(TURNED["numbers as categories"], tmp_path)
    assert found["parquet"].dtype == "category"
    assert found["parquet"].cat.categories.tolist() == ["1", "2", "3"]
    samples = samples_from_table(pd.read_parquet(tmp_path / "map.parquet"))
    assert samples.feature_names == ("size",)


# -- maps of other programs -----------------------------------------------------------------------


def test_the_map_of_an_anndata_is_shown_and_gated_without_training() -> None:
    rng = np.random.default_rng(0)
    clusters = pd.DataFrame({"leiden": list("ab") * 10}, index=[f"cell {k}" for k in range(20)])
    made = anndata.AnnData(rng.random((20, 4), np.float32), obs=clusters)
    made.obsm["X_umap"] = rng.normal(size=(20, 2))
    made.X[3] = np.nan  # this row is left out, and its position too
    shown = Explorer(made)
    assert len(shown.samples) == 19
    np.testing.assert_allclose(
        shown.embedding.positions, np.delete(made.obsm["X_umap"], 3, 0), rtol=1e-6
    )
    shown.add_gate(SQUARE, name="corner")
    assert shown.gates.memberships(shown.embedding.positions)["corner"].sum() > 0
    assert shown.samples.features["leiden"].tolist() == np.delete(made.obs["leiden"], 3).tolist()


def test_a_table_beside_the_gates_of_another_export_is_refused(tmp_path: Path) -> None:
    """As after a kill between the two files."""
    shown = explorer()
    shown.to_csv(tmp_path / "map.csv")
    shown.add_gate(SQUARE, name="new")
    write_csv(tmp_path / "map.csv", shown.to_frame())
    with pytest.raises(InvalidInputError, match=r"no outline for its gates \['new'\]"):
        read_csv(tmp_path / "map.csv")
    (tmp_path / "map.gates.json").unlink()
    assert gates_of(read_csv(tmp_path / "map.csv"))["new"].any()


def test_two_columns_of_a_table_are_shown_as_the_map() -> None:
    frame = pd.DataFrame(np.random.default_rng(0).random((9, 4)), columns=["a", "b", "x", "y"])
    shown = Explorer(samples_from_table(frame, columns=["a", "b"]))
    shown.place(frame[["x", "y"]])
    np.testing.assert_allclose(shown.embedding.positions, frame[["x", "y"]], rtol=1e-6)


def test_a_csv_file_of_another_map_does_not_keep_the_gates_of_an_older_one(tmp_path: Path) -> None:
    assert len(Explorer(through_csv(explorer(), tmp_path)).gates) == 2
    plain = Explorer(pd.DataFrame({"area": [1.0, 2, 4]}))
    assert len(Explorer(through_csv(plain, tmp_path)).gates) == 0
    (tmp_path / "map.gates.json").write_text("{}")
    with pytest.raises(InvalidInputError, match="delete this file to read it without gates"):
        read_csv(tmp_path / "map.csv")
    (tmp_path / "map.gates.json").unlink()
    assert read_csv(tmp_path / "map.csv")["area"].tolist() == [1, 2, 4]
    with pytest.raises(InvalidInputError, match="path must be a CSV file that exists"):
        read_csv(tmp_path / "none.csv")
