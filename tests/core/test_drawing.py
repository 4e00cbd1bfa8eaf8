"""A fit of a drawn part: who is drawn, who is placed, and how good the map of the others is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr
from sklearn.manifold import trustworthiness

from embedscope import ParametricUMAP, load_ParametricUMAP


def quick(**parameters: Any) -> ParametricUMAP:
    small = {"n_neighbors": 6, "n_epochs": 20, "batch_size": 64, "max_graph_samples": 100}
    return ParametricUMAP(random_state=0, **(small | parameters))


@pytest.fixture(scope="module")
def of_part(few: Any) -> ParametricUMAP:
    return quick().fit(few.train)


def test_the_graph_is_that_of_the_part_and_all_samples_have_positions(
    of_part: ParametricUMAP, few: Any
) -> None:
    assert of_part.graph_.shape == (100, 100)
    assert of_part.embedding_.shape == (300, 2)
    np.testing.assert_allclose(of_part.transform(few.train), of_part.embedding_, atol=1e-5)


def test_the_map_is_that_of_the_drawn_samples_alone(of_part: ParametricUMAP, few: Any) -> None:
    seed = of_part._draw_seed()
    drawn = np.sort(np.random.default_rng([seed, 12]).choice(300, 100, replace=False))
    alone = quick().fit(few.train[drawn])
    np.testing.assert_array_equal(alone.embedding_, of_part.embedding_[drawn])
    assert (alone.graph_ != of_part.graph_).nnz == 0


def test_the_same_seed_draws_the_same_part_from_disk(
    of_part: ParametricUMAP, few: Any, tmp_path: Path
) -> None:
    stored = zarr.create_array(store=str(tmp_path / "z"), data=few.train, chunks=(40, 64))
    np.testing.assert_array_equal(quick().fit_transform(stored), of_part.embedding_)


def test_nothing_is_drawn_where_there_is_room_or_no_encoder(few: Any) -> None:
    whole = quick(max_graph_samples=300, n_epochs=5).fit(few.train)
    assert whole.graph_.shape == (300, 300)
    table = quick(parametric_embedding=False, n_epochs=5).fit(few.train)
    assert table.graph_.shape == (300, 300)


def test_labels_landmarks_and_starts_follow_their_samples(few: Any) -> None:
    start = np.random.default_rng(0).normal(size=(300, 2)).astype(np.float32)
    wanted = np.full((300, 2), np.nan, np.float32)
    wanted[::2] = start[::2]
    embedder = quick(init=start).fit(few.train, few.labels, landmark_positions=wanted)
    assert embedder.graph_.shape == (100, 100)
    drawn = np.sort(
        np.random.default_rng([quick()._draw_seed(), 12]).choice(300, 100, replace=False)
    )
    alone = quick(init=start[drawn]).fit(
        few.train[drawn], few.labels[drawn], landmark_positions=wanted[drawn]
    )
    np.testing.assert_array_equal(alone.embedding_, embedder.embedding_[drawn])


def test_rows_held_out_are_rows_of_the_data(few: Any) -> None:
    embedder = quick(parametric_reconstruction=True, validation_fraction=0.2).fit(few.train)
    held_out = embedder.validation_rows_
    drawn = np.random.default_rng([quick()._draw_seed(), 12]).choice(300, 100, replace=False)
    assert len(held_out) == 20
    assert np.isin(held_out, drawn).all()


def test_update_and_save_work_on_a_part(few: Any, tmp_path: Path) -> None:
    embedder = quick().fit(few.train)
    before = embedder.transform(few.train)
    embedder.update(few.test)
    assert embedder.embedding_.shape == (200, 2)
    assert np.abs(embedder.transform(few.train) - before).mean() < 0.2 * np.ptp(before)
    embedder.save(tmp_path / "model")
    loaded = load_ParametricUMAP(tmp_path / "model")
    np.testing.assert_array_equal(loaded.transform(few.test), embedder.transform(few.test))
    assert loaded.get_params()["max_graph_samples"] == 100


def test_reports_have_no_position_for_those_not_drawn(few: Any) -> None:
    maps: list[np.ndarray] = []

    def progress(report: Any) -> None:
        positions = report.embedding()
        if positions is not None:
            maps.append(positions)

    quick(progress=progress, n_epochs=5).fit(few.train)
    for positions in maps:
        assert positions.shape == (300, 2)
        assert np.isnan(positions).all(axis=1).sum() == 200
    assert maps


def test_the_others_are_placed_almost_as_well(few: Any, digits: Any) -> None:
    """Measured: .956 where a third of 1,500 digits is drawn, .990 of all. Chance gives .5."""
    X = digits.data[:1500]
    scores = [
        trustworthiness(X, ParametricUMAP(random_state=0, max_graph_samples=most).fit_transform(X))
        for most in (500, 1500)
    ]
    assert scores[0] > 0.95
    assert scores[1] - scores[0] < 0.05


MEMORY = """
import resource, sys
import numpy as np
from embedscope import ParametricUMAP

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

X = np.load(sys.argv[1], mmap_mode="r")
embedder = ParametricUMAP(
    max_graph_samples=3000, n_epochs=10, n_neighbors=5, batch_size=1000, random_state=0
)
embedder.fit(X[:3000]).transform(X[:20_000])
before = peak()
places = embedder.fit(X).transform(X)
assert places.shape == (len(X), 2)
np.testing.assert_allclose(places, embedder.embedding_, atol=1e-4)
print(peak() - before)
"""


def test_a_file_of_bytes_is_fitted_and_placed_without_a_copy(
    run_python: Any, tmp_path: Path
) -> None:
    """200,000 x 784 bytes: the pages of the file may be in memory, four times as much may not."""
    rng = np.random.default_rng(0)
    block = rng.integers(0, 255, (20_000, 784), dtype=np.uint8)
    stored = np.lib.format.open_memmap(
        tmp_path / "large.npy", "w+", np.uint8, (10 * len(block), block.shape[1])
    )
    for start in range(0, len(stored), len(block)):
        stored[start : start + len(block)] = block
    stored.flush()
    grown = int(run_python(MEMORY, tmp_path / "large.npy").stdout)
    assert grown < stored.nbytes + 100 * 2**20
