"""Maps in other processes: spawned ones, forked ones, and those of joblib."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import make_blobs
from sklearn.model_selection import cross_val_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline

from embedscope import ParametricUMAP
from embedscope._errors import ForkedError

DATA, LABELS = make_blobs(80, 5, centers=4, cluster_std=0.5, random_state=3)
PATIENCE_S = 120  # a process may have to load TensorFlow beside others


def quick() -> ParametricUMAP:
    return ParametricUMAP(
        6,
        n_epochs=10,
        encoder="reference",
        solver="edges",
        parametric_reconstruction=True,
        random_state=0,
    )


@pytest.fixture(scope="module")
def fitted() -> ParametricUMAP:
    return quick().fit(DATA)


def test_a_spawned_process_transforms_and_fits(fitted: ParametricUMAP) -> None:
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn) as processes:
        places = processes.submit(fitted.transform, DATA[:7])
        embedding = processes.submit(quick().fit_transform, DATA)
        np.testing.assert_array_equal(places.result(PATIENCE_S), fitted.transform(DATA[:7]))
        np.testing.assert_array_equal(embedding.result(PATIENCE_S), fitted.embedding_)


@pytest.mark.long
def test_joblibs_processes_score_the_same() -> None:
    pipeline = make_pipeline(quick(), KNeighborsClassifier(3))
    scores = [cross_val_score(pipeline, DATA, LABELS, cv=2, n_jobs=n_jobs) for n_jobs in (1, 2)]
    np.testing.assert_array_equal(*scores)


def error_in_a_fork(step: Callable[[], Any]) -> Exception | None:
    """The error that a step raises in a forked process, which is killed if it blocks."""
    fork = multiprocessing.get_context("fork")
    receiver, sender = fork.Pipe(duplex=False)

    def take() -> None:
        try:
            step()
        except Exception as error:
            sender.send(error)
        else:
            sender.send(None)

    process = fork.Process(target=take)
    process.start()
    try:
        assert receiver.poll(PATIENCE_S), "the process hangs"
        return receiver.recv()
    finally:
        process.kill()
        process.join()


@pytest.mark.skipif(
    "fork" not in multiprocessing.get_all_start_methods(), reason="this system cannot fork"
)
# Python tells the same from 3.12 on: threads are not forked.
@pytest.mark.filterwarnings("ignore:.* use of fork:DeprecationWarning")
@pytest.mark.parametrize("what", ["fit", "transform", "inverse_transform", "encoder_jacobian"])
def test_a_forked_process_gets_an_error_where_tensorflow_would_wait_for_ever(
    what: str, fitted: ParametricUMAP
) -> None:
    values = fitted.embedding_ if what == "inverse_transform" else DATA
    error = error_in_a_fork(lambda: getattr(fitted, what)(values))
    assert isinstance(error, ForkedError)
    assert isinstance(error, RuntimeError)
    assert "get_context('spawn')" in str(error)
