"""Every kind of array that holds samples: frames, memory maps, sparse, zarr and dask arrays."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import dask.array as dask_array
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import zarr
from scipy import sparse

from embedscope import ParametricUMAP
from embedscope._errors import InvalidInputError
from embedscope.core.arrays import _rows, _sources

N_SAMPLES, N_FEATURES = 90, 6
DATA = np.random.default_rng(11).gamma(0.3, size=(N_SAMPLES, N_FEATURES)).astype(np.float32)
DATA[DATA < 0.05] = 0.0  # so that a sparse matrix is one
DATA.setflags(write=False)
IMAGES = np.random.default_rng(12).random(size=(N_SAMPLES, 4, 5, 3), dtype=np.float32)
IMAGES.setflags(write=False)
NAMES = [f"channel {number}" for number in range(N_FEATURES)]


def quick(**parameters: Any) -> ParametricUMAP:
    small = {"n_neighbors": 6, "n_epochs": 20, "encoder": "reference", "solver": "edges"}
    return ParametricUMAP(random_state=0, **(small | parameters))


@pytest.fixture(scope="module")
def flat() -> ParametricUMAP:
    return quick().fit(DATA)


@pytest.fixture(scope="module")
def shaped() -> ParametricUMAP:
    return quick(parametric_reconstruction=True).fit(IMAGES)


def on_disk(folder: Path, data: np.ndarray) -> np.memmap:
    """A read-only memory map of some data."""
    np.save(folder / "data.npy", data)
    return np.load(folder / "data.npy", mmap_mode="r")


def in_zarr(folder: Path, data: np.ndarray, chunks: tuple[int, ...]) -> Any:
    return zarr.create_array(store=str(folder / "data.zarr"), data=data, chunks=chunks)


# -- fit ------------------------------------------------------------------------------------------


class Tensor:
    """An object that gives numpy an array on request, as tensors of torch and frames do."""

    def __init__(self, values: np.ndarray) -> None:
        self._values = values

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        return np.array(self._values, dtype=dtype, copy=copy)


@pytest.mark.parametrize(
    "kind", ["frame", "arrow", "tensor", "memmap", "zarr", "dask", "list", "float64"]
)
def test_fit_takes_it_and_gives_the_same_map(
    kind: str, flat: ParametricUMAP, tmp_path: Path
) -> None:
    samples = {
        "frame": lambda: pd.DataFrame(DATA, columns=NAMES),
        "arrow": lambda: pa.table(dict(zip(NAMES, DATA.T, strict=True))),
        "tensor": lambda: Tensor(DATA),
        "memmap": lambda: on_disk(tmp_path, DATA),
        "zarr": lambda: in_zarr(tmp_path, DATA, (20, 4)),
        "dask": lambda: dask_array.from_array(DATA, chunks=(20, 4)),
        "list": DATA.tolist,
        "float64": lambda: DATA.astype(np.float64),
    }[kind]()
    estimator = quick().fit(samples)
    np.testing.assert_array_equal(estimator.embedding_, flat.embedding_)
    assert estimator.n_features_in_ == N_FEATURES
    if kind in ("frame", "arrow"):
        assert list(estimator.feature_names_in_) == NAMES


def test_tensors_go_both_ways_with_labels() -> None:
    labels = np.arange(N_SAMPLES) % 3
    expected = quick(parametric_reconstruction=True).fit(DATA, labels)
    estimator = quick(parametric_reconstruction=True).fit(Tensor(DATA), Tensor(labels))
    np.testing.assert_array_equal(estimator.embedding_, expected.embedding_)
    np.testing.assert_array_equal(estimator.transform(Tensor(DATA)), expected.transform(DATA))
    places = expected.embedding_[:5]
    np.testing.assert_array_equal(
        estimator.inverse_transform(Tensor(places)), expected.inverse_transform(places)
    )


@pytest.mark.parametrize(
    "kind",
    [
        "zarr",
        "dask",
        pytest.param("memmap", marks=pytest.mark.long),  # of flat samples it is tried always
        "flattened",
    ],
)
def test_fit_takes_images_and_gives_the_same_map(
    kind: str, shaped: ParametricUMAP, tmp_path: Path
) -> None:
    samples, dims = {
        "zarr": lambda: (in_zarr(tmp_path, IMAGES, (20, 2, 5, 1)), None),
        "dask": lambda: (dask_array.from_array(IMAGES, chunks=(20, 2, 5, 1)), None),
        "memmap": lambda: (on_disk(tmp_path, IMAGES), None),
        "flattened": lambda: (IMAGES.reshape(N_SAMPLES, -1), IMAGES.shape[1:]),
    }[kind]()
    estimator = quick(parametric_reconstruction=True, dims=dims).fit(samples)
    np.testing.assert_array_equal(estimator.embedding_, shaped.embedding_)
    drawn = estimator.inverse_transform(estimator.embedding_)
    assert drawn.shape == samples.shape
    expected = shaped.inverse_transform(shaped.embedding_)
    np.testing.assert_array_equal(drawn.reshape(IMAGES.shape), expected)


SPARSE = ("csr", "csc", "coo", "lil", "dok", "bsr", "dia")


@pytest.mark.parametrize("kind", SPARSE)
@pytest.mark.parametrize(
    "container", [sparse.csr_matrix, sparse.csr_array], ids=["matrix", "array"]
)
def test_sparse_samples_are_placed_like_dense_ones(
    kind: str, container: Any, flat: ParametricUMAP
) -> None:
    samples = container(DATA).asformat(kind)
    np.testing.assert_array_equal(flat.transform(samples), flat.transform(DATA))


@pytest.fixture(scope="module")
def from_csr() -> ParametricUMAP:
    return quick().fit(sparse.csr_matrix(DATA))


@pytest.mark.parametrize("kind", ["csc", "coo"])
def test_fit_takes_any_sparse_format(kind: str, from_csr: ParametricUMAP) -> None:
    samples = sparse.csr_matrix(DATA).asformat(kind)
    before = samples.copy()
    np.testing.assert_array_equal(quick().fit_transform(samples), from_csr.embedding_)
    assert (samples != before).nnz == 0


def test_a_sparse_fit_finds_the_neighbours_of_the_dense_one(
    from_csr: ParametricUMAP, flat: ParametricUMAP
) -> None:
    difference = (from_csr.graph_ - flat.graph_).tocoo()
    assert np.abs(difference.data).max(initial=0.0) < 1e-4
    np.testing.assert_array_equal(from_csr.transform(DATA), from_csr.embedding_)


@pytest.mark.parametrize("solver", ["edges", "auxiliary"])
def test_sparse_and_dense_samples_give_the_same_map_to_the_last_bit(
    solver: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Up to a size; above it a sparse matrix stays one, and the map may be another."""
    embedder = quick(solver=solver, encoder=None, parametric_reconstruction=True)
    dense, thin = embedder.fit_transform(DATA), sparse.csr_matrix(DATA)
    drawn = embedder.inverse_transform(dense)
    np.testing.assert_array_equal(embedder.fit_transform(thin), dense)
    np.testing.assert_array_equal(embedder.inverse_transform(dense), drawn)
    monkeypatch.setattr(_rows, "_DENSE_VALUES", DATA.size - 1)
    places = embedder.fit_transform(thin)
    np.testing.assert_allclose(embedder.transform(DATA), places, rtol=0, atol=1e-5)
    assert not np.array_equal(places, dense)


def test_a_sparse_fit_with_dims_and_decoder_decodes_dense_images() -> None:
    thin = np.where(IMAGES > 0.7, IMAGES, 0.0).reshape(N_SAMPLES, -1)
    estimator = quick(dims=(4, 5, 3), parametric_reconstruction=True)
    places = estimator.fit_transform(sparse.csr_matrix(thin))
    np.testing.assert_array_equal(estimator.transform(thin.reshape(IMAGES.shape)), places)
    drawn = estimator.inverse_transform(places)
    assert drawn.shape == thin.shape
    assert 0.0 <= drawn.min() <= drawn.max() <= 1.0


# -- transform ------------------------------------------------------------------------------------


def assert_same_places(places: np.ndarray, others: np.ndarray) -> None:
    """Equal up to the last bits, which depend on the index of a row in its block."""
    np.testing.assert_allclose(places, others, rtol=0, atol=1e-5)


def test_a_memory_map_is_placed_like_an_array(flat: ParametricUMAP, tmp_path: Path) -> None:
    np.testing.assert_array_equal(flat.transform(on_disk(tmp_path, DATA)), flat.transform(DATA))


@pytest.mark.parametrize("rows_a_chunk", [1, 7, N_SAMPLES, 4 * N_SAMPLES])
def test_zarr_is_placed_block_by_block(
    rows_a_chunk: int,
    flat: ParametricUMAP,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(_sources, "_UNIT_BYTES", 10 * 4 * N_FEATURES)  # ten rows
    stored = Counted(in_zarr(tmp_path, DATA, (rows_a_chunk, 4)))
    assert_same_places(flat.transform(stored), flat.transform(DATA))
    assert stored.n_rows == N_SAMPLES
    assert stored.most_at_once <= max(10, min(rows_a_chunk, N_SAMPLES))


def test_zarr_images_are_placed_too(shaped: ParametricUMAP, tmp_path: Path) -> None:
    stored = in_zarr(tmp_path, IMAGES, (20, 2, 5, 1))
    assert_same_places(shaped.transform(stored), shaped.embedding_)


def test_zarr_without_samples_is_refused(flat: ParametricUMAP, tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="n_samples=0"):
        flat.transform(in_zarr(tmp_path, DATA[:0], (1, 4)))


class Counted:
    """An array that counts how often its rows are read."""

    def __init__(self, data: np.ndarray) -> None:
        self.data, self.shape, self.dtype, self.ndim = data, data.shape, data.dtype, data.ndim
        self.chunks = getattr(data, "chunks", None)
        self.n_reads = self.n_rows = self.most_at_once = 0

    def __getitem__(self, index: Any) -> np.ndarray:
        read = self.data[index]
        self.n_reads += 1
        self.n_rows += len(read)
        self.most_at_once = max(self.most_at_once, len(read))
        return read


def lazily(data: np.ndarray, chunks: tuple[int, ...]) -> tuple[Any, Counted]:
    source = Counted(data)
    array = dask_array.from_array(
        source, chunks=chunks, meta=np.empty((0,) * data.ndim, data.dtype)
    )
    return array, source


@pytest.mark.parametrize("chunks", [(20, 6), (90, 2), (1, 6), (37, 4)])
def test_dask_is_placed_lazily(chunks: tuple[int, ...], flat: ParametricUMAP) -> None:
    samples, source = lazily(DATA, chunks)
    places = flat.transform(samples)
    assert isinstance(places, dask_array.Array)
    assert source.n_reads == 0
    assert places.shape == (N_SAMPLES, 2)
    assert places.dtype == np.float32
    assert places.chunks[0] == samples.chunks[0]
    assert_same_places(places.compute(), flat.transform(DATA))
    assert source.n_reads > 0


@pytest.mark.parametrize("chunks", [(20, 4, 5, 3), (90, 2, 5, 1), (7, 4, 1, 3)])
def test_dask_images_are_placed_lazily(chunks: tuple[int, ...], shaped: ParametricUMAP) -> None:
    samples, source = lazily(IMAGES, chunks)
    places = shaped.transform(samples)
    assert source.n_reads == 0
    assert places.shape == (N_SAMPLES, 2)
    assert_same_places(places.compute(), shaped.embedding_)


def test_only_the_blocks_that_are_asked_for_are_read(flat: ParametricUMAP) -> None:
    samples, source = lazily(DATA, (10, 6))
    assert_same_places(flat.transform(samples)[15:18].compute(), flat.embedding_[15:18])
    assert source.n_reads == 1


def test_a_selection_with_empty_blocks_is_placed(flat: ParametricUMAP) -> None:
    samples = dask_array.from_array(DATA, chunks=(10, 6))
    chosen = np.zeros(N_SAMPLES, bool)
    chosen[[3, 4, 55]] = True
    places = flat.transform(samples[dask_array.from_array(chosen, chunks=10)])
    assert_same_places(places.compute(), flat.transform(DATA[chosen]))


def test_lazy_positions_can_be_computed_in_threads(flat: ParametricUMAP) -> None:
    samples = dask_array.from_array(DATA, chunks=(5, 6))
    again = quick().fit(DATA)  # its networks have not been called yet
    places = again.transform(samples).compute(scheduler="threads", num_workers=4)
    assert_same_places(places, flat.embedding_)


@pytest.mark.parametrize("shape", [(N_SAMPLES, 5), (N_SAMPLES, 7), (N_SAMPLES,), (9, 2, 2)])
def test_a_lazy_array_of_other_samples_is_refused_at_once(
    shape: tuple[int, ...], flat: ParametricUMAP
) -> None:
    with pytest.raises(InvalidInputError):
        flat.transform(dask_array.zeros(shape))


def test_a_lazy_image_of_other_axes_is_refused_at_once(shaped: ParametricUMAP) -> None:
    with pytest.raises(InvalidInputError, match="axes are in another order"):
        shaped.transform(dask_array.zeros((10, 3, 4, 5)))


def test_not_a_number_in_a_lazy_array_is_found_when_it_is_computed(flat: ParametricUMAP) -> None:
    places = flat.transform(dask_array.full((10, N_FEATURES), np.nan, chunks=(5, 6)))
    with pytest.raises(InvalidInputError, match="NaN"):
        places.compute()


# -- frames ---------------------------------------------------------------------------------------


def test_a_frames_names_are_kept_and_checked() -> None:
    frame = pd.DataFrame(DATA, columns=NAMES)
    estimator = quick().fit(frame)
    np.testing.assert_array_equal(estimator.feature_names_in_, NAMES)
    np.testing.assert_array_equal(estimator.transform(frame), estimator.embedding_)
    with pytest.raises(ValueError, match="feature names should match"):
        estimator.transform(frame[NAMES[::-1]])
    estimator.fit(DATA)
    assert not hasattr(estimator, "feature_names_in_")


def test_columns_of_several_number_types_make_one_array(flat: ParametricUMAP) -> None:
    frame = pd.DataFrame(DATA, columns=NAMES).astype({NAMES[0]: "float64", NAMES[1]: "Float32"})
    np.testing.assert_array_equal(quick().fit_transform(frame), flat.embedding_)


def test_a_gap_in_a_column_is_refused() -> None:
    frame = pd.DataFrame(DATA, columns=NAMES).astype({NAMES[1]: "Float32"})
    frame.loc[3, NAMES[1]] = pd.NA
    with pytest.raises(InvalidInputError, match=r"X must be (numeric|finite)"):
        quick().fit(frame)


def test_a_column_of_words_is_refused() -> None:
    frame = pd.DataFrame(DATA, columns=NAMES).assign(kind="cell")
    with pytest.raises(InvalidInputError, match="OneHotEncoder"):
        quick().fit(frame)


def test_labels_may_be_a_column_of_a_frame() -> None:
    labels = np.arange(N_SAMPLES) % 3 - 1
    expected = quick().fit(DATA, labels).graph_
    for column in (
        pd.Series(labels, index=np.arange(N_SAMPLES)[::-1]),
        pd.Series(labels, dtype="Int64"),
        pd.Series(labels, dtype="category"),
    ):
        assert (quick().fit(DATA, column).graph_ != expected).nnz == 0
