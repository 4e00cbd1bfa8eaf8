"""The map as a table, and the same gates from every kind of file."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sessions import NAMES

from embedscope._errors import InvalidInputError, MissingDependencyError
from embedscope.explorer import gates_of
from embedscope.explorer.export._annotated import (
    safe_names,
    to_anndata,
    to_spatialdata_table,
)
from embedscope.explorer.export._annotated_files import element_names
from embedscope.explorer.export._exports import write_csv, write_json, write_parquet
from embedscope.explorer.export._frames import to_frame
from embedscope.explorer.marks._gates import check_gate_name
from embedscope.samples import Identities, samples_from_labels
from embedscope.training import TrainingParameters

N = 40
FEATURES = pd.DataFrame(
    {
        "area": np.arange(N) * 1.5,
        "mean CD4/CD8": np.linspace(-1, 1, N, dtype=np.float32),
        "label": np.arange(N) % 3,
        "gate:old": np.arange(N),
        "feature:label": np.arange(N) * 2,
        "kind": pd.Categorical(["round", "long", "round", None] * 10),
    }
)


def is_gate_name(name: str) -> bool:
    try:
        check_gate_name(name)
    except InvalidInputError:
        return False
    return True


gate_names = st.text(max_size=12).filter(is_gate_name)


def identities(n_frames: int = 1) -> Identities:
    labels = np.arange(N) // n_frames + 2**31
    return Identities(("day 1", "day 2"), np.arange(N) * 2 // N, np.arange(N) % n_frames, labels)


def masks(names: Any = NAMES, seed: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {name: rng.random(N) < 0.4 for name in names}


def table(
    names: Any = NAMES, features: pd.DataFrame | None = FEATURES, n_frames: int = 1
) -> pd.DataFrame:
    positions = np.random.default_rng(1).normal(size=(N, 2)).astype(np.float32)
    positions[3] = np.nan
    scores = {"novelty": np.where(np.arange(N) < 20, np.nan, 0.5).astype(np.float32)}
    return to_frame(identities(n_frames), positions, features, masks(names), scores)


def require_gates(found: dict[str, np.ndarray], names: Any = NAMES) -> None:
    expected = masks(names)
    assert list(found) == list(expected)
    for name, mask in expected.items():
        assert found[name].dtype == bool
        np.testing.assert_array_equal(found[name], mask)


def test_columns() -> None:
    frame = table()
    assert list(frame.columns) == [
        "source",
        "frame",
        "label",
        "umap_1",
        "umap_2",
        "area",
        "mean CD4/CD8",
        "feature:label",
        "feature:gate:old",
        "feature:feature:label",
        "kind",
        *(f"gate:{name}" for name in NAMES),
        "score:novelty",
    ]
    assert frame["label"][5] == 2**31 + 5
    assert frame["feature:label"][5] == 2
    assert frame["feature:feature:label"][5] == 10
    assert frame["source"][N - 1] == "day 2"
    require_gates(gates_of(frame))


def test_rows_go_by_their_order_and_not_by_the_index_of_features() -> None:
    shuffled = FEATURES.set_axis(np.arange(N)[::-1], axis=0)
    pd.testing.assert_frame_equal(table(features=shuffled), table())


@pytest.mark.parametrize(
    ("part", "value", "message"),
    [
        ("positions", np.zeros((3, 2)), "every part must have 40 rows"),
        ("positions", np.zeros((N, 3)), r"positions must have shape \(n_samples, 2\)"),
        ("features", FEATURES[:7], "'features': 7"),
        ("memberships", {"a": np.ones(2, bool)}, "gate 'a'"),
        ("scores", {"s": np.ones(2)}, "score 's'"),
        ("features", pd.DataFrame(np.zeros((N, 2)), columns=["a", "a"]), r"\['a'\] more than once"),
    ],
)
def test_parts_that_do_not_fit(part: str, value: Any, message: str) -> None:
    parts: dict[str, Any] = {"positions": np.zeros((N, 2)), part: value}
    with pytest.raises(InvalidInputError, match=message):
        to_frame(identities(), **parts)


# Files


def test_csv(tmp_path: Path) -> None:
    found = pd.read_csv(write_csv(tmp_path / "new" / "map.csv", table()))
    require_gates(gates_of(found))
    expected = table()
    pd.testing.assert_frame_equal(found, expected, check_dtype=False, check_categorical=False)
    np.testing.assert_array_equal(found["umap_1"].astype(np.float32), expected["umap_1"])


def test_parquet(tmp_path: Path) -> None:
    found = pd.read_parquet(write_parquet(tmp_path / "map.parquet", table()))
    require_gates(gates_of(found))
    pd.testing.assert_frame_equal(found, table())


@given(st.lists(gate_names, unique=True, max_size=4))
def test_any_gate_name_survives_csv(names: list[str]) -> None:
    text = table(names).to_csv(index=False)
    require_gates(gates_of(pd.read_csv(io.StringIO(text))), names)


def test_parameters(tmp_path: Path) -> None:
    parameters = TrainingParameters(n_neighbors=7, target='größe "x"')
    file = write_json(tmp_path / "parameters.json", parameters.to_dict())
    assert TrainingParameters.from_dict(json.loads(file.read_text("utf-8"))) == parameters


@pytest.mark.parametrize("value", [float("nan"), object()])
def test_no_partial_file(value: object, tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"a": 1})
    with pytest.raises(InvalidInputError, match="values must be JSON"):
        write_json(tmp_path / "a.json", {"a": value})
    assert json.loads((tmp_path / "a.json").read_text()) == {"a": 1}
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.json"]


# AnnData and SpatialData

REGIONS = {"day 1": "nuclei_1", "day 2": "nuclei_2"}


def test_anndata() -> None:
    parameters = TrainingParameters().to_dict()
    found = to_anndata(table(), parameters)
    assert found.var_names.tolist() == [
        "area",
        "mean CD4/CD8",
        "feature:label",
        "feature:gate:old",
        "feature:feature:label",
    ]
    np.testing.assert_array_equal(found.X[:, 0], FEATURES["area"])
    assert found.obsm["X_umap"].dtype == np.float32
    np.testing.assert_array_equal(found.obsm["X_umap"], table()[["umap_1", "umap_2"]])
    assert found.obs_names[N - 1] == f"day 2/0/{2**31 + N - 1}"
    assert {"source", "frame", "label", "kind", "score_novelty"} <= set(found.obs)
    assert found.obs["gate_T_cells_CD4"].tolist() == masks()["T cells, CD4+"].tolist()
    assert found.uns["embedscope"]["parameters"] == parameters
    require_gates(gates_of(found))


@pytest.mark.parametrize("features", [FEATURES, None])
def test_anndata_on_disk(features: pd.DataFrame | None, tmp_path: Path) -> None:
    import anndata

    made = to_anndata(table(features=features), TrainingParameters().to_dict())
    # Names of variables are values on disk, so they may be anything.
    made.write_h5ad(tmp_path / "map.h5ad")
    found = anndata.read_h5ad(tmp_path / "map.h5ad")
    require_gates(gates_of(found))
    np.testing.assert_array_equal(found.X, made.X)
    np.testing.assert_array_equal(found.obsm["X_umap"], made.obsm["X_umap"])
    stored = found.uns["embedscope"]["parameters"]
    parameters = {
        name: getattr(value, "tolist", lambda v=value: v)() for name, value in stored.items()
    }
    assert TrainingParameters.from_dict(parameters) == TrainingParameters()


def test_anndata_on_disk_holds_dates_and_mixtures(tmp_path: Path) -> None:
    import anndata

    features = pd.DataFrame(
        {
            "when": pd.date_range("2026-01-02", periods=N),
            "mixed": [{"a": 1}, None, *["x"] * (N - 2)],
        }
    )
    to_anndata(table(features=features)).write_h5ad(tmp_path / "map.h5ad")
    found = anndata.read_h5ad(tmp_path / "map.h5ad").obs
    assert found["when"].iloc[1].startswith("2026-01-03")
    assert found["mixed"].iloc[0] == "{'a': 1}"
    assert pd.isna(found["mixed"].iloc[1])


@given(st.lists(st.text(max_size=8)))
@example([".", "..", "a", "A"])
def test_safe_names_are_safe_and_different(names: list[str]) -> None:
    safe = safe_names(names)
    assert len(safe) == len(names)
    assert len({name.casefold() for name in safe}) == len(safe)
    for name in safe:
        assert name
        assert not name.startswith("__")
        assert all(c.isalnum() or c in "_-." for c in name)
        assert name not in (".", "..", "region", "instance_id", "_index")


def test_safe_names_stay_as_they_are_where_they_can() -> None:
    assert safe_names(["area", "A b", "a_b", "Region", "größe"]) == [
        "area",
        "A_b",
        "a_b_2",
        "Region_2",
        "größe",
    ]


# spatialdata's own dependencies warn while they are imported.
@pytest.mark.filterwarnings("ignore")
class TestSpatialData:
    def test_annotates_labels(self) -> None:
        import spatialdata
        from spatialdata.models import Labels2DModel

        element = np.zeros((64, 64), np.int64)
        element[:2, :20] = 2**31 + np.arange(N).reshape(2, 20)
        labels = {name: Labels2DModel.parse(element, dims=("y", "x")) for name in REGIONS.values()}
        parameters = TrainingParameters().to_dict()
        made = to_spatialdata_table(table(), REGIONS, parameters)
        sdata = spatialdata.SpatialData(labels=labels, tables={"map": made})
        found = sdata["map"]
        require_gates(gates_of(found))
        attributes = found.uns["spatialdata_attrs"]
        assert sorted(attributes["region"]) == ["nuclei_1", "nuclei_2"]
        assert found.obs[attributes["instance_key"]].tolist() == identities().label.tolist()
        assert found.obs[attributes["region_key"]].tolist() == ["nuclei_1"] * 20 + ["nuclei_2"] * 20
        _, matched = spatialdata.join_spatialelement_table(
            sdata=sdata, spatial_element_names="nuclei_2", table_name="map", how="left"
        )
        np.testing.assert_array_equal(matched.obs["label"], identities().label[20:])

    def test_on_disk(self, tmp_path: Path) -> None:
        """The way in the docs, whole: labels and table are written, read and matched."""
        import spatialdata
        from spatialdata.models import Image2DModel, Labels2DModel

        element = np.zeros((64, 64), np.int64)
        element[:2, :20] = identities().label.reshape(2, 20)
        labels = {name: Labels2DModel.parse(element, dims=("y", "x")) for name in REGIONS.values()}
        image = Image2DModel.parse(np.ones((1, 64, 64), np.uint8), dims=("c", "y", "x"))
        made = to_spatialdata_table(table(), REGIONS, TrainingParameters().to_dict())
        written = spatialdata.SpatialData(images={"stain": image}, labels=labels)
        written.tables["map"] = made
        written.write(tmp_path / "data.zarr")
        read = spatialdata.read_zarr(tmp_path / "data.zarr")
        found = read["map"]
        require_gates(gates_of(found))
        assert found.obs["region"].tolist() == made.obs["region"].tolist()
        assert found.obs["instance_id"].tolist() == made.obs["instance_id"].tolist()
        np.testing.assert_array_equal(read["nuclei_1"].values, element)
        matched = spatialdata.match_table_to_element(read, "nuclei_2", "map")
        assert matched.obs["instance_id"].tolist() == identities().label[20:].tolist()

    @pytest.mark.parametrize("name", ["cell__labels", "region", "instance_id", "a.b-c_1", "größe"])
    def test_names_that_spatialdata_allows(self, name: str, tmp_path: Path) -> None:
        import spatialdata
        from spatialdata.models import Labels2DModel

        element = np.zeros((8, 64), np.int64)
        element[0, :N] = identities().label
        regions = {"day 1": name, "day 2": name}
        made = to_spatialdata_table(table(), regions)
        labels = {name: Labels2DModel.parse(element, dims=("y", "x"))}
        spatialdata.SpatialData(labels=labels, tables={"map": made}).write(tmp_path / "a.zarr")
        read = spatialdata.read_zarr(tmp_path / "a.zarr")
        matched = spatialdata.match_table_to_element(read, name, "map")
        assert matched.obs["instance_id"].tolist() == identities().label.tolist()
        own = Identities((name,), np.zeros(2, int), np.zeros(2, int), np.arange(2))
        assert list(element_names(own).values()) == [name]

    @pytest.mark.parametrize("name", ["", "__cells", "a b", ".", "a/b"])
    def test_names_that_spatialdata_refuses(self, name: str) -> None:
        with pytest.raises(InvalidInputError, match="regions must be names of letters, digits"):
            to_spatialdata_table(table(), {"day 1": name, "day 2": "b"})

    def test_its_centroids_lie_in_their_objects_after_half_a_pixel(self) -> None:
        """The way in the docs: labels of one pixel are missed without it."""
        import spatialdata
        from spatialdata.models import Labels2DModel
        from spatialdata.transformations import Scale, get_transformation

        labels = np.zeros((12, 16), np.int64)
        labels[3, 7], labels[8:11, 2:5] = 4, 9
        scale = Scale([2.0, 2.0], axes=("y", "x"))
        element = Labels2DModel.parse(labels, dims=("y", "x"), transformations={"global": scale})
        matrix = get_transformation(element).to_affine_matrix(("y", "x"), ("y", "x"))
        half = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])
        made = samples_from_labels(labels, labels, 3, features=False, affine=matrix @ half)
        centroids = spatialdata.get_centroids(element).compute()
        world = centroids[["y", "x"]].to_numpy()  # in "global"
        source = made.sources["image"]
        assert [source.label_at(place).label for place in world] == centroids.index.tolist()
        np.testing.assert_allclose(source.to_world(made.centroids), world)

    def test_name_of_a_source_that_is_no_name_of_an_element(self) -> None:
        with pytest.raises(InvalidInputError, match=r"regions must be names .*; got 'day 1'"):
            to_spatialdata_table(table())

    def test_frames_need_regions_of_their_own(self) -> None:
        with pytest.raises(
            InvalidInputError, match=r"regions must differ for samples of the same label"
        ):
            to_spatialdata_table(table(n_frames=2), REGIONS)
        regions = {
            (source, frame): f"{name}_{frame}"
            for source, name in REGIONS.items()
            for frame in range(2)
        }
        made = to_spatialdata_table(table(n_frames=2), regions)
        assert set(made.obs["region"]) == set(regions.values())
        require_gates(gates_of(made))


@pytest.mark.parametrize(
    ("package", "extra", "export"),
    [
        ("pyarrow", "export", lambda path: write_parquet(path, table())),
        ("anndata", "export", lambda path: to_anndata(table())),
        ("spatialdata", "spatialdata", lambda path: to_spatialdata_table(table())),
    ],
)
def test_missing_package_is_named(
    package: str,
    extra: str,
    export: Callable[[Path], Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, package, None)  # what Python itself does for a ban
    with pytest.raises(MissingDependencyError, match=rf"find {package}.*embedscope\[{extra}\]"):
        export(tmp_path / "file")
    assert not list(tmp_path.iterdir())
