"""`embedscope train --learn-from`: columns make the map of crops; new files are measured."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tifffile
from cli_data import QUICK, field

from embedscope import Explorer
from embedscope.cli import main

WELLS = ["A1", "A2"]


@pytest.fixture(scope="module")
def plate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A manifest of two images, and a table of the objects of each."""
    home = tmp_path_factory.mktemp("plate")
    image, labels = field()
    ids = np.unique(labels)[1:]
    for seed, well in enumerate(WELLS):
        tifffile.imwrite(
            home / f"{well}.tif", image, planarconfig="contig", photometric="minisblack"
        )
        tifffile.imwrite(home / f"{well}_masks.tif", labels)
        values = np.random.default_rng(seed).normal(size=(len(ids), 2)) + 9 * (ids % 2)[:, None]
        table = pd.DataFrame(values, columns=["CD3", "CD8"]).assign(CellID=ids)
        table.to_csv(home / f"{well}.csv", index=False)
    rows = [(f"{well}.tif", f"{well}_masks.tif", f"{well}.csv") for well in WELLS]
    sheet = pd.DataFrame(rows, columns=["image", "labels", "table"])
    sheet.to_csv(home / "plate.csv", index=False)
    columns = [part for name in ("CD3", "CD8", "area") for part in ("--learn-from", name)]
    out = ["--out", str(home / "map"), "--size", "16"]
    assert main(["train", str(home / "plate.csv"), *out, *columns, *QUICK]) == 0
    return home


def test_columns_make_the_map_of_crops(plate: Path, capsys: pytest.CaptureFixture[str]) -> None:
    samples = Explorer.open(plate / "map").samples
    assert samples is not None
    assert samples.sample_shape == (16, 16, 2)
    assert samples.learned is not None
    assert samples.learned.names == ("CD3", "CD8", "area")
    assert main(["report", str(plate / "map"), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["samples"]["learned_from"] == "CD3, CD8, area"
    assert told["map"]["trustworthiness_of_those_trained_on"] > 0.8


def test_the_files_of_a_manifest_are_placed_by_their_tables(plate: Path) -> None:
    out = plate / "places.csv"
    arguments = [str(plate / "map"), str(plate / "plate.csv"), "--out", str(out)]
    assert main(["transform", *arguments]) == 0
    placed = pd.read_csv(out)
    trained = Explorer.open(plate / "map").embedding.positions
    assert placed["source"].tolist() == [well for well in WELLS for _ in range(len(placed) // 2)]
    np.testing.assert_allclose(placed[["umap_1", "umap_2"]], trained, atol=1e-3)


def test_an_image_without_the_columns_is_refused(
    plate: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pair = [str(plate / "A1.tif"), str(plate / "A1_masks.tif")]
    out = str(plate / "none.csv")
    assert main(["transform", str(plate / "map"), *pair, "--out", out]) == 2
    assert "none of the name 'CD3', 'CD8'" in capsys.readouterr().err


def test_an_unknown_column_is_refused(plate: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = [str(plate / "plate.csv"), "--out", str(plate / "x"), "--learn-from", "CD33"]
    assert main(["train", *arguments]) == 2
    assert "Did you mean 'CD3'" in capsys.readouterr().err
