"""If saving fails, the error is one of this package with the right reason; nothing is lost."""

from __future__ import annotations

import errno
import resource
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sessions import estimator

from embedscope import Explorer, load_ParametricUMAP
from embedscope._errors import (
    EmbedscopeError,
    InvalidInputError,
    InvalidModelError,
    NotWrittenError,
)
from embedscope.core.storage._stored_path import errors_of_writing

Write = Callable[[Any], Any]


@pytest.fixture(scope="module")
def explorer() -> Explorer:
    rng = np.random.default_rng(0)
    explorer = Explorer(rng.random((60, 3)))
    explorer.place(rng.random((60, 2)))
    return explorer


def writers(explorer: Explorer) -> dict[str, Write]:
    """All that writes, by the ending that its files have."""
    return {
        "": explorer.save,
        ".model": estimator().save,
        ".csv": explorer.to_csv,
        ".json": explorer.to_json,
        ".parquet": explorer.to_parquet,
        ".png": explorer.save_map,
    }


ENDINGS = ["", ".model", ".csv", ".json", ".parquet", ".png"]


@pytest.mark.parametrize("ending", ENDINGS)
def test_path_below_a_file(ending: str, explorer: Explorer, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(NotWrittenError, match="A part of it is a file: choose another folder"):
        writers(explorer)[ending](tmp_path / "file" / f"map{ending}")
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.parametrize("ending", ENDINGS)
def test_name_that_is_too_long(ending: str, explorer: Explorer, tmp_path: Path) -> None:
    with pytest.raises(NotWrittenError, match="Choose a shorter name"):
        writers(explorer)[ending](tmp_path / f"{'x' * 300}{ending}")
    longest = tmp_path / f"{'x' * (255 - len(ending))}{ending}"
    writers(explorer)[ending](longest)
    assert [entry.name for entry in tmp_path.iterdir()] == [longest.name]


@pytest.mark.parametrize("ending", [".csv", ".json", ".parquet", ".png"])
def test_folder_for_a_file(ending: str, explorer: Explorer, tmp_path: Path) -> None:
    folder = tmp_path / f"map{ending}"
    folder.mkdir()
    with pytest.raises(InvalidInputError, match=r"must be a file; got the directory .* Add a name"):
        writers(explorer)[ending](folder)
    assert list(tmp_path.iterdir()) == [folder]


@pytest.mark.parametrize("ending", ["", ".model"])
def test_file_for_a_folder(ending: str, explorer: Explorer, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("mine")
    with pytest.raises(InvalidInputError, match="must be a directory; got the file"):
        writers(explorer)[ending](file)
    for load in (Explorer.open, load_ParametricUMAP):
        with pytest.raises(InvalidModelError, match="must be a directory that save wrote"):
            load(file)
    assert file.read_text() == "mine"


@pytest.mark.parametrize("ending", ENDINGS)
def test_full_disk(ending: str, explorer: Explorer, tmp_path: Path) -> None:
    path = tmp_path / f"map{ending}"
    usual = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, usual[1]))  # no file may grow beyond
    try:
        with pytest.raises(NotWrittenError, match="Choose a disk that takes larger files"):
            writers(explorer)[ending](path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, usual)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("path", [None, 5, "", "a\0b", b"a"], ids=repr)
def test_what_is_no_path(path: Any, ending: str, explorer: Explorer) -> None:
    with pytest.raises(InvalidInputError, match="path must be"):
        writers(explorer)[ending](path)


@pytest.mark.parametrize("path", [None, 5, "", "a\0b", b"a"], ids=repr)
@pytest.mark.parametrize("load", [Explorer.open, load_ParametricUMAP])
def test_what_is_no_path_to_load(path: Any, load: Callable[[Any], Any]) -> None:
    with pytest.raises(EmbedscopeError, match="path must be"):
        load(path)


@pytest.mark.parametrize(
    ("number", "remedy"),
    [
        (errno.ENOSPC, "Make room on that disk, or choose another"),
        (errno.EACCES, "Choose a folder that you may write to"),
        (errno.EROFS, "Choose a folder that you may write to"),
        (errno.EIO, "Choose another place"),
    ],
)
def test_remedies(number: int, remedy: str) -> None:
    with pytest.raises(OSError, match=f"{remedy}; what was there before is unchanged") as caught:
        fail(number)
    assert isinstance(caught.value, NotWrittenError)
    assert isinstance(caught.value.__cause__, OSError)


def fail(number: int) -> None:
    with errors_of_writing(Path("map")):
        raise OSError(number, "no")


FORMULAS = ["=1+1", "+1", "-1", "@x", "\t=1", "\r=1"]


def test_text_that_a_spreadsheet_would_run(tmp_path: Path) -> None:
    values = pd.DataFrame(np.arange(12.0).reshape(6, 2) - 5, columns=["=a", "b"])
    explorer = Explorer(values.assign(kind=pd.Categorical(FORMULAS), text=FORMULAS))
    explorer.to_csv(tmp_path / "as they are.csv")
    plain = pd.read_csv(tmp_path / "as they are.csv")
    assert {"=a", "b", "kind"} <= set(plain.columns)
    explorer.to_csv(tmp_path / "safe.csv", spreadsheet_safe=True)
    safe = pd.read_csv(tmp_path / "safe.csv")
    assert {"'=a", "b", "kind"} <= set(safe.columns)
    assert safe["kind"].tolist() == [f"'{text}" for text in FORMULAS]
    assert safe["text"].tolist() == [f"'{text}" for text in FORMULAS]
    assert safe["b"].tolist() == values["b"].tolist()  # numbers are no formulas
    assert safe["source"].tolist() == plain["source"].tolist()
