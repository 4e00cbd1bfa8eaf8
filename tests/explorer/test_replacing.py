"""Labels that change after cutting: right objects, unchanged positions, nothing lost."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from embedscope._errors import InvalidInputError
from embedscope.explorer import Explorer
from embedscope.samples import LeftOut, SampleId, Samples, join_samples, samples_from_labels
from embedscope.training import Phase, TrainingParameters

QUICK = TrainingParameters(n_neighbors=5, encoder="dense", random_state=0)


def painted_field(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Forty discs of different brightness, and their labels 10, 20, ... 400."""
    rng = np.random.default_rng(seed)
    labels = np.zeros((100, 160), dtype=np.int32)
    rows, columns = np.mgrid[:20, :20]
    disc = (rows - 10) ** 2 + (columns - 10) ** 2 < 49
    for number in range(40):
        y, x = 20 * (number // 8), 20 * (number % 8)
        labels[y : y + 20, x : x + 20][disc] = 10 * (number + 1)
    image = rng.uniform(0, 50, labels.shape) + labels
    return image.astype(np.float32), labels


def cut(image: np.ndarray, labels: np.ndarray, source: str) -> Samples:
    return samples_from_labels(image, labels, 20, source=source, background="zero")


@pytest.fixture(scope="module")
def trained() -> Explorer:
    image, labels = painted_field()
    explorer = Explorer(cut(image, labels, "day 1"), parameters=QUICK)
    explorer.train()
    assert explorer.wait(120).phase is Phase.DONE
    return explorer


@pytest.fixture
def fresh(trained: Explorer) -> Explorer:
    explorer = Explorer()
    explorer.show_result(trained.model)
    return explorer


def test_changed_labels_keep_identities(fresh: Explorer, tmp_path: Any) -> None:
    image, labels = painted_field()
    whole_map = fresh.model
    before = fresh.embedding.positions
    fresh.add_gate([(-99, -99), (99, -99), (99, 99), (-99, 99)], "all")
    fresh.select_ids([SampleId("day 1", 0, 20), SampleId("day 1", 0, 30)])
    labels[labels == 10] = 0  # gone
    labels[labels == 20] = 7  # another object now, and the first of all
    labels[25:30, 5:15][labels[25:30, 5:15] == 90] = 0  # bitten: changed
    fresh.replace_samples(fresh.samples.same_way(image, labels, source="day 1"))

    identities = fresh.samples.identities
    assert identities.label.tolist() == [7, *range(30, 401, 10)]
    assert fresh.selected_ids == [SampleId("day 1", 0, 30)]
    assert len(fresh.gates) == 1
    rows = identities.rows("day 1", np.arange(30, 401, 10))
    same = identities.label[rows] != 90
    np.testing.assert_array_equal(fresh.embedding.positions[rows[same]], before[2:][same])
    expected = fresh.embed(fresh.samples)[0]
    np.testing.assert_allclose(fresh.embedding.positions, expected, atol=1e-3)
    changed = ~fresh.in_training
    assert identities.label[changed].tolist() == [7, 90]
    assert np.isnan(fresh.novelty[fresh.in_training]).all()
    assert fresh.model is not whole_map
    assert whole_map in fresh.results

    fresh.save(tmp_path / "session", include_images=True)
    back = Explorer.open(tmp_path / "session")
    np.testing.assert_array_equal(back.embedding.positions, fresh.embedding.positions)
    np.testing.assert_array_equal(back.in_training, fresh.in_training)
    back.decode(back.embedding.positions[0])
    back.select_rows([3])
    assert len(back.explain().rows) == 1


def test_replaced_source_keeps_its_order() -> None:
    image, labels = painted_field()
    second_image, second_labels = painted_field(1)
    explorer = Explorer(
        join_samples([cut(image, labels, "day 1"), cut(second_image, second_labels, "day 2")])
    )
    explorer.place(np.arange(160, dtype=np.float32).reshape(80, 2))
    explorer.select_ids([SampleId("day 2", 0, 400)])
    labels[labels <= 100] = 0
    explorer.replace_samples(explorer.samples.same_way(image, labels, source="day 1"))
    identities = explorer.samples.identities
    assert identities.sources == ("day 1", "day 2")
    assert len(identities) == 70
    assert explorer.selected_ids == [SampleId("day 2", 0, 400)]
    np.testing.assert_array_equal(
        explorer.embedding.positions, np.arange(20, 160, dtype=np.float32).reshape(70, 2)
    )


def test_refused_replacement_changes_nothing(fresh: Explorer) -> None:
    image, labels = painted_field()
    before = fresh.samples
    with pytest.raises(InvalidInputError, match="samples must be of one source among"):
        fresh.replace_samples(before.same_way(image, labels, source="day 2"))
    with pytest.raises(InvalidInputError, match="all have changed"):
        fresh.replace_samples(before.same_way(image + 1, labels, source="day 1"))
    with pytest.raises(InvalidInputError, match="must be on the scale"):
        fresh.replace_samples(cut(image * 3, labels, "day 1"))
    assert fresh.samples is before
    assert fresh.in_training.all()


def test_added_samples_have_no_position_in_snapshots() -> None:
    image, labels = painted_field()
    explorer = Explorer(cut(image, labels, "day 1"), parameters=QUICK)
    explorer.train()
    assert explorer.wait(120).phase is Phase.DONE
    explorer.add_samples(explorer.samples.same_way(image, labels, source="day 2"))
    explorer.show_snapshot(0)
    positions = explorer.embedding.positions
    np.testing.assert_array_equal(positions[:40], explorer.replay.positions(0))
    assert np.isnan(positions[40:]).all()
    explorer.show_snapshot(-1)
    assert np.isfinite(explorer.embedding.positions).all()


def test_what_was_left_out_is_said_once() -> None:
    first = cut(*painted_field(), "day 1")
    others = [first.same_way(*painted_field(day), source=f"day {day + 1}") for day in (1, 2)]
    note = LeftOut("day 4", "cannot be read")
    explorer = Explorer(replace(join_samples([first, *others]), left_out=(note,)))
    image, labels = painted_field(1)
    labels[labels == 10] = 0
    explorer.replace_samples(explorer.samples.same_way(image, labels, source="day 2"))
    assert explorer.samples.left_out.count(note) == 1
