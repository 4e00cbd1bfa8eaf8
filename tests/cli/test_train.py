"""`embedscope train`: files of all kinds become sessions, and bad input leaves nothing behind."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import anndata
import numpy as np
import pandas as pd
import pytest
import tifffile
from cli_data import QUICK, field

from embedscope import Explorer
from embedscope.cli import _training, main


def test_a_session_of_a_table_knows_its_rows(table_session, table):
    explorer = Explorer.open(table_session)
    assert explorer.samples.identities.label.tolist() == table["label"].tolist()
    assert list(explorer.samples.recipe.columns) == ["area", "length", "mean", "texture"]
    assert explorer.model.parameters.n_neighbors == 5
    assert np.isfinite(explorer.embedding.positions).all()


def test_a_session_of_an_image_finds_its_files_again(image_session):
    explorer = Explorer.open(image_session)
    assert not explorer.samples.absent
    assert explorer.samples.sample_shape == (16, 16, 2)
    assert explorer.samples.identities.label.tolist() == [7 * number + 3 for number in range(60)]


@pytest.mark.parametrize("kind", ["npy", "zarr", "parquet", "h5ad", "tsv"])
def test_the_same_numbers_in_files_of_all_kinds(tmp_path, table, kind, capsys):
    path, values = tmp_path / f"data.{kind}", table.drop(columns="label")
    if kind == "npy":
        np.save(path, values.to_numpy())
    elif kind == "zarr":
        import zarr

        zarr.save_array(str(path), values.to_numpy())
    elif kind == "parquet":
        table.to_parquet(path)
    elif kind == "tsv":
        table.to_csv(path, sep="\t", index=False)
    else:
        obs = pd.DataFrame({"batch": ["a", "b"] * 40}, index=[f"cell {i}" for i in range(80)])
        anndata.AnnData(values.set_axis(obs.index), obs).write_h5ad(path)
    assert main(["train", str(path), "--out", str(tmp_path / "map"), *QUICK]) == 0
    told = capsys.readouterr().err
    assert "80 samples, features of 4" in told
    samples = Explorer.open(tmp_path / "map").samples
    assert samples.sample_shape == (4,)
    if kind == "h5ad":
        assert samples.features["batch"].tolist() == ["a", "b"] * 40


def test_large_cells_and_rgb_are_said(tmp_path, capsys):
    image, labels = field()
    large = np.kron(labels, np.ones((8, 8), np.uint16))
    pixels = np.kron(image[..., :1] * [90, 20, 60], np.ones((8, 8, 1))).astype(np.uint8)
    np.save(tmp_path / "cells.npy", pixels)
    np.save(tmp_path / "masks.npy", large)
    pair = [str(tmp_path / "cells.npy"), str(tmp_path / "masks.npy")]
    session = str(tmp_path / "map")
    assert main(["train", *pair, "--out", session, "--rgb", "--drawn-px", "24", *QUICK]) == 0
    said = "rops of 105 px, drawn at 24 px"
    assert f"C{said}" in capsys.readouterr().err
    samples = Explorer.open(session).samples
    assert samples.recipe.rgb
    assert samples.sample_shape == (24, 24, 3)
    assert main(["report", session]) == 0
    assert f"c{said}" in capsys.readouterr().out
    out = str(tmp_path / "out.csv")
    assert main(["transform", session, *pair, "--out", out]) == 0
    assert len(pd.read_csv(out)) == 60


def test_a_size_in_micrometres_holds_for_images_of_any_pixel_size(tmp_path, capsys):
    image, labels = field()
    for name, factor in (("10x", 1), ("20x", 2)):
        np.save(tmp_path / f"{name}.npy", np.kron(image, np.ones((factor, factor, 1))))
        np.save(tmp_path / f"{name}_masks.npy", np.kron(labels, np.ones((factor,) * 2, np.uint16)))
    session, out = str(tmp_path / "map"), tmp_path / "out.csv"
    pair = [str(tmp_path / "10x.npy"), str(tmp_path / "10x_masks.npy")]
    size = ["--size-um", "8", "--pixel-size", "0.5"]
    assert main(["train", *pair, "--out", session, *size, *QUICK]) == 0
    finer = [str(tmp_path / "20x.npy"), str(tmp_path / "20x_masks.npy")]
    command = ["transform", session, *finer, "--pixel-size", "0.25", "--out", str(out)]
    assert main(command) == 0
    explorer = Explorer.open(session)
    # The same scene: each cell lies where it was trained.
    found = pd.read_csv(out).set_index("label")[["umap_1", "umap_2"]]
    known, _ = explorer.embed(explorer.samples)
    labels = explorer.samples.identities.label
    np.testing.assert_allclose(found.loc[labels], known, atol=1e-3)
    assert "8 µm" in explorer.samples.recipe.crops_told
    capsys.readouterr()


def test_a_manifest_makes_one_map_of_many_images(tmp_path, capsys):
    for name, seed in (("one", 0), ("two", 1)):
        image, labels = field(seed)
        tifffile.imwrite(tmp_path / f"{name}.tif", np.moveaxis(image, -1, 0))
        tifffile.imwrite(tmp_path / f"{name}_masks.tif", labels)
    rows = [
        ("one.tif", "one_masks.tif", "A1"),
        ("gone.tif", "one_masks.tif", "A2"),
        ("two.tif", "two_masks.tif", "A3"),
    ]
    pd.DataFrame(rows, columns=["image", "labels", "well"]).to_csv(tmp_path / "m.csv", index=False)
    command = ["train", str(tmp_path / "m.csv"), "--out", str(tmp_path / "map"), *QUICK]
    assert main([*command, "--size", "16", "--axes", "yx"]) == 3
    told = capsys.readouterr().err
    assert "gone: image must be a file that exists" in told
    samples = Explorer.open(tmp_path / "map").samples
    assert list(samples.sources) == ["one", "two"]
    assert samples.sample_shape == (16, 16, 2)
    assert samples.column("well").tolist() == ["A1"] * 60 + ["A3"] * 60


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["absent.csv"], "data must be a file that exists"),
        (["table.csv", "--set", "neighbours=3"], "--set must be name=value with a name of"),
        (["table.csv", "--set", "n_neighbors=1"], "n_neighbors"),
        (["table.doc"], "or an image and its labels; got 'table.doc' alone"),
        (["cells.tif"], "or an image and its labels; got 'cells.tif' alone"),
        (["cells.tif", "cells.tif"], "labels"),
        (["table.csv", "table.csv", "table.csv"], "got 3 files"),
        (["broken.parquet"], "data must be one of .csv, .tsv, .parquet, .h5ad that can be read"),
        (["empty.csv"], "empty.csv"),
    ],
    ids=lambda value: value if isinstance(value, str) else value[0],
)
def test_bad_input_is_named_and_leaves_nothing(
    tmp_path, monkeypatch, table, capsys, arguments, words
):
    monkeypatch.chdir(tmp_path)
    table.to_csv("table.csv", index=False)
    table.to_csv("table.doc", index=False)
    Path("broken.parquet").write_bytes(b"not parquet")
    Path("empty.csv").write_text("")
    tifffile.imwrite("cells.tif", field()[0])
    assert main(["train", *arguments, "--out", "map"]) == 2
    assert words in capsys.readouterr().err
    assert not Path("map").exists()


def test_a_session_that_is_there_is_not_replaced_unless_asked(table_session, capsys):
    before = (table_session / "session.json").read_bytes()
    table = table_session.parent / "table.csv"
    assert main(["train", str(table), "--out", str(table_session)]) == 2
    assert "out must not exist" in capsys.readouterr().err
    assert (table_session / "session.json").read_bytes() == before


class Interrupted(Explorer):
    """An explorer whose user presses Ctrl-C: at the first loss that is reported, or at once."""

    at_once = False

    def train(self) -> None:
        pressed: list[object] = []

        def press(*_: object) -> None:
            if not pressed:
                pressed.append(True)
                os.kill(os.getpid(), signal.SIGINT)

        told = self.events.status_changed if self.at_once else self.events.losses_changed
        told.connect(lambda value: press() if self.at_once or value else None)
        super().train()


@pytest.mark.parametrize("at_once", [False, True])
def test_ctrl_c_keeps_the_best_map_so_far(tmp_path, table, monkeypatch, capsys, at_once):
    monkeypatch.setattr(_training, "Explorer", Interrupted)
    monkeypatch.setattr(Interrupted, "at_once", at_once)
    monkeypatch.chdir(tmp_path)
    table.to_csv("table.csv", index=False)
    slow = ["--set", "n_training_epochs=50", "--set", "reconstruction=false"]
    assert main(["train", "table.csv", "--out", "map", *slow]) == 130
    if at_once:
        assert "Stopped before anything was learned" in capsys.readouterr().err
        assert not Path("map").exists()
    else:
        assert np.isfinite(Explorer.open("map").embedding.positions).all()


def test_what_counts_as_alike_may_have_a_blank():
    assert _training.parse_parameters(["alike=any orientation"]).alike == "any orientation"


def test_rows_of_a_table_have_no_orientation(tmp_path, table, capsys):
    path = tmp_path / "data.csv"
    table.to_csv(path, index=False)
    arguments = ["train", str(path), "--out", str(tmp_path / "map"), "--alike", "any orientation"]
    assert main(arguments) != 0
    assert "alike must be 'pixels'" in capsys.readouterr().err
