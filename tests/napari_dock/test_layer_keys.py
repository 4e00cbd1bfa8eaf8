"""Tables from other programs: each object gets its own row, or a note says what is missing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from napari.components import ViewerModel
from napari.layers import Image, Labels, Points

from embedscope import Explorer
from embedscope._errors import InvalidInputError
from embedscope.napari_dock.data._data_choice import DataChoice, Kind, choice_of
from embedscope.napari_dock.data._data_panel import DataPanel
from embedscope.napari_dock.data._layer_features import numeric_features, samples_of_features
from embedscope.napari_dock.data._layer_keys import (
    AUTOMATIC,
    BY_ROW,
    TableKeys,
    found_keys,
    plain_features,
)
from embedscope.napari_dock.data._layer_samples import CropOptions, samples_of_objects
from embedscope.napari_dock.data._layer_watch import LayerWatch
from embedscope.napari_dock.layers._written_layers import write_feature_columns

IDS = np.arange(1, 10)
SIDES = np.arange(2, 11)  # of the objects, no two alike


def field() -> np.ndarray:
    labels = np.zeros((60, 60), np.uint16)
    for label, side in zip(IDS, SIDES, strict=True):
        y, x = 20 * np.array(divmod(label - 1, 3)) + 4
        labels[y : y + side, x : x + side] = label
    return labels


def film() -> np.ndarray:
    """Three frames; all objects grow, and come back under other numbers."""
    return np.stack([field(), np.where(field(), 10 - field(), 0), np.roll(field(), 5, axis=1)])


def cells(table: pd.DataFrame | None, labels: np.ndarray | None = None) -> Labels:
    return Labels(field() if labels is None else labels, name="cells", features=table)


def cut(layer: Labels, keys: TableKeys = AUTOMATIC, third_axis: str = "t"):
    options = CropOptions(size_px=4, third_axis=third_axis)
    return samples_of_objects(layer, [Image(np.asarray(layer.data, np.uint16))], options, keys)


def sizes(**columns) -> pd.DataFrame:
    return pd.DataFrame({**columns, "side": SIDES * 1.0, "noise": np.sin(SIDES)})


@pytest.mark.parametrize(
    "name", ["index", "label", "Label", "ObjectNumber", "Object Number", "cell_id", "CellID", "id"]
)
def test_the_column_of_labels_is_found_by_its_name(name):
    table = sizes(**{name: IDS}).sample(frac=1, random_state=0)
    for samples in (cut(cells(table)), samples_of_features(cells(table), ["side"])):
        assert sorted(samples.identities.label) == IDS.tolist()
        expected = SIDES[samples.identities.label - 1]
        assert samples.column("side").tolist() == expected.tolist()
    assert numeric_features(cells(table)) == ["side", "noise"]


def test_ilastik_tells_its_label_image_from_its_own_numbers():
    table = sizes(object_id=IDS[::-1], labelimage_oid=IDS, timestep=0)
    assert found_keys(table) == TableKeys("labelimage_oid", "timestep")
    assert cut(cells(table)).column("side").tolist() == SIDES.tolist()


@pytest.mark.parametrize(
    "table",
    [
        sizes(),  # a row an object, and none for the background
        sizes(index=IDS - 1),  # reset_index() of such a table
        sizes(ID=IDS - 1),  # TrackMate counts from 0
        sizes(label=IDS + 1),
        sizes(label=IDS + 100),
        sizes(label=[1, 1, 2, 2, 3, 3, 1, 1, 2]),
        sizes(label=["a", "b", "c"] * 3),
        sizes(label=pd.Categorical(["a", "b", "c"] * 3)),
        sizes(label=[1.5, *IDS[1:]]),
        sizes(label=[np.nan, *IDS[1:]]),
        sizes(label=IDS, frame=[0, 1, 2] * 3),
    ],
)
def test_ambiguous_tables_are_not_joined_and_a_note_says_so(table):
    layer = cells(table)
    samples = cut(layer)
    assert "side" not in samples.features
    assert any(name == "features of cells" for name, _ in samples.left_out)
    with pytest.raises(InvalidInputError, match=r"must .*; got "):
        samples_of_features(layer, ["side"])
    explorer = Explorer(samples)
    explorer.place(np.random.default_rng(0).random((9, 2)))
    before = layer.features.copy()
    with pytest.raises(InvalidInputError, match=r"must .*; got "):
        write_feature_columns(explorer, {"cells": layer})
    pd.testing.assert_frame_equal(layer.features, before)


@pytest.mark.parametrize("frame", [{}, {"frame": 0}])
def test_an_index_with_a_row_twice_does_not_give_way_to_a_second_numbering(frame):
    table = sizes(index=IDS, label=IDS[::-1], **frame)
    assert cut(cells(table)).column("side").tolist() == SIDES.tolist()
    twice = pd.concat([table, table[:1].assign(label=11)], ignore_index=True)
    samples = cut(cells(twice))
    assert "side" not in samples.features
    assert any("'index' repeats labels" in reason for _, reason in samples.left_out)
    with pytest.raises(InvalidInputError, match=r"^'index' .* must .*; got .* Choose"):
        samples_of_features(cells(twice), ["side"])
    chosen = cut(cells(twice), TableKeys(label="label"))
    assert chosen.column("side").tolist() == SIDES[::-1].tolist()


def test_gaps_and_numbers_that_only_count_rows():
    labels = np.array([0, 2, 3, 4, 6, 9, 0, 0, 0, 0], np.uint16)[field()]
    counted = pd.DataFrame({"index": np.arange(1, 6), "value": np.arange(5.0)})
    assert "value" not in cut(cells(counted, labels)).features
    by_rule = pd.DataFrame({"value": np.arange(10.0)})  # a row for every label from 0
    assert cut(cells(by_rule, labels)).column("value").tolist() == [2, 3, 4, 6, 9]


@pytest.mark.parametrize(
    "column",
    [
        {"who": [0, *IDS[::-1]]},
        {"label": [0, 9, *IDS[:0:-1]]},
        {"label": [np.nan, *IDS[::-1]]},
        {"label": [-1, *IDS[::-1]]},
        {"label": ["", *map(str, IDS[::-1])]},
        {"label": pd.Categorical(["0", *map(str, IDS[::-1])])},
    ],
)
def test_rows_are_not_counted_where_a_column_may_hold_the_labels(column):
    table = pd.DataFrame({**column, "value": np.arange(10.0)})  # as many as by napari's rule
    layer = cells(table)
    assert "value" not in cut(layer).features
    assert any(f"{next(iter(column))!r}, which holds" in why for _, why in cut(layer).left_out)
    assert cut(layer, TableKeys(label=BY_ROW)).column("value").tolist() == IDS.tolist()


def test_rows_are_not_counted_where_a_column_holds_every_label_among_others():
    """Most of the rows are of objects that are not in this image."""
    image = np.zeros((9, 9), np.int32)
    image[4, 2:7] = 2
    layer = Labels(image, features=pd.DataFrame({"who": [2, 3, 77], "value": [1000.0, -7, -7]}))
    assert "value" not in cut(layer).features
    assert any("'who', which holds 1 of 1 label" in why for _, why in cut(layer).left_out)
    assert cut(layer, TableKeys(label="who")).column("value").tolist() == [1000.0]


def test_an_index_that_only_counts_rows_does_not_go_before_labels():
    shuffled = pd.DataFrame({"label": [0, *IDS]}).sample(frac=1, random_state=0)
    table = shuffled.assign(value=shuffled["label"] * 1.0).reset_index(drop=True).reset_index()
    assert table.columns[0] == "index"
    layer = cells(table)
    assert "value" not in cut(layer).features
    assert any("only counts the rows, and 'label'" in why for _, why in cut(layer).left_out)
    assert cut(layer, TableKeys(label="label")).column("value").tolist() == IDS.tolist()
    both = sizes(index=IDS, label=IDS)
    assert cut(cells(both)).column("side").tolist() == SIDES.tolist()


def test_a_class_of_each_label_beside_napari_s_rule():
    table = pd.DataFrame({"label": [0, *[1, 2, 3] * 3], "value": np.arange(10.0)})
    assert cut(cells(table)).column("value").tolist() == IDS.tolist()
    assert cut(cells(table)).column("label (feature)").tolist() == [1, 2, 3] * 3


def test_napari_s_own_key_goes_before_label_and_can_be_changed():
    table = sizes(label=IDS[::-1], index=IDS)
    assert cut(cells(table)).column("side").tolist() == SIDES.tolist()
    assert cut(cells(table)).column("label (feature)").tolist() == IDS[::-1].tolist()
    chosen = TableKeys(label="label")
    assert cut(cells(table), chosen).column("side").tolist() == SIDES[::-1].tolist()
    with pytest.raises(InvalidInputError, match="no such column"):
        cut(cells(table), TableKeys(label="gone"))
    with pytest.raises(InvalidInputError, match="must have a column of labels"):
        cut(cells(sizes(index=np.r_[IDS])), TableKeys(label=BY_ROW))


@pytest.mark.parametrize("name", ["frame", "Frame", "t", "timepoint", "ImageNumber"])
@pytest.mark.parametrize("first", [0, 1])
def test_frames_are_found_and_counted_as_the_image_counts(name, first):
    table = pd.concat([sizes(**{"Label": IDS, name: first + t}) for t in range(3)])
    table["side"] += 100 * (table[name] - first)
    for samples in (
        cut(cells(table, film())),
        samples_of_features(cells(table, film()), ["side"]),
    ):
        expected = SIDES[samples.identities.label - 1] + 100 * samples.identities.frame
        assert samples.column("side").tolist() == expected.tolist()
        assert any(name in note for note, _ in samples.left_out) == bool(first)


def test_frames_that_may_be_others_are_refused():
    table = pd.concat([sizes(Label=IDS, frame=1 + t) for t in range(3)])
    for wrong in (table[1:], table[table["frame"] < 3]):
        with pytest.raises(InvalidInputError, match="must count the frames of 'cells' from 0"):
            samples_of_features(cells(wrong, film()), ["side"])
    # As the message says: a row of the background in frame 0, if they do count from there.
    kept = table[table["frame"] < 3]
    named = pd.concat([kept, pd.DataFrame({"Label": [0], "frame": [0]})], ignore_index=True)
    assert set(samples_of_features(cells(named, film()), ["side"]).identities.frame) == {1, 2}


def test_one_time_point_opened_alone_is_linked():
    samples = samples_of_features(cells(sizes(Label=IDS, frame=5)), ["side"])
    assert not samples.identities.frame.any()
    assert any("number 5 in column 'frame'" in name for name, _ in samples.left_out)


def test_a_row_for_a_track_holds_in_all_frames_if_that_is_said():
    layer = cells(sizes(index=IDS), film())
    assert "side" not in cut(layer).features
    samples = cut(layer, TableKeys(frame=BY_ROW))
    assert samples.column("side").tolist() == SIDES[samples.identities.label - 1].tolist()
    with pytest.raises(InvalidInputError, match="must have a row for each object of each frame"):
        samples_of_features(layer, ["side"], "t", TableKeys(frame=BY_ROW))


def test_cut_again_goes_by_the_same_columns_also_after_a_session(tmp_path):
    layer = cells(sizes(index=IDS, label=IDS[::-1], frame=3))
    samples = samples_of_features(layer, ["side"], keys=TableKeys(label="label"))
    explorer = Explorer(samples)
    explorer.save(tmp_path / "session")
    opened = Explorer.open(tmp_path / "session").samples
    for known in (samples, opened):
        choice = choice_of(known, "cells", layer, [layer])
        assert choice.keys == TableKeys("label", "frame")
        again = choice.make_again(known, "cells")
        assert list(again.identities) == list(samples.identities)
        np.testing.assert_array_equal(again.X, samples.X)
    # The recipe names the columns of the user's own table, so it can be followed in a script.
    later = sizes(index=IDS, label=IDS[::-1] + 5, frame=0)
    assert opened.same_way(later, source="later").identities.label.tolist() == [*range(14, 5, -1)]
    other = cells(sizes(ObjectNumber=IDS))
    other.name = "other"
    added = DataChoice(Kind.FEATURES, other, columns=("side",)).make_like(opened)
    assert added.identities.label.tolist() == IDS.tolist()


def test_changed_labels_of_the_table_are_noticed():
    layer, watch = cells(sizes(ObjectNumber=IDS)), LayerWatch()
    watch.watch("cells", DataChoice(Kind.FEATURES, layer, columns=("side",)))
    layer.features = layer.features.assign(note="a")
    assert not watch.outdated_sources
    layer.features = layer.features.assign(ObjectNumber=IDS[::-1])
    assert watch.outdated_sources == ("cells",)


def test_the_map_is_written_to_the_rows_of_their_objects_and_nothing_is_lost():
    table = pd.DataFrame({"ObjectNumber": [7, 2, 9, 0], "note": ["g", "b", "i", "background"]})
    layer = cells(table)
    samples = cut(layer)
    explorer = Explorer(samples)
    explorer.place(np.stack([samples.identities.label, SIDES], axis=1).astype(float))
    write_feature_columns(explorer, {"cells": layer})
    written = layer.features
    pd.testing.assert_frame_equal(written.loc[:3, ["note"]], table[["note"]])
    assert written["ObjectNumber"].tolist() == [7, 2, 9, 0, 1, 3, 4, 5, 6, 8]
    assert written["index"].tolist() == written["ObjectNumber"].tolist()
    own = written[written["index"] > 0]
    assert own["umap_1"].tolist() == own["index"].tolist()
    assert np.isnan(written["umap_1"][3])
    write_feature_columns(explorer, {"cells": layer})
    pd.testing.assert_frame_equal(layer.features, written)


def test_the_dock_shows_which_column_it_takes_and_lets_the_user_choose(qapp):
    viewer = ViewerModel()
    layer = viewer.add_layer(cells(sizes(label=IDS[::-1], index=IDS)))
    viewer.add_image(field(), name="stain")
    panel = DataPanel()
    panel.show_layers(tuple(viewer.layers))
    assert panel.keys.label.currentText() == "automatic: index"
    assert not panel.keys.label.isHidden()
    assert panel.keys.frame.isHidden()
    panel.keys.label.setCurrentIndex(panel.keys.label.findData("label"))
    assert panel.choice().keys == TableKeys(label="label")
    assert panel.choice().make().column("side").tolist() == SIDES[::-1].tolist()
    layer.features = sizes(label=["a", "b", "c"] * 3, t=0)  # edited by the user
    assert panel.choice().keys == AUTOMATIC
    assert panel.keys.label.currentText() == "automatic: row number"
    assert panel.keys.frame.currentText() == "automatic: t"
    assert not panel.keys.frame.isHidden()
    layer.features = pd.DataFrame()
    assert panel.keys.label.isHidden()
    assert panel.keys.frame.isHidden()
    panel.show_layers(())


def test_tables_that_are_odd_never_stop_the_dock():
    for table in (
        pd.DataFrame({"label": [1 + 2j] * 9, "frame": [True] * 9}),
        pd.DataFrame({"index": pd.array([1, None, 3], "Int64")}),
        pd.DataFrame({"index": pd.date_range("2024", periods=3), 5: [1, 2, 3]}),
        pd.DataFrame([[1, 2], [3, 4]], columns=[5, "5"]),
        pd.DataFrame({"label": np.array([1, 2**63 + 1], np.uint64)}),
        pd.DataFrame({"label": [2.0**60, 1]}),
    ):
        layer = cells(table)
        assert plain_features(layer) is not None
        assert isinstance(numeric_features(layer), list)
        assert len(cut(layer)) == 9


@pytest.mark.parametrize("kind", ["points", "labels"])
def test_text_ids_stay_beside_the_numbers_of_objects(kind: str) -> None:
    """The number links a row to the image; its text, as QuPath's, is there to read and export."""
    ids = ["3f2a-01", "007", "é"]
    table = pd.DataFrame({"Object ID": ids, "area": [1.0, 2, 4], "mean": [3.0, 1, 2]})
    if kind == "points":
        layer: Any = Points(np.array([[1.0, 1], [2, 5], [7, 3]]), features=table, name="cells")
    else:
        numbers = np.zeros((12, 12), np.uint8)
        numbers[1:3, 1:3], numbers[5:8, 5:8], numbers[9:11, 2:4] = 2, 5, 9
        layer = Labels(numbers, features=table.assign(index=[2, 5, 9]), name="cells")
    samples = samples_of_features(layer, ["area", "mean"])
    assert samples.identities.label.tolist() == ([1, 2, 3] if kind == "points" else [2, 5, 9])
    assert samples.column("Object ID").tolist() == ids


def test_only_objects_in_the_table_are_cut_if_the_user_wants_it():
    wanted = sizes(index=IDS).iloc[[1, 4, 8]]
    assert len(cut(cells(wanted))) == 9
    samples = cut(cells(wanted), TableKeys(only_named=True))
    assert samples.identities.label.tolist() == [2, 5, 9]
    assert samples.column("side").tolist() == SIDES[[1, 4, 8]].tolist()
    assert ("6 objects", "no row in the table") in samples.left_out
    later = DataChoice(
        Kind.OBJECTS,
        Labels(field(), name="later", features=sizes(index=IDS).iloc[:2]),
        (Image(field(), name="Image"),),
        keys=TableKeys(only_named=True),
    )
    assert later.make_like(samples).identities.label.tolist() == [1, 2]


def test_only_objects_of_the_frames_in_the_table_are_cut():
    rows = pd.DataFrame({"label": [3, 4, 4], "frame": [0, 0, 2], "value": [1.0, 2, 3]})
    samples = cut(cells(rows, film()), TableKeys(only_named=True))
    found = {(int(who.frame), int(who.label)) for who in samples.identities}
    assert found == {(0, 3), (0, 4), (2, 4)}
    assert not np.isnan(samples.column("value")).any()


def test_only_objects_in_the_table_needs_one_of_them_in_the_image():
    strangers = pd.DataFrame({"label": [70, 71], "value": [1.0, 2.0]})
    with pytest.raises(InvalidInputError, match="one of its 9 objects"):
        cut(cells(strangers), TableKeys(only_named=True))


def test_the_box_for_objects_in_the_table_is_there_with_a_table(qapp):
    panel = DataPanel()
    with_table = cells(sizes(index=IDS).iloc[:4])
    panel.show_layers((Image(field(), name="stain"), with_table))
    assert not panel.keys.only_named.isHidden()
    told = []
    panel.changed.connect(lambda: told.append(panel.choice().keys.only_named))
    panel.keys.only_named.setChecked(True)
    assert told == [True]
    panel.crop_size.setValue(4)
    assert len(panel.choice().make()) == 4
    with_table.features = pd.DataFrame(index=range(0))
    assert panel.keys.only_named.isHidden()
    assert not panel.choice().keys.only_named
