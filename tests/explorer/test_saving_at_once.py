"""Two saves to one path at the same time: one waits, and one of both remains, complete."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from sessions import cell_samples, estimator, session
from two_savers import (
    SAVER,
    save_by_processes,
    save_by_threads,
    saving_processes,
)

from embedscope import Explorer, load_ParametricUMAP
from embedscope.core.storage._stored_directory import replace_files
from embedscope.explorer.session._session import SESSION, read_session, write_session

N_TRIALS = [5, pytest.param(200, marks=pytest.mark.long)]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Path]]:
    """Two models, two sessions and two files, that cannot be mistaken for each other."""
    folder = tmp_path_factory.mktemp("prepared")
    samples = cell_samples(folder / "images")
    models, sessions, files = ([folder / f"{kind} {n}" for n in (0, 1)] for kind in "msf")
    for number, model in enumerate(models):
        fitted = estimator()
        fitted.set_params(n_epochs=20 + number).save(model)
    fitted.set_params(n_epochs=20)
    write_session(sessions[0], session(samples, n_trained=30))
    write_session(sessions[1], session(samples, losses={"loss": [9.0]}))
    for number, file in enumerate(files):
        file.write_bytes(bytes([number]) * 100_000)
    return {"model": models, "session": sessions, "file": files}


def who_won(kind: str, target: Path, sources: list[Path]) -> int:
    """Load the result, and return which save it is of."""
    if kind == "file":
        return [source.read_bytes() for source in sources].index(target.read_bytes())
    if kind == "session":
        state = read_session(target)
        assert len(state.samples) == 36
        return int(state.model is None)
    return load_ParametricUMAP(target).n_epochs - 20


def require_nothing_else(kind: str, target: Path, source: Path) -> None:
    """No lock, no folder of a save is left beside the files."""
    if kind == "file":
        assert not [entry for entry in target.parent.iterdir() if entry.name.startswith(".")]
    else:
        assert {entry.name for entry in target.iterdir()} == {
            entry.name for entry in source.iterdir()
        }


@pytest.mark.parametrize("n_trials", N_TRIALS)
@pytest.mark.parametrize("by", ["processes", "threads"])
@pytest.mark.parametrize("kind", ["model", "session", "file"])
def test_two_saves_lose_nothing(
    kind: str, by: str, n_trials: int, tmp_path: Path, prepared: dict[str, list[Path]]
) -> None:
    sources, rng = prepared[kind], np.random.default_rng(n_trials)
    winners = set()
    with saving_processes(2 if by == "processes" else 0) as processes:
        for trial in range(n_trials):
            # Half of the time there is an earlier save at the path already.
            target = tmp_path / str(trial - trial % 2)
            if by == "processes":
                save_by_processes(processes, kind, target, sources, rng)
            else:
                save_by_threads(kind, target, sources, rng)
            winner = who_won(kind, target, sources)
            require_nothing_else(kind, target, sources[winner])
            winners.add(winner)
    assert n_trials < 50 or winners == {0, 1}


@pytest.mark.parametrize("n_trials", N_TRIALS)
@pytest.mark.parametrize("kind", ["model", "session"])
def test_load_while_two_save(
    kind: str, n_trials: int, tmp_path: Path, prepared: dict[str, list[Path]]
) -> None:
    target, sources, rng = tmp_path / "saved", prepared[kind], np.random.default_rng(0)
    is_over = threading.Event()
    failures: list[BaseException] = []

    def save_on() -> None:
        try:
            with saving_processes() as processes:
                while not is_over.is_set():
                    save_by_processes(processes, kind, target, sources, rng)
        except BaseException as error:
            failures.append(error)

    save_by_threads(kind, target, sources, rng)
    thread = threading.Thread(target=save_on)
    thread.start()
    try:
        found = {who_won(kind, target, sources) for _ in range(n_trials)}
    finally:
        is_over.set()
        thread.join()
    assert not failures
    assert n_trials < 50 or found == {0, 1}


def test_two_explorers_save_to_one_path(tmp_path: Path) -> None:
    explorers = [Explorer(np.random.default_rng(seed).random((9, 4))) for seed in (0, 1)]
    failures: list[BaseException] = []

    def save(explorer: Explorer) -> None:
        try:
            for _ in range(20):
                explorer.save(tmp_path / "session")
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=save, args=(explorer,)) for explorer in explorers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    opened = Explorer.open(tmp_path / "session").samples
    assert opened is not None
    assert any(
        np.array_equal(opened.table, explorer.samples.table)  # type: ignore[union-attr]
        for explorer in explorers
    )


HOLD_AND_DIE = """
import os
with replace_files(Path(sys.argv[1]), SESSION) as folder:
    (folder / "session.json").write_text("half a head")
    print(flush=True)
    sys.stdin.readline()
    os._exit(9)
"""


def test_lock_of_a_dead_process_does_not_block(
    tmp_path: Path, prepared: dict[str, list[Path]]
) -> None:
    """The waiting save goes on as soon as the other process dies."""
    target = tmp_path / "session"
    save_by_threads("session", target, prepared["session"][:1], np.random.default_rng(0))
    command = [sys.executable, "-c", SAVER + HOLD_AND_DIE, str(target)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        process.stdout.readline()
        assert who_won("session", target, prepared["session"]) == 0  # reading never waits
        waiting = threading.Thread(
            target=save_by_threads,
            args=("session", target, prepared["session"][1:], np.random.default_rng(0)),
        )
        waiting.start()
        waiting.join(0.3)
        assert waiting.is_alive()
        process.stdin.write(b"\n")
        process.stdin.flush()
        waiting.join(20)
        assert not waiting.is_alive()
    assert who_won("session", target, prepared["session"]) == 1
    require_nothing_else("session", target, prepared["session"][1])


def test_what_was_not_written_whole_does_not_count(
    tmp_path: Path, prepared: dict[str, list[Path]]
) -> None:
    target, source = tmp_path / "session", prepared["session"][1]
    save_by_threads("session", target, prepared["session"][:1], np.random.default_rng(0))
    with pytest.raises(OSError, match="arrays"):
        save_cut_short(target, source)
    assert who_won("session", target, prepared["session"]) == 0


def save_cut_short(target: Path, source: Path) -> None:
    with replace_files(target, SESSION) as folder:
        (folder / "session.json").write_bytes((source / "session.json").read_bytes())
        (folder / "arrays.npz").write_bytes((source / "arrays.npz").read_bytes()[:-1])
