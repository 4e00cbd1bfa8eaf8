"""`embedscope transform`: the right row at the right place, in parts, whatever happens."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest
import tifffile
import zarr
from cli_data import QUICK, field

from embedscope import Explorer, load_ParametricUMAP
from embedscope._errors import InvalidInputError
from embedscope.cli import _parts, main
from embedscope.cli._inputs import Cutting, read_inputs, read_pair_like
from embedscope.cli._placing import SessionPlacer

COLUMNS = ["area", "length", "mean", "texture"]


@pytest.fixture
def new(table):
    """Other rows, shuffled, the columns in another order."""
    later = table.sample(frac=1, random_state=1)
    later[COLUMNS] = later[COLUMNS] + 0.1
    return later[["texture", "label", "mean", "length", "area"]].reset_index(drop=True)


def expected(table_session, frame):
    explorer = Explorer.open(table_session)
    return explorer.embed(explorer.samples.same_way(frame, source="new"))[0]


@pytest.mark.parametrize("kind", ["csv", "parquet", "tsv"])
@pytest.mark.parametrize("out_kind", ["csv", "parquet", "npy"])
def test_columns_are_found_by_name_and_rows_keep_their_order(
    tmp_path, table_session, new, kind, out_kind
):
    path, out = tmp_path / f"new.{kind}", tmp_path / f"out.{out_kind}"
    if kind == "parquet":
        new.to_parquet(path)
    else:
        new.to_csv(path, sep="\t" if kind == "tsv" else ",", index=False)
    command = ["transform", str(table_session), str(path), "--out", str(out)]
    assert main([*command, "--chunk-rows", "7"]) == 0
    assert sorted(each.name for each in tmp_path.iterdir()) == sorted([path.name, out.name])
    if out_kind == "npy":
        placed = np.load(out)
    else:
        read = pd.read_csv(out) if out_kind == "csv" else pd.read_parquet(out)
        assert read["row"].tolist() == list(range(80))
        assert read["label"].tolist() == new["label"].tolist()
        placed = read[["umap_1", "umap_2"]].to_numpy()
        assert read["novelty"].between(0, 1).all()
    np.testing.assert_allclose(placed, expected(table_session, new), atol=1e-4)


def test_a_model_alone_places_by_the_order_of_the_columns(tmp_path, table_session, new):
    model = load_ParametricUMAP(table_session / "model")
    values = np.random.default_rng(0).normal(size=(10, 4)).astype(np.float32)
    np.save(tmp_path / "new.npy", values)
    out = tmp_path / "out.npy"
    command = ["transform", str(table_session / "model"), str(tmp_path / "new.npy")]
    assert main([*command, "--out", str(out)]) == 0
    np.testing.assert_allclose(np.load(out), model.transform(values), atol=1e-5)


def test_rows_that_are_not_finite_are_named_and_the_others_kept(
    tmp_path, table_session, new, capsys
):
    new.loc[[3, 20], "mean"] = [np.nan, np.inf]
    new.to_csv(tmp_path / "new.csv", index=False)
    command = ["transform", str(table_session), str(tmp_path / "new.csv"), "--chunk-rows", "16"]
    assert main([*command, "--out", str(tmp_path / "out.csv")]) == 3
    told = capsys.readouterr().err
    assert "chunk 0, row 3: " in told
    assert "chunk 1, row 20: " in told
    placed = pd.read_csv(tmp_path / "out.csv")
    assert placed.index[placed["umap_1"].isna()].tolist() == [3, 20]
    assert placed["label"].tolist() == new["label"].tolist()


@pytest.mark.parametrize("change", ["drop", "rename"])
def test_missing_columns_are_refused_with_both_lists(tmp_path, table_session, new, capsys, change):
    changed = new.drop(columns="mean") if change == "drop" else new.rename(columns={"mean": "Mean"})
    changed.to_csv(tmp_path / "new.csv", index=False)
    out = tmp_path / "out.csv"
    assert (
        main(["transform", str(table_session), str(tmp_path / "new.csv"), "--out", str(out)]) == 2
    )
    told = capsys.readouterr().err
    assert "['area', 'length', 'mean', 'texture']" in told
    assert "Missing: ['mean']" in told
    assert [each.name for each in tmp_path.iterdir()] == ["new.csv"]


def test_objects_of_another_image_find_their_own_place(tmp_path, image_session):
    image, labels = field(5)
    tifffile.imwrite(tmp_path / "new.tif", image, planarconfig="contig", photometric="minisblack")
    tifffile.imwrite(tmp_path / "new_masks.tif", labels)
    out = tmp_path / "out.parquet"
    pair = [str(tmp_path / "new.tif"), str(tmp_path / "new_masks.tif")]
    assert main(["transform", str(image_session), *pair, "--out", str(out)]) == 0
    placed = pd.read_parquet(out)
    explorer = Explorer.open(image_session)
    samples = explorer.samples.same_way(image, labels, source="new")
    positions, _ = explorer.embed(samples)
    assert placed["label"].tolist() == samples.identities.label.tolist()
    assert set(placed["source"]) == {"new"}
    np.testing.assert_allclose(placed[["umap_1", "umap_2"]], positions, atol=1e-4)


def test_a_slide_is_placed_part_by_part_and_goes_on_after_a_stop(
    tmp_path, image_session, monkeypatch, capsys
):
    image, labels = field(5)
    zarr.create_array(store=str(tmp_path / "new.zarr"), data=image, chunks=(50, 50, 2))
    zarr.create_array(store=str(tmp_path / "masks.zarr"), data=labels, chunks=(50, 50))
    out = tmp_path / "out.csv"
    pair = [str(tmp_path / "new.zarr"), str(tmp_path / "masks.zarr")]
    command = ["transform", str(image_session), *pair, "--chunk-rows", "25", "--out", str(out)]
    place, placed_now = SessionPlacer.place_part, []

    def stop_at_the_second(self, part):
        placed_now.append(len(part.samples))
        if len(placed_now) == 2:
            raise KeyboardInterrupt
        return place(self, part)

    monkeypatch.setattr(SessionPlacer, "place_part", stop_at_the_second)
    assert main(command) == 130
    assert not out.exists()
    capsys.readouterr()
    assert main(command) == 0
    assert "1 chunk found, placed by an earlier run" in capsys.readouterr().err
    assert placed_now == [25, 25, 25, 10]
    placed = pd.read_csv(out)
    explorer = Explorer.open(image_session)
    samples = explorer.samples.same_way(image, labels, source="new")
    assert placed["label"].tolist() == samples.identities.label.tolist()
    positions, novelty = explorer.embed(samples)
    np.testing.assert_allclose(placed[["umap_1", "umap_2"]], positions, atol=1e-4)
    np.testing.assert_allclose(placed["novelty"], novelty, atol=1e-4)


def test_a_manifest_leaves_out_what_cannot_be_read(tmp_path, image_session, capsys):
    image, labels = field(6)
    tifffile.imwrite(tmp_path / "a.tif", image, planarconfig="contig", photometric="minisblack")
    tifffile.imwrite(tmp_path / "a_masks.tif", labels)
    rows = [("a.tif", "absent.tif", "bad"), ("a.tif", "a_masks.tif", "good")]
    frame = pd.DataFrame(rows, columns=["image", "labels", "source"])
    frame.to_csv(tmp_path / "m.csv", index=False)
    out = tmp_path / "out.csv"
    assert main(["transform", str(image_session), str(tmp_path / "m.csv"), "--out", str(out)]) == 3
    assert "bad: labels must be a file that exists" in capsys.readouterr().err
    assert pd.read_csv(out)["source"].tolist() == ["good"] * 60


def test_images_need_a_session(tmp_path, table_session, capsys):
    image, labels = field()
    np.save(tmp_path / "i.npy", image)
    np.save(tmp_path / "l.npy", labels)
    pair = [str(tmp_path / "i.npy"), str(tmp_path / "l.npy")]
    out = tmp_path / "out.csv"
    assert main(["transform", str(table_session / "model"), *pair, "--out", str(out)]) == 2
    assert "model must be a session for images" in capsys.readouterr().err


def test_an_output_that_is_there_stays_unless_asked(tmp_path, table_session, new, capsys):
    new.to_csv(tmp_path / "new.csv", index=False)
    out = tmp_path / "out.csv"
    out.write_text("mine")
    command = ["transform", str(table_session), str(tmp_path / "new.csv"), "--out", str(out)]
    assert main(command) == 2
    assert "out must not exist" in capsys.readouterr().err
    assert out.read_text() == "mine"
    assert main([*command, "--overwrite"]) == 0
    assert len(pd.read_csv(out)) == 80


def test_what_was_placed_before_is_not_placed_again(
    tmp_path, table_session, new, monkeypatch, capsys
):
    new.to_csv(tmp_path / "new.csv", index=False)
    command = ["transform", str(table_session), str(tmp_path / "new.csv"), "--chunk-rows", "20"]
    place = SessionPlacer.place

    def fail_at_the_third(self, block, start):
        if start == 40:
            raise KeyboardInterrupt
        return place(self, block, start)

    with monkeypatch.context() as context:
        context.setattr(SessionPlacer, "place", fail_at_the_third)
        assert main([*command, "--out", str(tmp_path / "out.csv")]) == 130
    assert not (tmp_path / "out.csv").exists()
    begun = []
    monkeypatch.setattr(
        SessionPlacer,
        "place",
        lambda self, block, start: begun.append(start) or place(self, block, start),
    )
    capsys.readouterr()
    other = ["transform", str(table_session), str(tmp_path / "new.csv"), "--chunk-rows", "10"]
    assert main([*other, "--out", str(tmp_path / "out.csv")]) == 2
    assert "parts in" in capsys.readouterr().err
    assert main([*command, "--out", str(tmp_path / "out.csv")]) == 0
    assert begun == [40, 60]
    placed = pd.read_csv(tmp_path / "out.csv")
    np.testing.assert_allclose(
        placed[["umap_1", "umap_2"]], expected(table_session, new), atol=1e-4
    )


def test_two_processes_do_not_make_one_output(tmp_path, table_session, new, capsys):
    new.to_csv(tmp_path / "new.csv", index=False)
    out = tmp_path / "out.csv"
    parts = _parts.Parts(out, {"of": "another"})
    with parts.opened():
        command = ["transform", str(table_session), str(tmp_path / "new.csv"), "--out", str(out)]
        assert main(command) == 2
    assert "one process at a time" in capsys.readouterr().err


@pytest.mark.skipif(sys.platform == "win32", reason="no such signal there")
def test_a_run_that_was_killed_goes_on(tmp_path, table_session):
    """Killed at some instant after its first part; the output is that of a run that was not."""
    values = np.random.default_rng(0).normal(size=(4000, 4)).astype(np.float32)
    np.save(tmp_path / "new.npy", values)
    model = str(table_session / "model")
    command = ["transform", model, str(tmp_path / "new.npy"), "--chunk-rows", "100"]
    out = tmp_path / "out.npy"
    program = [sys.executable, "-m", "embedscope", *command, "--out", str(out)]
    with subprocess.Popen(program, stderr=subprocess.DEVNULL) as running:
        parts = tmp_path / "out.npy.parts"
        while not (parts / "000001.npy").exists():
            assert running.poll() is None
            time.sleep(0.002)  # a kill at a random instant of what follows
        os.kill(running.pid, signal.SIGKILL)
    assert not out.exists()
    assert main([*command, "--out", str(out)]) == 0
    assert not parts.exists()
    whole = load_ParametricUMAP(model).transform(values)
    np.testing.assert_allclose(np.load(out), whole, atol=1e-5)


def write_scaled(path, image, micrometres):
    metadata = {"PhysicalSizeX": micrometres, "PhysicalSizeY": micrometres}
    tifffile.imwrite(
        path, image, metadata=metadata, planarconfig="contig", photometric="minisblack"
    )


def test_a_later_image_of_another_magnification_is_refused(tmp_path):
    image, labels = field(0)
    np.save(tmp_path / "masks.npy", labels)
    for name, micrometres in (("known", 0.5), ("same", 0.5), ("other", 0.25)):
        write_scaled(tmp_path / f"{name}.ome.tif", image, micrometres)
    masks = tmp_path / "masks.npy"
    known = read_inputs([tmp_path / "known.ome.tif", masks], Cutting(size=16))
    assert known.recipe.pixel_size == (0.5, 0.5)
    (part,) = read_pair_like(known, tmp_path / "same.ome.tif", masks, 100, "same")
    np.testing.assert_array_equal(part().samples.X, known.X)
    with pytest.raises(InvalidInputError, match="must have the pixel size of the first one"):
        list(read_pair_like(known, tmp_path / "other.ome.tif", masks, 100, "other"))
    # The user knew better than the file, also of the later ones.
    known = read_inputs([tmp_path / "known.ome.tif", masks], Cutting(size=16, pixel_size=0.3))
    (part,) = read_pair_like(known, tmp_path / "other.ome.tif", masks, 100, "other")
    assert len(part().samples) == 60


def test_a_manifest_is_scaled_within_its_plates(tmp_path, capsys):
    rows = []
    for name, plate, gain in (("a", "P1", 1), ("b", "P2", 5), ("new", "P3", 20)):
        image, labels = field(len(rows))
        np.save(tmp_path / f"{name}.npy", image * gain)
        np.save(tmp_path / f"{name}_masks.npy", labels)
        rows.append((f"{name}.npy", f"{name}_masks.npy", plate))
    frame = pd.DataFrame(rows, columns=["image", "labels", "plate"])
    frame[:2].to_csv(tmp_path / "known.csv", index=False)
    frame[2:].to_csv(tmp_path / "new.csv", index=False)
    session, out = tmp_path / "map", tmp_path / "out.csv"
    train = ["train", str(tmp_path / "known.csv"), "--out", str(session), *QUICK, "--size", "16"]
    assert main([*train, "--scale-within", "plate"]) == 0
    assert list(Explorer.open(session).samples.groups.scales) == ["P1", "P2"]
    transform = ["transform", str(session), str(tmp_path / "new.csv"), "--out", str(out)]
    assert main([*transform, "--chunk-rows", "25"]) == 0
    explorer = Explorer.open(session)
    image, labels = field(2)
    samples = explorer.samples.same_way(image * 20, labels, source="new", group="P3")
    positions, _ = explorer.embed(samples)
    np.testing.assert_allclose(pd.read_csv(out)[["umap_1", "umap_2"]], positions, atol=1e-4)
    frame[2:].drop(columns="plate").to_csv(tmp_path / "new.csv", index=False)
    assert main([*transform, "--overwrite"]) == 3
    assert "manifest must have the column 'plate'" in capsys.readouterr().err
