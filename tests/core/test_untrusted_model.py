"""Crafted entries in a model's header, with matching checksums, are refused."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from embedscope import ParametricUMAP, load_ParametricUMAP
from embedscope._errors import InvalidModelError
from embedscope.core.storage._model_layout import MODEL
from embedscope.core.storage._stored_directory import describe_file
from embedscope.core.storage._stored_header import ARRAYS, describe_array, seal, unseal

ADAM = keras.optimizers.serialize(keras.optimizers.Adam())
# Harmless classes of Python itself, which must be refused like any other class.
FOREIGN = [
    {"module": "fractions", "class_name": "Fraction", "config": {}, "registered_name": None},
    {"module": "builtins", "class_name": "function", "config": "len", "registered_name": "x"},
    {"class_name": "__lambda__", "config": {"value": ""}},
    {"module": "keras.utils", "class_name": "get_file", "config": {}},
]


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("saved") / "model"
    X = np.random.default_rng(0).random((40, 6), dtype=np.float32)
    ParametricUMAP(n_neighbors=5, n_epochs=20, random_state=0, optimizer="adam").fit(X).save(path)
    return path


@pytest.fixture
def path(saved: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(saved, tmp_path / "model"))


def change_header(path: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    file = path / MODEL.header
    header = unseal(file.read_bytes(), MODEL)
    change(header)
    file.write_bytes(seal(header, MODEL))


def with_optimizer(path: Path, description: Any) -> None:
    change_header(path, lambda header: header["parameters"].update(optimizer=description))


@pytest.mark.parametrize("foreign", FOREIGN, ids=lambda entry: entry["class_name"])
@pytest.mark.parametrize("where", ["itself", "bare", "schedule", "inner", "other parameter"])
def test_optimizer_is_screened(foreign: dict[str, Any], where: str, path: Path) -> None:
    described: dict[str, Any] = json.loads(json.dumps(ADAM))
    if where in ("itself", "bare"):
        described = foreign
    elif where == "schedule":
        described["config"]["learning_rate"] = foreign
    elif where == "inner":
        described = {**ADAM, "class_name": "LossScaleOptimizer", "config": {"inner": foreign}}
    if where == "other parameter":
        change_header(
            path, lambda header: header["parameters"].update(keras_fit_kwargs={"x": foreign})
        )
    else:
        with_optimizer(path, described if where == "bare" else {"keras": described})
    with pytest.raises(InvalidModelError, match=r"model\.json must describe trusted objects"):
        load_ParametricUMAP(path)


def test_optimizer_of_keras_loads(path: Path) -> None:
    with_optimizer(path, {"keras": ADAM})
    assert isinstance(load_ParametricUMAP(path).optimizer, keras.optimizers.Adam)


def test_optimizer_given_as_a_description(saved: Path, tmp_path: Path) -> None:
    estimator = load_ParametricUMAP(saved).set_params(optimizer=ADAM)
    estimator.save(tmp_path / "again")
    assert isinstance(load_ParametricUMAP(tmp_path / "again").optimizer, keras.optimizers.Adam)


def test_optimizer_that_is_not_registered_is_not_saved(saved: Path, tmp_path: Path) -> None:
    """The map is more important than the settings of its training."""

    class Mine(keras.optimizers.SGD):
        pass

    estimator = load_ParametricUMAP(saved).set_params(optimizer=Mine())
    estimator.save(tmp_path / "again")
    with pytest.warns(UserWarning, match="optimizer could not be saved"):
        loaded = load_ParametricUMAP(tmp_path / "again")
    assert loaded.optimizer is None


def change_arrays(path: Path, **changed: Any) -> None:
    """Replace arrays, with a header that describes them correctly."""
    with np.load(path / ARRAYS) as archive:
        arrays = dict(archive) | {name: np.asarray(value) for name, value in changed.items()}
    with zipfile.ZipFile(path / ARRAYS, "w") as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w") as member:
                np.lib.format.write_array(member, array, allow_pickle=False)

    def describe(header: dict[str, Any]) -> None:
        header["arrays"] = {name: describe_array(array) for name, array in arrays.items()}
        with (path / ARRAYS).open("rb") as file:
            header["files"][ARRAYS] = describe_file(file)

    change_header(path, describe)


@pytest.mark.parametrize(
    "changed",
    [
        {"embedding": np.zeros((3, 2), np.float32)},
        {"embedding": np.zeros((40, 3), np.float32)},
        {"embedding": np.zeros(40, np.float32)},
        {"embedding": np.full((40, 2), "a")},
        {"graph_indices": [10**6]},
        {"graph_indptr": [0, 5]},
        {"graph_indptr": [0]},
        {"validation_rows": [99]},
        {"validation_rows": [0.5]},
        {"anchors_positions": np.zeros((40, 3), np.float32)},
        {"anchors_positions": np.zeros((3, 2), np.float32)},
        {"anchors_rows": np.zeros((40, 5), np.float32)},
        {"feature_names": ["a", "b"]},
    ],
    ids=lambda changed: " ".join(f"{key} {np.shape(value)}" for key, value in changed.items()),
)
def test_arrays_that_do_not_fit(changed: dict[str, Any], path: Path) -> None:
    change_arrays(path, **changed)
    with pytest.raises(InvalidModelError, match=r"do not fit together|must be"):
        load_ParametricUMAP(path)


@pytest.mark.parametrize(
    ("section", "changed"),
    [
        ("state", {"n_features_in": 10**400}),
        ("state", {"n_features_in": -6}),
        ("state", {"sample_shape": [10**9, 10**9]}),
        ("state", {"given_shape": []}),
        ("state", {"given_shape": 7}),
        ("state", {"objective": {"a": 10**400, "b": 1}}),
        ("state", {"history": {"loss": ["x"]}}),
        ("state", {"landmarks": ["anchors", "landmarks"]}),
        ("state", {"reconstruction": {"kind": "x"}}),
        ("parameters", {"unheard_of": 1}),
    ],
    ids=str,
)
def test_absurd_headers(section: str, changed: dict[str, Any], path: Path) -> None:
    change_header(path, lambda header: header[section].update(changed))
    with pytest.raises(InvalidModelError, match="do not fit together"):
        load_ParametricUMAP(path)


@pytest.mark.parametrize("digits", [4000, 5000])
def test_numbers_of_thousands_of_digits(digits: int, path: Path) -> None:
    text = (path / MODEL.header).read_text()
    (path / MODEL.header).write_text(text.replace('"format": 2', f'"format": {"9" * digits}'))
    with pytest.raises(InvalidModelError):
        load_ParametricUMAP(path)
