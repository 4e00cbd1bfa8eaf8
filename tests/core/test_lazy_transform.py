"""Dask arrays and frames: the model travels once, a lost worker loses nothing, chunks are named."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from typing import Any

import cloudpickle
import dask
import dask.array as dask_array
import dask.dataframe as dask_frame
import numpy as np
import pandas as pd
import pytest
from dask.delayed import Delayed
from distributed import Client, LocalCluster, futures_of
from scipy import sparse
from sklearn.base import clone

from embedscope import ParametricUMAP
from embedscope._errors import InvalidInputError, MissingDependencyError
from embedscope.core import _lazy_transform

N_FEATURES = 6
DATA = np.random.default_rng(11).normal(size=(400, N_FEATURES)).astype(np.float32)
DATA.setflags(write=False)
NAMES = [f"channel {number}" for number in range(N_FEATURES)]


@pytest.fixture(scope="module")
def fitted() -> ParametricUMAP:
    small = {"n_neighbors": 6, "n_epochs": 20, "encoder": "reference", "batch_size": 90}
    return ParametricUMAP(random_state=0, **small).fit(DATA[:90])


@pytest.fixture(scope="module")
def named() -> ParametricUMAP:
    small = {"n_neighbors": 6, "n_epochs": 20, "encoder": "reference", "batch_size": 90}
    return ParametricUMAP(random_state=0, **small).fit(pd.DataFrame(DATA[:90], columns=NAMES))


def assert_same_places(places: np.ndarray, others: np.ndarray) -> None:
    """Equal up to the last bits, which depend on the index of a row in its block."""
    np.testing.assert_allclose(places, others, rtol=0, atol=1e-5)


# -- the graph -------------------------------------------------------------------------------------


def pickled_size(array: Any) -> int:
    (done,) = dask.optimize(array)
    return sum(len(cloudpickle.dumps(task)) for task in done.__dask_graph__().values())


def test_the_model_is_one_task_and_not_part_of_every_chunk(fitted: ParametricUMAP) -> None:
    few, many = (
        pickled_size(fitted.transform(dask_array.zeros((size * 10, N_FEATURES), chunks=(10, -1))))
        for size in (2, 42)
    )
    model = len(cloudpickle.dumps(_placer(fitted)))
    assert few > model > 50_000
    assert (many - few) / 40 < model / 10


def _placer(fitted: ParametricUMAP) -> _lazy_transform.BlockPlacer:
    lazy = fitted.transform(dask_array.zeros((10, N_FEATURES)))
    name = next(str(key) for key in lazy.dask if "embedscope-model" in str(key))
    return Delayed(name, lazy.dask).compute()


def test_a_copied_placer_gives_the_same_positions_and_holds_no_map(fitted: ParametricUMAP) -> None:
    placer = _placer(fitted)
    pickled = cloudpickle.dumps(placer)
    copied = cloudpickle.loads(pickled)
    np.testing.assert_array_equal(copied.place(DATA, 0, 0), fitted.transform(DATA))
    assert fitted.embedding_.tobytes() not in pickled
    assert copied.fingerprint == placer.fingerprint


def test_models_that_differ_have_other_names(fitted: ParametricUMAP) -> None:
    other = ParametricUMAP(
        n_neighbors=6, n_epochs=20, encoder="reference", batch_size=90, random_state=1
    ).fit(DATA[:90])
    assert _placer(other).fingerprint != _placer(fitted).fingerprint
    assert _placer(fitted).fingerprint == _placer(fitted).fingerprint


# -- bad chunks ------------------------------------------------------------------------------------


def test_a_chunk_with_not_a_number_is_named_with_its_rows(fitted: ParametricUMAP) -> None:
    data = DATA.copy()
    data[[123, 131], 2] = np.nan
    places = fitted.transform(dask_array.from_array(data, chunks=(50, 3)))
    with pytest.raises(InvalidInputError, match=r"2 NaN .* in row 123, 131\. .* is chunk 2\."):
        places.compute()
    assert_same_places(places[:100].compute(), fitted.transform(DATA[:100]))


def test_chunks_of_unknown_sizes_are_placed(fitted: ParametricUMAP) -> None:
    samples = dask_array.from_array(DATA, chunks=(50, N_FEATURES))
    chosen = DATA[:, 0] > 0
    lazy = samples[dask_array.from_array(chosen, chunks=50)]
    assert_same_places(fitted.transform(lazy).compute(), fitted.transform(DATA[chosen]))
    refitted = ParametricUMAP(
        n_neighbors=6, n_epochs=20, encoder="reference", batch_size=90, random_state=0
    )
    assert len(refitted.fit_transform(lazy)) == chosen.sum()


def test_sparse_chunks_are_placed_and_fitted(fitted: ParametricUMAP) -> None:
    thin = np.where(DATA > 0.5, DATA, 0.0)
    lazy = dask_array.from_array(thin, chunks=(50, N_FEATURES)).map_blocks(sparse.csr_matrix)
    assert_same_places(fitted.transform(lazy).compute(), fitted.transform(thin))
    again = clone(fitted).fit(lazy[:100])
    np.testing.assert_array_equal(again.embedding_, clone(fitted).fit(thin[:100]).embedding_)


# -- frames ----------------------------------------------------------------------------------------


def frame(columns: list[str] = NAMES) -> Any:
    whole = pd.DataFrame(DATA, columns=NAMES)[columns]
    return dask_frame.from_pandas(whole.assign(kind="cell"), npartitions=4)


def test_columns_in_another_order_are_put_right_by_name(named: ParametricUMAP) -> None:
    places = named.transform(frame(NAMES[::-1]))
    assert isinstance(places, dask_array.Array)
    assert places.numblocks == (4, 1)
    assert_same_places(places.compute(), named.transform(pd.DataFrame(DATA, columns=NAMES)))


def test_missing_columns_are_refused_with_both_lists(named: ParametricUMAP) -> None:
    with pytest.raises(InvalidInputError, match=r"\['channel 0', .*got \['channel 1', .*'kind'\]"):
        named.transform(frame(NAMES[1:]))


def test_a_model_without_names_takes_a_frame_of_its_columns_alone(fitted: ParametricUMAP) -> None:
    assert_same_places(fitted.transform(frame()[NAMES]).compute(), fitted.transform(DATA))
    with pytest.raises(InvalidInputError, match="7 features"):
        fitted.transform(frame())


def test_a_lazy_frame_is_fitted_and_learned_like_a_frame(named: ParametricUMAP) -> None:
    small = {"n_neighbors": 6, "n_epochs": 20, "encoder": "reference", "batch_size": 90}
    part = frame()[NAMES].loc[:89]
    lazily = ParametricUMAP(random_state=0, **small).fit(part)
    np.testing.assert_array_equal(lazily.embedding_, named.embedding_)
    assert list(lazily.feature_names_in_) == NAMES
    lazily.update(part[NAMES[::-1]])
    assert lazily.embedding_.shape == (90, 2)


# -- several processes -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    """Two worker processes on this machine."""
    with (
        LocalCluster(
            n_workers=2, processes=True, threads_per_worker=2, dashboard_address=":0"
        ) as cluster,
        Client(cluster) as client,
    ):
        yield client


def slowly(data: np.ndarray, chunk: int, seconds: float) -> Any:
    """Some data of which each chunk takes a while."""

    def wait(block: np.ndarray) -> np.ndarray:
        time.sleep(seconds)
        return block

    lazy = dask_array.from_array(data, chunks=(chunk, 3))
    return lazy.map_blocks(wait, dtype=np.float32, meta=np.empty((0, 0), np.float32))


def count_models(dask_worker: Any) -> None:
    """Let a worker count how often it builds the network of a model."""
    from embedscope.core import _lazy_transform as module

    build = module._restored
    dask_worker.n_built = 0

    def counted(archive: bytes) -> Any:
        dask_worker.n_built += 1
        return build(archive)

    module._restored = counted


def test_each_worker_builds_the_model_once(client: Client, fitted: ParametricUMAP) -> None:
    client.run(count_models)
    samples = slowly(DATA, 5, 0.05)
    assert_same_places(client.compute(fitted.transform(samples)).result(), fitted.transform(DATA))
    assert list(client.run(lambda dask_worker: dask_worker.n_built).values()) == [1, 1]


def test_a_lost_worker_loses_no_position(client: Client, fitted: ParametricUMAP) -> None:
    samples = slowly(np.tile(DATA, (3, 1)), 10, 0.1)
    places = fitted.transform(samples).persist()
    future = client.compute(places)
    workers = client.run(os.getpid)
    chunks = futures_of(places)
    while sum(each.done() for each in chunks) < len(chunks) // 4:
        time.sleep(0.05)
    assert not future.done()
    os.kill(next(iter(workers.values())), signal.SIGKILL)
    found = future.result(timeout=60)
    assert found.shape == (3 * len(DATA), 2)
    assert_same_places(found, np.tile(fitted.transform(DATA), (3, 1)))


def test_an_error_in_a_worker_names_the_chunk(client: Client, fitted: ParametricUMAP) -> None:
    data = DATA.copy()
    data[123, 2] = np.inf
    future = client.compute(fitted.transform(slowly(data, 50, 0.0)))
    with pytest.raises(InvalidInputError, match=r"1 infinity .* in row 123\. .* is chunk 2\."):
        future.result(timeout=60)


def test_a_worker_without_embedscope_is_told(fitted: ParametricUMAP) -> None:
    def hide() -> None:
        sys.modules["embedscope"] = None  # type: ignore[assignment]  # as if not installed

    with (
        LocalCluster(n_workers=1, processes=True, dashboard_address=":0") as cluster,
        Client(cluster) as client,
    ):
        client.run(hide)
        with pytest.raises(MissingDependencyError, match="without it: tcp://"):
            fitted.transform(dask_array.from_array(DATA, chunks=(50, 6)))
