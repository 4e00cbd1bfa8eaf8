"""`embedscope export`: the gates of a session for other programs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile
from cli_data import field

from embedscope import Explorer
from embedscope.cli import main
from embedscope.samples import join_samples, samples_from_files

EVERYTHING = np.array([(-1e3, -1e3), (1e3, -1e3), (1e3, 1e3), (-1e3, 1e3)])


def with_gate(explorer: Explorer, folder: Path) -> str:
    explorer.add_gate(EVERYTHING, "T cells")
    explorer.save(folder / "gated")
    return str(folder / "gated")


def test_gates_become_label_images(image_session, tmp_path, capsys):
    gated, out = with_gate(Explorer.open(image_session), tmp_path), tmp_path / "gates.ome.tif"
    assert main(["export", gated, "--out", str(out)]) == 0
    assert "gates.ome.tif" in capsys.readouterr().err
    assert np.array_equal(tifffile.imread(out), field()[1] > 0)
    assert main(["export", gated, "--out", str(out)]) == 2
    assert "gates.ome.tif'. Give another name, or --overwrite" in capsys.readouterr().err
    assert main(["export", gated, "--out", str(out), "--overwrite", "--quiet"]) == 0
    assert not capsys.readouterr().err


def test_gates_become_gating_ml_beside_an_fcs_file(table_session, tmp_path, capsys):
    pytest.importorskip("flowio")
    gated, out = with_gate(Explorer.open(table_session), tmp_path), tmp_path / "map.fcs"
    assert main(["export", gated, "--out", str(out)]) == 0
    assert out.read_bytes().startswith(b"FCS3")
    assert "T_cells" in (tmp_path / "map.gating.xml").read_text()
    out.unlink()
    assert main(["export", gated, "--out", str(out)]) == 2
    assert "map.gating.xml'. Give another name" in capsys.readouterr().err
    assert not out.exists()


def test_what_cannot_be_written_is_said(tmp_path, capsys):
    pytest.importorskip("flowio")
    image, labels = field()
    for name in ("a", "b"):
        tifffile.imwrite(tmp_path / f"{name}.tif", image[..., 0])
        tifffile.imwrite(tmp_path / f"{name}_masks.tif", labels)
    explorer = Explorer(
        join_samples(
            [
                samples_from_files(tmp_path / f"{name}.tif", tmp_path / f"{name}_masks.tif", 16)
                for name in ("a", "b")
            ]
        )
    )
    positions = np.zeros((120, 2))
    positions[7] = np.nan
    explorer.place(positions)
    gated = with_gate(explorer, tmp_path)
    (tmp_path / "b_masks.tif").unlink()
    assert main(["export", gated, "--out", str(tmp_path / "gates.tif")]) == 3
    assert "b_masks.tif cannot be opened as it was" in capsys.readouterr().err
    assert (tmp_path / "gates.tif").exists()
    assert main(["export", gated, "--out", str(tmp_path / "map.fcs")]) == 3
    assert "1 sample: no position on the map" in capsys.readouterr().err
    (tmp_path / "a_masks.tif").unlink()
    assert main(["export", gated, "--out", str(tmp_path / "none.tif")]) == 2
    told = capsys.readouterr().err
    assert "a_masks.tif cannot be opened as it was" in told
    assert "Put files that are missing back" in told


def test_what_cannot_be_exported_is_refused(table_session, tmp_path, capsys):
    def told(session: Path | str, out: str) -> str:
        assert main(["export", str(session), "--out", str(tmp_path / out)]) == 2
        return capsys.readouterr().err

    assert "session must have gates" in told(table_session, "map.fcs")
    gated = with_gate(Explorer.open(table_session), tmp_path)
    assert "out must end in .fcs, for flow cytometry, or in .tif" in told(gated, "gates.png")
    assert "it has no label image" in told(gated, "gates.tif")
    assert "has no session.json" in told(tmp_path, "gates.tif")
