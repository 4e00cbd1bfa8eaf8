"""Arrays that are not converted as a whole: any row can be read, and a fit gives the same map."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anndata
import dask.array as dask_array
import h5py
import numpy as np
import pytest
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from embedscope import ParametricUMAP
from embedscope._errors import InvalidInputError
from embedscope.core.arrays import Rows, _sources, as_rows
from embedscope.core.arrays._sources import ArraySource, JoinedSource, Source, open_source

N_SAMPLES = 70
COUNTS = np.random.default_rng(3).gamma(0.6, 60.0, (N_SAMPLES, 6)).clip(0, 255).astype(np.uint8)
COUNTS.setflags(write=False)

KINDS = ("uint8", "float64", "memmap", "fortran", "zarr", "h5py", "h5py whole", "dask", "csr")


def of_kind(kind: str, data: np.ndarray, folder: Path, chunk: int = 20) -> Any:
    """Some data, as an array of this kind."""
    if kind in ("uint8", "float64"):
        return data.astype(kind)
    if kind == "fortran":
        return np.asfortranarray(data, dtype=np.float32)
    if kind == "memmap":
        np.save(folder / "data.npy", data.astype(np.float32))
        return np.load(folder / "data.npy", mmap_mode="r")
    if kind == "zarr":
        chunks = (min(chunk, len(data)), 4, *data.shape[2:])
        return zarr.create_array(store=str(folder / "data.zarr"), data=data, chunks=chunks)
    if kind.startswith("h5py"):
        chunks = None if kind == "h5py whole" else (min(chunk, len(data)), 4, *data.shape[2:])
        return h5py.File(folder / "data.h5", "w").create_dataset("X", data=data, chunks=chunks)
    if kind == "dask":
        return dask_array.from_array(data, chunks=(chunk, 4, *data.shape[2:]))
    in_memory = anndata.AnnData(sparse.csr_matrix(data.astype(np.float32)))
    in_memory.write_h5ad(folder / "data.h5ad")
    return anndata.read_h5ad(folder / "data.h5ad", backed="r").X


@pytest.fixture
def nothing_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """Treat the small data of these tests like data that are too large to be converted."""
    monkeypatch.setattr(_sources, "_WHOLE_VALUES", 0)
    monkeypatch.setattr(_sources, "_BLOCK_ROWS", 16)
    monkeypatch.setattr(_sources, "_UNIT_BYTES", 25 * 4 * COUNTS.shape[1])
    monkeypatch.setattr(_sources, "_SPARSE_UNIT_ROWS", 25)


def dense(flat: Any) -> np.ndarray:
    return flat if isinstance(flat, np.ndarray) else flat.toarray()


# -- rows ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.usefixtures("nothing_whole")
def test_any_rows_of_any_kind_are_those_of_the_array(kind: str, tmp_path: Path) -> None:
    rows = as_rows(of_kind(kind, COUNTS, tmp_path))
    assert isinstance(rows.flat, Source)
    expected = COUNTS.astype(np.float32)
    for index in (slice(0, 2), slice(None), slice(19, 41), slice(60, 99), slice(3, 3)):
        taken = rows.take(index)
        assert taken.dtype == np.float32
        np.testing.assert_array_equal(taken, expected[index])
    scattered = np.array([[69, 0, 33], [33, 20, 19]])
    np.testing.assert_array_equal(rows.take(scattered), expected[scattered])
    np.testing.assert_array_equal(dense(rows.flat[::7]), expected[::7])
    np.testing.assert_array_equal(dense(rows.whole()), expected)
    np.testing.assert_array_equal(rows.held().take(scattered), expected[scattered])
    parts = [rows.take(block) for block in rows.blocks()]
    assert max(map(len, parts)) == 16
    np.testing.assert_array_equal(np.concatenate(parts), expected)
    lowest, highest = rows.ranges()
    np.testing.assert_array_equal(lowest, expected.min(axis=0))
    np.testing.assert_array_equal(highest, expected.max(axis=0))
    np.testing.assert_allclose(rows.flat.summary.mean, expected.mean(axis=0), rtol=1e-6)


@pytest.mark.usefixtures("nothing_whole")
def test_a_subset_is_a_copy_in_memory_of_the_same_dtype() -> None:
    data = COUNTS.copy()
    chosen = as_rows(data).subset(np.array([5, 2, 9]))
    data[:] = 0
    np.testing.assert_array_equal(chosen.take(slice(None)), COUNTS[[5, 2, 9]])
    assert isinstance(chosen.flat, ArraySource)


def test_few_rows_are_converted_at_once_to_the_same_bits(tmp_path: Path) -> None:
    data = np.random.default_rng(1).normal(size=(50, 6))
    for kind in KINDS[1:]:
        rows = as_rows(of_kind(kind, data, tmp_path))
        np.testing.assert_array_equal(dense(rows.flat), data.astype(np.float32))
        assert not isinstance(rows.flat, Source)


def test_float32_in_memory_is_never_copied() -> None:
    data = np.ones((20, 3), np.float32)
    assert np.shares_memory(as_rows(data).flat, data)
    assert open_source(data, "X") is None


@given(
    sizes=st.lists(st.integers(1, 9), min_size=1, max_size=12),
    unit=st.integers(1, 20),
    step=st.integers(1, 11),
    data=st.data(),
)
@settings(max_examples=60)
def test_no_row_is_lost_where_blocks_chunks_and_units_meet(
    sizes: list[int], unit: int, step: int, data: st.DataObject
) -> None:
    n_samples = sum(sizes)
    values = np.arange(3 * n_samples, dtype=np.int32).reshape(n_samples, 3)
    index = data.draw(st.lists(st.integers(0, n_samples - 1), max_size=30))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(_sources, "_WHOLE_VALUES", 0)
        patched.setattr(_sources, "_BLOCK_ROWS", step)
        patched.setattr(_sources, "_UNIT_BYTES", unit * 12)
        rows = as_rows(dask_array.from_array(values, chunks=(tuple(sizes), 3)))
        np.testing.assert_array_equal(
            np.concatenate([rows.take(block) for block in rows.blocks()]), values
        )
        np.testing.assert_array_equal(rows.take(np.array(index, int)), values[index])
        several = rows.joined(rows)
        both = np.array([*index, *(np.array(index, int) + n_samples)], int)
        np.testing.assert_array_equal(several.take(both), np.tile(values[index], (2, 1)))
        np.testing.assert_array_equal(several.whole(), np.tile(values, (2, 1)))


@pytest.mark.usefixtures("nothing_whole")
@pytest.mark.parametrize("kind", ["uint8", "csr"])
@pytest.mark.parametrize("other", [np.asarray, sparse.csr_matrix])
def test_rows_are_joined_with_others(kind: str, other: Any, tmp_path: Path) -> None:
    few = np.ones((3, 6), np.float32)
    rows = as_rows(of_kind(kind, COUNTS, tmp_path)).joined(Rows(other(few), (6,), (6,)))
    assert isinstance(rows.flat, JoinedSource)
    expected = np.concatenate([COUNTS, few])
    for index in (slice(66, 73), np.array([71, 0, 70, 69]), np.array([1, 2])):
        np.testing.assert_array_equal(rows.take(index), expected[index])
    np.testing.assert_array_equal(rows.held().take(np.array([72, 1])), expected[[72, 1]])
    back = Rows(other(few), (6,), (6,)).joined(as_rows(of_kind("uint8", COUNTS, tmp_path)))
    np.testing.assert_array_equal(dense(back.flat), np.concatenate([few, COUNTS]))


def test_compressed_columns_on_disk_are_read_into_memory(tmp_path: Path) -> None:
    in_memory = anndata.AnnData(sparse.csc_matrix(COUNTS.astype(np.float32)))
    in_memory.write_h5ad(tmp_path / "data.h5ad")
    backed = anndata.read_h5ad(tmp_path / "data.h5ad", backed="r").X
    np.testing.assert_array_equal(dense(as_rows(backed).flat), COUNTS)


# -- bad input -------------------------------------------------------------------------------------


@pytest.mark.usefixtures("nothing_whole")
@pytest.mark.parametrize("kind", ["float64", "zarr", "dask", "csr"])
def test_the_rows_that_are_not_finite_are_named(kind: str, tmp_path: Path) -> None:
    data = COUNTS.astype(np.float64)
    data[[3, 44], 2], data[44, 1] = np.nan, np.inf
    with pytest.raises(InvalidInputError, match=r"got 2 NaN and 1 infinity .* in row 3, 44\."):
        as_rows(of_kind(kind, data, tmp_path))


@pytest.mark.parametrize("thin", [False, True])
def test_the_rows_of_an_array_in_memory_are_named_too(thin: bool) -> None:
    data = COUNTS.astype(np.float32)
    data[5:17, 1] = np.nan
    with pytest.raises(InvalidInputError, match=r"12 NaN .* in row 5, 6, .* 14 and 2 more\."):
        as_rows(sparse.csr_matrix(data) if thin else data)


@pytest.mark.usefixtures("nothing_whole")
def test_a_block_is_checked_when_it_is_read() -> None:
    data = COUNTS.astype(np.float64)
    data[44, 1] = np.nan
    rows = as_rows(data, check_when_read=True)
    np.testing.assert_array_equal(rows.take(slice(0, 40)), COUNTS[:40])
    for index in (slice(40, 50), np.array([1, 44])):
        with pytest.raises(InvalidInputError, match=r"1 NaN .* in row 44\."):
            rows.take(index)


@pytest.mark.usefixtures("nothing_whole")
def test_a_value_that_float32_cannot_hold_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="at most 1e"):
        as_rows(np.where(COUNTS > 99, 1e39, 1.0))
    with pytest.raises(InvalidInputError, match="larger units"):
        as_rows(np.where(COUNTS > 99, 1e36, 1.0))


@pytest.mark.parametrize("dtype", [complex, "U3", "M8[s]"])
def test_what_is_no_number_is_refused_before_anything_is_read(dtype: Any, tmp_path: Path) -> None:
    data = np.zeros((10, 3), dtype)
    with pytest.raises(InvalidInputError, match=r"X must be (real|numeric)"):
        as_rows(dask_array.from_array(data))
    with pytest.raises(InvalidInputError, match=r"X must be (real|numeric)"):
        as_rows(data)


def test_one_axis_is_refused(tmp_path: Path) -> None:
    stored = zarr.create_array(store=str(tmp_path / "z"), data=np.ones(9), chunks=(3,))
    with pytest.raises(InvalidInputError, match="at least two dimensions"):
        as_rows(stored)


# -- the estimator ---------------------------------------------------------------------------------


def quick(**parameters: Any) -> ParametricUMAP:
    small = {"n_neighbors": 6, "n_epochs": 20, "encoder": "reference", "batch_size": 70}
    return ParametricUMAP(random_state=0, **(small | parameters))


@pytest.fixture(scope="module")
def in_memory() -> ParametricUMAP:
    return quick().fit(COUNTS.astype(np.float32))


@pytest.mark.parametrize("kind", KINDS[:-1])
def test_few_samples_of_any_kind_give_the_same_map(
    kind: str, in_memory: ParametricUMAP, tmp_path: Path
) -> None:
    samples = of_kind(kind, COUNTS, tmp_path)
    np.testing.assert_array_equal(quick().fit_transform(samples), in_memory.embedding_)


@pytest.mark.usefixtures("nothing_whole")
@pytest.mark.parametrize("kind", KINDS)
def test_many_samples_of_any_kind_are_fitted_placed_and_learned(
    kind: str, in_memory: ParametricUMAP, tmp_path: Path
) -> None:
    samples = of_kind(kind, COUNTS, tmp_path)
    embedder = quick().fit(samples)
    difference = embedder.graph_ - in_memory.graph_
    # Six features have at most six components, so these keep all distances, up to rounding.
    assert abs(difference).max() < 1e-3
    places = embedder.transform(samples)
    np.testing.assert_allclose(places, embedder.embedding_, atol=1e-5)
    np.testing.assert_allclose(places, embedder.transform(COUNTS), atol=1e-5)
    embedder.update(samples)
    assert embedder.embedding_.shape == (N_SAMPLES, 2)
    assert np.abs(embedder.transform(samples) - places).max() < 0.5 * np.ptp(places)


@pytest.mark.usefixtures("nothing_whole")
@pytest.mark.parametrize("kind", ["uint8", "zarr", "dask"])
def test_codes_and_derivatives_are_those_of_the_array(kind: str, tmp_path: Path) -> None:
    embedder = quick(parametric_reconstruction=True, n_style_components=2).fit(COUNTS)
    samples, floats = of_kind(kind, COUNTS, tmp_path), COUNTS.astype(np.float32)
    for method in (embedder.style, embedder.encoder_jacobian):
        np.testing.assert_allclose(method(samples), method(floats), rtol=1e-4, atol=1e-5)


@pytest.mark.usefixtures("nothing_whole")
def test_a_model_of_many_samples_is_saved_and_loaded(tmp_path: Path) -> None:
    from embedscope import load_ParametricUMAP

    embedder = quick().fit(COUNTS)
    embedder.save(tmp_path / "model")
    loaded = load_ParametricUMAP(tmp_path / "model")
    np.testing.assert_array_equal(loaded.transform(COUNTS), embedder.transform(COUNTS))
    loaded.update(COUNTS[:30])


@pytest.mark.usefixtures("nothing_whole")
@pytest.mark.parametrize("kind", ["uint8", "zarr"])
@pytest.mark.parametrize(
    "parameters",
    [
        {"parametric_reconstruction": True},
        {"parametric_reconstruction": True, "n_style_components": 2, "validation_fraction": 0.1},
        {"unique": True},
        {"metric": "manhattan"},
    ],
    ids=lambda parameters: next(reversed(parameters)),
)
def test_every_kind_of_fit_takes_many_samples(
    kind: str, parameters: dict[str, Any], tmp_path: Path
) -> None:
    embedder = quick(**parameters).fit(of_kind(kind, COUNTS, tmp_path))
    assert np.isfinite(embedder.embedding_).all()
    assert len(embedder.embedding_) == N_SAMPLES
