"""Files of a second manifest, cut and scaled as the samples of a map."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import tifffile

from embedscope._errors import InvalidInputError
from embedscope.samples import join_samples, samples_from_array, samples_from_manifest
from embedscope.samples.reading import manifest_same_way


def field(seed):
    """Twelve squares; each image is brighter than the one before."""
    labels = np.zeros((64, 80), np.uint16)
    for number in range(12):
        row, column = divmod(number, 4)
        labels[20 * row + 4 :, 20 * column + 4 :][:8, :8] = 5 * number + 2
    pixels = np.random.default_rng(seed).integers(0, 100 * (seed + 1), labels.shape)
    return pixels.astype(np.uint16), labels


@pytest.fixture
def sheet(tmp_path):
    """Four images with a table each; ``sheet(rows)`` writes a manifest of some of them."""
    rows = []
    for seed, well in enumerate(["A1", "A2", "B1", "B2"]):
        image, labels = field(seed)
        tifffile.imwrite(tmp_path / f"{well}.tif", image)
        tifffile.imwrite(tmp_path / f"{well}_masks.tif", labels)
        table = pd.DataFrame({"CellID": np.unique(labels)[1:], "CD3": np.arange(12.0) + seed})
        table.to_csv(tmp_path / f"{well}.csv", index=False)
        rows.append((f"{well}.tif", f"{well}_masks.tif", f"{well}.csv", well[0], seed))
    whole = pd.DataFrame(rows, columns=["image", "labels", "table", "plate", "replicate"])

    def write(rows, **columns):
        path = tmp_path / "sheet.csv"
        whole.iloc[rows].assign(**columns).to_csv(path, index=False)
        return path

    return write


def test_later_files_are_cut_and_scaled_as_those_of_the_map(sheet):
    known = samples_from_manifest(sheet([0, 1]), 12)
    later = manifest_same_way(known, sheet([2, 3]))
    assert list(later.sources) == ["B1", "B2"]
    assert later.features["plate"].tolist() == ["B"] * 24
    assert later.features["CD3"].tolist() == [float(k + s) for s in (2, 3) for k in range(12)]
    np.testing.assert_array_equal(later.X[:12], known.same_way(*field(2), source="B1").X)
    joined = join_samples([known, later])
    np.testing.assert_array_equal(joined.X[:24], known.X)
    np.testing.assert_array_equal(joined.X[24:], later.X)


def test_files_of_the_map_and_names_on_it_are_left_out(sheet, tmp_path):
    known = samples_from_manifest(sheet([0, 1]), 12)
    again = sheet([0, 1, 2, 3], source=["other", "B1", "A2", "B2"])
    later = manifest_same_way(known, again)
    assert list(later.sources) == ["B2"]
    reasons = {each.name: each.reason for each in later.left_out}
    assert "on the map, as A1" in reasons["other"]
    assert "on the map, as A2" in reasons["B1"]
    assert "another image of this name" in reasons["A2"]
    with pytest.raises(InvalidInputError, match=r"not on the map yet; got 2\. .*A1: its objects"):
        manifest_same_way(known, sheet([0, 1]))
    (tmp_path / "B1.tif").unlink()
    later = manifest_same_way(known, sheet([2, 3]))
    assert list(later.sources) == ["B2"]
    assert "B1" in {each.name for each in later.left_out}
    with pytest.raises(InvalidInputError, match="at least one pair of images that can be read"):
        manifest_same_way(known, sheet([2]))


def test_a_new_group_is_scaled_over_all_its_images(sheet):
    known = samples_from_manifest(sheet([0, 1]), 12, scale_within="plate")
    later = manifest_same_way(known, sheet([2, 3]))
    alone = samples_from_manifest(sheet([2, 3]), 12, scale_within="plate")
    np.testing.assert_array_equal(later.X, alone.X)
    joined = join_samples([known, later])
    np.testing.assert_array_equal(joined.X, np.concatenate([known.X, alone.X]))
    with pytest.raises(InvalidInputError, match="must have the column 'plate'"):
        manifest_same_way(known, _without(sheet([2, 3]), "plate"))


def test_values_to_learn_from_are_found_in_the_tables(sheet):
    known = samples_from_manifest(sheet([0, 1]), 12).learning_from(["CD3", "replicate"])
    later = manifest_same_way(known, sheet([2, 3]))
    whole = samples_from_manifest(sheet([0, 1, 2, 3]), 12)
    np.testing.assert_array_equal(
        later.learned.values, whole.features[["CD3", "replicate"]].to_numpy()[24:]
    )
    joined = join_samples([known, later])
    np.testing.assert_array_equal(joined.encoder_inputs()[:24], known.encoder_inputs())


def test_files_cannot_be_added_to_a_map_of_anything_else(sheet):
    with pytest.raises(InvalidInputError, match="of the kind that the map was trained on"):
        manifest_same_way(samples_from_array(np.random.default_rng(0).random((9, 3))), sheet([0]))


def test_channels_in_another_order_are_refused(sheet, tmp_path):
    pixels, labels = field(0)
    two = np.stack([pixels, pixels // 2])
    tifffile.imwrite(tmp_path / "masks.tif", labels)
    for name, order in (("one", ["DNA", "actin"]), ("other", ["actin", "DNA"])):
        about = {"axes": "CYX", "Channel": {"Name": order}}
        tifffile.imwrite(tmp_path / f"{name}.ome.tif", two, metadata=about)

    def manifest(name):
        rows = {"image": [f"{name}.ome.tif"], "labels": ["masks.tif"], "source": [name]}
        pd.DataFrame(rows).to_csv(tmp_path / "pair.csv", index=False)
        return tmp_path / "pair.csv"

    known = samples_from_manifest(manifest("one"), 12)
    with pytest.raises(InvalidInputError, match=r"the channels \['DNA', 'actin'\] in this order"):
        manifest_same_way(known, manifest("other"))


def _without(path, column):
    pd.read_csv(path).drop(columns=column).to_csv(path, index=False)
    return path
