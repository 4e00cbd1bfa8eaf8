"""The map as FCS and its gates as Gating-ML, opened by FlowKit."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from embedscope import Explorer
from embedscope.explorer.export._gating_ml import gate_ids, simple_pieces
from embedscope.samples import samples_from_table

flowkit = pytest.importorskip("flowkit")

LASSO = [(0, 0), (6, 0), (6, 6), (1, 6), (1, 1), (4, 1), (4, 4), (0, 4)]  # crosses its start
EIGHT = [(-5, -5), (-1, -1), (-1, -5), (-5, -1)]
RING = [(-8, -8), (8, -8), (8, 8), (-8, 8), (-8, -8), (-7, -7), (-7, 7), (7, 7), (7, -7), (-7, -7)]


@pytest.fixture(scope="module")
def explorer():
    """Samples around the origin; one has no position, and two features have difficult names."""
    places = np.random.default_rng(0).uniform(-10, 10, (2000, 2)).astype(np.float32)
    places[7] = np.nan
    table = pd.DataFrame(
        {
            "/area, px/": np.arange(2000) * 0.5,
            "row": np.where(np.arange(2000) % 9, 1.25, np.nan),
            "kind": ["a", "b"] * 1000,
        }
    )
    shown = Explorer(table)
    shown.place(places)
    shown.add_gate(LASSO, name="T cells / CD4+")
    shown.add_gate(EIGHT, name="8")
    shown.add_gate(RING, name="Gr\N{LATIN SMALL LETTER U WITH DIAERESIS}n")
    shown.combine_gates("union", ["T cells / CD4+", "8"], name="T cells")
    shown.combine_gates("intersection", ["T cells", "8"], name="both")
    shown.combine_gates("difference", ["Gr\xfcn", "T cells", "8"], name="T/cells")
    return shown


@pytest.fixture(scope="module")
def files(explorer, tmp_path_factory):
    return explorer.to_fcs(tmp_path_factory.mktemp("cytometry") / "map.fcs")


def test_flowkit_finds_the_same_samples_in_every_gate(explorer, files):
    sample = flowkit.Sample(files[0])
    results = flowkit.parse_gating_xml(files[1]).gate_sample(sample)
    rows = sample.get_events("raw")[:, sample.pnn_labels.index("row")].astype(int)
    frame = explorer.to_frame()
    ids = gate_ids(explorer.gates.names)
    assert list(ids.values()) == [
        "T_cells_CD4",
        "gate_8",
        "Gr\xfcn",
        "T_cells",
        "both",
        "T_cells_2",
    ]
    for name, gate in ids.items():
        inside = results.get_gate_membership(gate)
        assert frame[f"gate:{name}"].any()
        assert np.array_equal(frame[f"gate:{name}"].to_numpy()[rows], inside), name


def test_an_fcs_file_has_the_map_the_rows_and_the_numbers(explorer, files):
    sample = flowkit.Sample(files[0])
    frame = explorer.to_frame().drop(index=7)
    assert sample.pnn_labels == ["umap_1", "umap_2", "row", "area_px", "row_2"]
    assert sample.pns_labels == ["", "", "", "area, px", "row"]
    events = sample.get_events("raw")
    assert np.array_equal(events[:, :2], frame[["umap_1", "umap_2"]])
    assert np.array_equal(events[:, 2], frame.index)
    assert np.array_equal(events[:, 3], frame["/area, px/"])
    assert np.array_equal(events[:, 4], frame["row"], equal_nan=True)


def test_the_message_names_both_files_and_who_is_left_out(explorer, tmp_path):
    told = []
    explorer.events.message_sent.connect(told.append)
    explorer.to_fcs(tmp_path / "map.fcs")
    explorer.events.message_sent.disconnect(told.append)
    assert "map.gating.xml" in str(told[-1])
    assert "1 left out" in str(told[-1])


def test_a_crossing_outline_becomes_outlines_that_do_not_cross():
    (overlap,) = simple_pieces(np.array(LASSO, float))
    assert not overlap.holes
    assert len(simple_pieces(np.array(EIGHT, float))) == 2
    (ring,) = simple_pieces(np.array(RING, float))
    assert len(ring.holes) == 1


def test_a_map_without_gates_and_a_wrong_suffix(tmp_path):
    shown = Explorer(pd.DataFrame({"a": [1.0, 2.0, 3.0]}))
    shown.place(np.eye(3, 2))
    shown.to_fcs(tmp_path / "map.FCS")
    assert not flowkit.parse_gating_xml(tmp_path / "map.gating.xml").get_gate_ids()
    with pytest.raises(ValueError, match=r"must end in \.fcs"):
        shown.to_fcs(tmp_path / "map.csv")


def test_a_number_beyond_single_precision_is_refused(tmp_path):
    table = pd.DataFrame({"a": [1.0, 2.0, 3.0], "b": [0, 1, 1e300]})
    shown = Explorer(samples_from_table(table, columns=["a"]))
    shown.place(np.eye(3, 2))
    with pytest.raises(ValueError, match="largest number of an FCS file"):
        shown.to_fcs(tmp_path / "map.fcs")
    assert not list(tmp_path.iterdir())


def test_a_map_without_positions_is_refused(tmp_path):
    explorer = Explorer(pd.DataFrame({"a": [1.0, 2.0, 3.0]}))
    with pytest.raises(ValueError, match=r"a sample with a position.*Train first"):
        explorer.to_fcs(tmp_path / "map.fcs")
    assert list(tmp_path.iterdir()) == []


def test_both_files_stay_if_one_cannot_be_written(tmp_path, monkeypatch):
    shown = Explorer(pd.DataFrame({"a": [1.0, 2.0, 3.0]}))
    shown.place(np.eye(3, 2))
    files = shown.to_fcs(tmp_path / "map.fcs")
    before = {file: file.read_bytes() for file in files}
    shown.add_gate(LASSO, name="new")

    def fails(*_: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr("embedscope.explorer.export._cytometry_files.write_fcs", fails)
    with pytest.raises(OSError, match="no space left"):
        shown.to_fcs(tmp_path / "map.fcs")
    assert {file: file.read_bytes() for file in tmp_path.iterdir()} == before
