"""No full garbage collection blocks the threads of a program while a run trains in it."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator

import pytest

from embedscope.training import Phase, Status, TrainingParameters, TrainingRun
from embedscope.training._garbage import full_collections_spared


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    before = gc.get_threshold(), gc.get_freeze_count()
    yield
    assert (gc.get_threshold(), gc.get_freeze_count()) == before


@pytest.fixture
def sizes() -> Iterator[list[int]]:
    """How many objects each full collection traverses."""
    found: list[int] = []

    def note(phase: str, info: dict[str, int]) -> None:
        if phase == "start" and info["generation"] == 2:
            found.append(len(gc.get_objects()))

    gc.callbacks.append(note)
    yield found
    gc.callbacks.remove(note)


def import_much() -> list[list[int]]:
    """Enough surviving objects to make Python run a full collection, whatever there was before."""
    return [[] for _ in range(400_000 + len(gc.get_objects()) // 2)]


def test_python_would_run_a_full_collection(sizes):
    import_much()
    assert sizes


def test_no_full_collection_before_it_settles_and_then_only_of_new_objects(sizes):
    there = import_much()
    sizes.clear()
    with full_collections_spared() as settle:
        there += import_much()
        assert sizes == []
        settle()
        settle()  # a second call does nothing
        new = import_much()
        assert sizes  # garbage is still found
        assert max(sizes) < len(new) + 100_000 < len(there)


def test_young_garbage_is_collected_all_the_time():
    class Ring:
        def __init__(self) -> None:
            self.me = self

        def __del__(self) -> None:
            gone.set()

    gone = threading.Event()
    with full_collections_spared():
        Ring()
        _ = [[] for _ in range(5_000)]
        assert gone.is_set()


def test_the_last_of_several_restores_the_thresholds():
    usual = gc.get_threshold()
    with full_collections_spared() as settle_outer:
        with full_collections_spared() as settle_inner:
            settle_inner()
            assert gc.get_threshold() != usual  # the outer one still loads
        assert gc.get_freeze_count() > 0
        settle_outer()
        assert gc.get_threshold() == usual
        assert gc.get_freeze_count() > 0
    assert gc.get_freeze_count() == 0


def test_objects_that_other_code_froze_stay_frozen():
    gc.freeze()
    try:
        with full_collections_spared():
            pass
        assert gc.get_freeze_count() > 0
    finally:
        gc.unfreeze()


@pytest.mark.parametrize("ends", ["done", "stopped", "failed"])
def test_a_run_restores_the_collector_whether_it_is_done_stopped_or_failed(table, ends):
    frozen: list[int] = []

    def watch(status: Status) -> None:
        if status.phase is Phase.FITTING:
            frozen.append(gc.get_freeze_count())
            if ends == "stopped":
                run.stop()

    few = {"encoder": "dense", "quality": "fast", "reconstruction": False}
    parameters = TrainingParameters(n_neighbors=400 if ends == "failed" else 15, **few)
    run = TrainingRun(table, parameters)
    run.status_changed.connect(watch)
    run.start()
    assert run.wait(120).phase.value == ends
    if ends != "failed":  # which it does before
        assert min(frozen) > 100_000
