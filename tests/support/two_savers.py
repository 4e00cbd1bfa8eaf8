"""Two savers of one path, as two processes or two threads, whose saves overlap."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np

# Saves prepared files, as a save of a model does but without the time of TensorFlow, and file by
# file, so that two saves overlap. A line of its input says what to save, when and where.
SAVER = """
import sys, time
from pathlib import Path
from embedscope.core.storage._model_layout import MODEL
from embedscope.core.storage._stored_directory import replace_files
from embedscope.core.storage._stored_file import replace_file
from embedscope.explorer.session._session import SESSION

def save(kind, target, source, pause):
    if kind == "file":
        with replace_file(target) as written:
            written.write_bytes(source.read_bytes())
        return
    with replace_files(target, {"model": MODEL, "session": SESSION}[kind]) as folder:
        for file in sorted(source.rglob("*")):
            copy = folder / file.relative_to(source)
            time.sleep(pause)
            if file.is_dir():
                copy.mkdir(exist_ok=True)
            else:
                copy.write_bytes(file.read_bytes())
"""
ASKED = """
print(flush=True)
for line in sys.stdin:
    kind, target, source, delay, pause = line.rstrip().split("\\t")
    time.sleep(float(delay))
    save(kind, Path(target), Path(source), float(pause))
    print("saved", flush=True)
"""

Save = Callable[[str, Path, Path, float], None]


@contextmanager
def saving_processes(n_processes: int = 2) -> Iterator[list[subprocess.Popen[str]]]:
    """Processes that save on request."""
    with ExitStack() as stack:
        processes = []
        for _ in range(n_processes):
            command = [sys.executable, "-c", SAVER + ASKED]
            process = stack.enter_context(
                subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            )
            stack.callback(process.stdin.close)  # type: ignore[union-attr]
            processes.append(process)
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "\n"
        yield processes


def save_by_processes(
    processes: list[subprocess.Popen[str]],
    kind: str,
    target: Path,
    sources: list[Path],
    rng: np.random.Generator,
) -> None:
    """Have each process save another source to the same path at nearly the same time."""
    for process, source in zip(processes, sources, strict=True):
        delay, pause = rng.uniform(0, 0.01), rng.uniform(0, 0.005)
        assert process.stdin is not None
        process.stdin.write(f"{kind}\t{target}\t{source}\t{delay}\t{pause}\n")
        process.stdin.flush()
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "saved\n"


def save_by_threads(kind: str, target: Path, sources: list[Path], rng: np.random.Generator) -> None:
    """Have two threads of this process save to the same path at nearly the same time."""
    scope: dict[str, Save] = {}
    exec(SAVER, scope)
    failures: list[BaseException] = []

    def run(source: Path, delay: float, pause: float) -> None:
        time.sleep(delay)
        try:
            scope["save"](kind, target, source, pause)
        except BaseException as error:
            failures.append(error)

    threads = [
        threading.Thread(target=run, args=(source, rng.uniform(0, 0.01), rng.uniform(0, 0.005)))
        for source in sources
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
