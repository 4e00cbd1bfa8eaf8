"""A manifest: one set of samples of many files, each a source, its columns features."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import tifffile

from embedscope._errors import InvalidInputError
from embedscope.explorer import Explorer
from embedscope.samples import (
    join_samples,
    read,
    samples_from_labels,
    samples_from_manifest,
)


def field(seed, side=8, dtype=np.uint16):
    rng = np.random.default_rng(seed)
    labels = np.zeros((64, 80), np.uint16)
    for number in range(12):
        row, column = divmod(number, 4)
        labels[20 * row + 4 :, 20 * column + 4 :][:side, :side] = 5 * number + 2
    return (rng.integers(0, 100 * (seed + 1), labels.shape)).astype(dtype), labels


@pytest.fixture
def plate(tmp_path):
    rows = []
    for seed, well in enumerate(["A1", "A2", "B1"]):
        image, labels = field(seed)
        tifffile.imwrite(tmp_path / f"{well}.tif", image)
        tifffile.imwrite(tmp_path / f"{well}_masks.tif", labels, compression="zlib")
        table = pd.DataFrame({"CellID": np.unique(labels)[1:], "CD3": np.arange(12.0) + seed})
        table.to_csv(tmp_path / f"{well}.csv", index=False)
        rows.append((f"{well}.tif", f"{well}_masks.tif", f"{well}.csv", well, seed))
    return pd.DataFrame(rows, columns=["image", "labels", "table", "well", "replicate"])


def test_a_manifest_is_the_same_as_its_images_joined(plate, tmp_path):
    plate.to_csv(tmp_path / "plate.csv", index=False)
    samples = read(tmp_path / "plate.csv", size=12, n_jobs=3)
    parts = [samples_from_labels(*field(k), 12, source=n) for k, n in enumerate(plate["well"])]
    joined = join_samples(parts)
    np.testing.assert_array_equal(samples.X, joined.X)
    assert list(samples.identities) == list(joined.identities)
    assert samples.features["well"].tolist() == ["A1"] * 12 + ["A2"] * 12 + ["B1"] * 12
    assert samples.features["replicate"].tolist() == [0] * 12 + [1] * 12 + [2] * 12
    assert samples.features["CD3"].tolist() == [float(k + s) for s in range(3) for k in range(12)]
    source = samples.sources["A2"]
    place = source.to_world(samples.centroids[12])
    assert source.label_at(place) == samples.identities[12]
    Explorer(samples).save(tmp_path / "session")
    again = Explorer.open(tmp_path / "session").samples
    assert not again.absent
    np.testing.assert_array_equal(again.X, samples.X)


def test_what_cannot_be_read_is_left_out_with_the_reason(plate, tmp_path):
    image, labels = field(3, dtype=np.uint8)
    tifffile.imwrite(tmp_path / "byte.tif", image)
    tifffile.imwrite(tmp_path / "byte_masks.tif", labels)
    (tmp_path / "wrong.csv").write_text("CellID,CD3\n900,1\n901,2\n")
    (tmp_path / "damaged.tif").write_bytes(b"no TIFF")
    tifffile.imwrite(tmp_path / "two.tif", np.stack([image, image]).astype(np.uint16))
    bad = pd.DataFrame(
        {
            "image": ["absent.tif", "byte.tif", "damaged.tif", "two.tif", "A2.tif"],
            "labels": [f"{name}_masks.tif" for name in ("A1", "byte", "A1", "byte", "A2")],
            "well": "C1",
            "source": ["absent", "byte", "damaged", "two", "wrong table"],
            "table": [None, None, None, None, "wrong.csv"],
        }
    )
    whole = pd.concat([plate.assign(source=plate["well"]), bad])
    samples = samples_from_manifest(whole, 12, folder=tmp_path)
    assert list(samples.sources) == ["A1", "A2", "B1"]
    reasons = {each.name: each.reason for each in samples.left_out}
    assert "image must be a file that exists" in reasons["absent"]
    assert "image must have the dtype of the first one, uint16" in reasons["byte"]
    assert "damaged.tif" in reasons["damaged"]
    assert "parts must have the same" in reasons["two"]
    assert "labels of the table must be those of 'wrong table'" in reasons["wrong table"]
    with pytest.raises(InvalidInputError, match="at least one pair of images that can be read"):
        samples_from_manifest(bad.iloc[[0, 2]], 12, folder=tmp_path)


def test_the_size_holds_the_objects_of_all_images(tmp_path):
    rows = []
    for name, side in (("small", 6), ("large", 14)):
        image, labels = field(0, side)
        np.save(tmp_path / f"{name}.npy", image)
        np.save(tmp_path / f"{name}_masks.npy", labels)
        rows.append((tmp_path / f"{name}.npy", tmp_path / f"{name}_masks.npy"))
    samples = samples_from_manifest(pd.DataFrame(rows, columns=["image", "labels"]))
    assert samples.sample_shape == (14, 14, 1)


def test_two_sources_of_one_name_are_refused(plate):
    with pytest.raises(InvalidInputError, match="source must be another name for each row"):
        samples_from_manifest(plate.assign(source="same"))
    with pytest.raises(InvalidInputError, match="manifest must have the columns image and labels"):
        samples_from_manifest(plate.drop(columns="labels"))


def test_a_column_with_the_name_of_a_measurement_is_refused(plate, tmp_path):
    with pytest.raises(InvalidInputError, match=r"names that no measurement has; got \['area'\]"):
        samples_from_manifest(plate.assign(area=1), folder=tmp_path)
