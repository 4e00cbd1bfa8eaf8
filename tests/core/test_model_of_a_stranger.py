"""What somebody else may write into a model's header, with every checksum made to agree."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from embedscope import ParametricUMAP, load_ParametricUMAP
from embedscope._errors import InvalidModelError
from embedscope.core._model_layout import MODEL
from embedscope.core._stored_header import seal, unseal

ADAM = keras.optimizers.serialize(keras.optimizers.Adam())
# Harmless classes of Python's own, which a guard must refuse as it would any other.
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


def test_optimizer_that_is_not_registered_stays_behind(saved: Path, tmp_path: Path) -> None:
    """The map is worth more than the settings it was trained with."""

    class Mine(keras.optimizers.SGD):
        pass

    estimator = load_ParametricUMAP(saved).set_params(optimizer=Mine())
    estimator.save(tmp_path / "again")
    with pytest.warns(UserWarning, match="optimizer could not be saved"):
        loaded = load_ParametricUMAP(tmp_path / "again")
    assert loaded.optimizer is None
