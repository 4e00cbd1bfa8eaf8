"""What scanpy and squidpy look for in an exported AnnData object."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from embedscope import Explorer
from embedscope.samples import samples_from_labels

pytest.importorskip("anndata")


def test_scanpy_and_squidpy_find_groups_colors_and_places() -> None:
    """Of an object in two gates the last counts, as on the map."""
    labels = np.kron(np.arange(1, 13).reshape(3, 4), np.pad(np.ones((6, 6), int), 1))
    samples = samples_from_labels(labels.astype(np.float32), labels, 8)
    shown = Explorer(samples)
    shown.place(np.column_stack([np.arange(12), np.zeros(12)]))
    for name, (low, high), color in (
        ("none", (-1, 5.5), "#ee6677"),
        ("right", (4.5, 8.5), "#5289c7"),
    ):
        shown.add_gate([(low, -1), (high, -1), (high, 1), (low, 1)], name, color)
    table = shown.to_anndata()
    assert table.obs["gate"].tolist() == ["none"] * 5 + ["right"] * 4 + ["(none)"] * 3
    assert table.obs["gate"].cat.categories.tolist() == ["(none)", "none", "right"]
    assert table.uns["gate_colors"].tolist() == ["#bbbbbb", "#ee6677", "#5289c7"]
    x, y = np.meshgrid([3.5, 11.5, 19.5, 27.5], [3.5, 11.5, 19.5])
    np.testing.assert_array_equal(table.obsm["spatial"], np.column_stack([x.ravel(), y.ravel()]))
    again = Explorer(table)
    assert "gate" not in again.samples.features
    assert again.gates == shown.gates


def test_a_table_without_gates_and_places_has_no_more_than_its_columns() -> None:
    shown = Explorer(pd.DataFrame({"gate": ["a", "b", "a"], "x": [1.0, 2.0, 4.0]}))
    shown.place(np.eye(3, 2))
    assert "spatial" not in shown.to_anndata().obsm
    assert shown.to_anndata().obs["gate"].tolist() == ["a", "b", "a"]
    shown.add_gate([(-1, -1), (2, -1), (2, 2), (-1, 2)], "all")
    table = shown.to_anndata()
    assert table.obs["gate"].tolist() == ["a", "b", "a"]
    assert table.obs["gate_2"].tolist() == ["all"] * 3
