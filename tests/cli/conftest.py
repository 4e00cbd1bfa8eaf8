"""Sessions that the command line trained, once for all tests."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tifffile
from cli_data import QUICK, field

from embedscope.cli import main


@pytest.fixture(scope="session")
def table() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    values = rng.normal(size=(80, 4)) + 4 * (np.arange(80) % 2)[:, np.newaxis]
    frame = pd.DataFrame(values, columns=["area", "length", "mean", "texture"])
    frame.insert(0, "label", rng.permutation(np.arange(1, 161, 2)))
    return frame


@pytest.fixture(scope="session")
def table_session(tmp_path_factory: pytest.TempPathFactory, table: pd.DataFrame) -> Path:
    home = tmp_path_factory.mktemp("table")
    table.to_csv(home / "table.csv", index=False)
    assert main(["train", str(home / "table.csv"), "--out", str(home / "map"), *QUICK]) == 0
    return home / "map"


@pytest.fixture(scope="session")
def image_session(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("image")
    image, labels = field()
    tifffile.imwrite(home / "cells.tif", image, planarconfig="contig", photometric="minisblack")
    tifffile.imwrite(home / "masks.tif", labels)
    pair = [str(home / "cells.tif"), str(home / "masks.tif")]
    assert main(["train", *pair, "--out", str(home / "map"), "--size", "16", *QUICK]) == 0
    return home / "map"
