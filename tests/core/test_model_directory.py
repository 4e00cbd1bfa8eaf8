"""A save replaces all files of a model at one instant, wherever the process is killed."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import keras
import numpy as np
import pytest

from embedscope._errors import InvalidInputError, InvalidModelError
from embedscope.core.storage._model_layout import MODEL
from embedscope.core.storage._storage import StoredModel, read_model, write_model
from embedscope.core.storage._stored_directory import replace_files

# Both scripts save prepared files as write_model does, but without importing TensorFlow: only the
# writing must be atomic, and the networks are in the files already.
PREPARED = """
import os, shutil, sys
from pathlib import Path
from embedscope.core.storage._model_layout import MODEL
from embedscope.core.storage._stored_directory import replace_files

target = Path(sys.argv[1])
sources = map(Path, sys.argv[2].split(os.pathsep))
models = [{file.name: file.read_bytes() for file in source.iterdir()} for source in sources]

def save(model):
    with replace_files(target, MODEL) as folder:
        for name, content in model.items():
            (folder / name).write_bytes(content)
"""

SAVE_FOREVER = """
while True:
    for model in models:
        save(model)
        print(flush=True)
"""

# Exits before the first, the second, the third, ... file operation of a save, without any cleanup,
# and copies the files that are left; until a save is completed. This for each of the starts.
DIE_AT_EVERY_STEP = """
states, *starts = map(Path, sys.argv[3:])

def die_before(last_step):
    steps = iter(range(1, last_step))
    def count(event, arguments):
        if event.split(".")[0] in ("os", "open", "shutil") and next(steps, None) is None:
            os._exit(9)
    sys.addaudithook(count)

def save_and_die(last_step):
    process = os.fork()
    if not process:
        die_before(last_step)
        save(models[0])
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == 9

for number, start in enumerate(starts):
    step, died = 0, True
    while died:
        step += 1
        shutil.rmtree(target, ignore_errors=True)
        if start.exists():
            shutil.copytree(start, target)
        died = save_and_die(step)
        if target.exists():
            shutil.copytree(target, states / f"{number:03}-{step:03}")
"""


COMMITTED_HEADERS = {"model.json", ".embedscope-saved/model.json"}


def make_model(number: int, names: tuple[str, ...]) -> StoredModel:
    """A model whose parts all hold its number, so that models cannot be confused."""
    initializer = keras.initializers.RandomNormal(seed=number)
    layers = [keras.layers.Dense(2, kernel_initializer=initializer)]
    networks = {name: keras.Sequential([keras.Input((3,)), *layers]) for name in names}
    arrays = {"embedding": np.full((5, 2), number, dtype=np.float32)}
    return StoredModel({"number": number}, {}, arrays, networks)


def transform(model: StoredModel) -> bytes:
    """The model's output, to the last bit."""
    batch = np.linspace(-1, 1, 12, dtype=np.float32).reshape(4, 3)
    return b"".join(
        network(batch).numpy().tobytes() for _, network in sorted(model.networks.items())
    )


@pytest.fixture(scope="module")
def models() -> list[StoredModel]:
    # The second has a file more, which saving the first must take away again.
    return [make_model(1, ("encoder",)), make_model(2, ("encoder", "decoder"))]


@pytest.fixture(scope="module")
def sources(models: list[StoredModel], tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("sources")
    for model in models:
        write_model(folder / str(model.parameters["number"]), model)
    return [folder / "1", folder / "2"]


def require_whole(path: Path, models: list[StoredModel]) -> int:
    """Load the model, check that all its parts are from the same save, and return its number."""
    loaded = read_model(path)
    number = loaded.parameters["number"]
    saved = models[number - 1]
    assert set(loaded.networks) == set(saved.networks)
    assert transform(loaded) == transform(saved)
    np.testing.assert_array_equal(loaded.arrays["embedding"], saved.arrays["embedding"])
    return number


@contextmanager
def endless_saver(target: Path, sources: list[Path]) -> Iterator[None]:
    """A process that saves in a loop and has saved once; killed at the end."""
    arguments = [str(target), os.pathsep.join(map(str, sources))]
    command = [sys.executable, "-c", PREPARED + SAVE_FOREVER, *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "\n", "the saver died before its first save"
        try:
            yield
        finally:
            process.send_signal(signal.SIGKILL)
            process.stdout.close()


def states_after_death(starts: list[Path], source: Path, scratch: Path) -> list[Path]:
    """The directories left by saves over each start, killed before each file operation.

    The last save over each is completed.
    """
    states = scratch / "states"
    states.mkdir(parents=True)
    arguments = map(str, (scratch / "model", source, states, *starts))
    command = [sys.executable, "-c", PREPARED + DIE_AT_EVERY_STEP, *arguments]
    subprocess.run(command, check=True)
    return sorted(states.iterdir())


def contents(path: Path) -> dict[str, bytes]:
    """Every file below a directory."""
    files = (file for file in path.rglob("*") if file.is_file())
    return {str(file.relative_to(path)): file.read_bytes() for file in files}


def distinct(states: list[Path]) -> list[Path]:
    """The states without duplicates."""
    return list({tuple(sorted(contents(state).items())): state for state in states}.values())


@pytest.mark.parametrize("n_kills", [10, pytest.param(50, marks=pytest.mark.long)])
def test_killed_at_random_instants(
    n_kills: int, tmp_path: Path, sources: list[Path], models: list[StoredModel]
) -> None:
    target = tmp_path / "model"
    instants = random.Random(n_kills)
    for _ in range(n_kills):
        with endless_saver(target, sources):
            time.sleep(instants.uniform(0, 0.05))
        require_whole(target, models)


@pytest.mark.parametrize(("old", "new"), [(1, 2), (2, 1)])
def test_killed_at_every_step(
    old: int, new: int, tmp_path: Path, sources: list[Path], models: list[StoredModel]
) -> None:
    """There is the old model up to a step, and the new one from then on."""
    states = states_after_death([sources[old - 1]], sources[new - 1], tmp_path)
    found = [require_whole(state, models) for state in states]
    commit = found.index(new)
    assert found == [old] * commit + [new] * (len(found) - commit)
    assert len(distinct(states[:commit])) > 3  # there are states in the middle of a save,
    assert len(distinct(states[commit:])) > 3  # before the commit and after it


@pytest.fixture
def in_memory(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory, where there is one: a thousand states are copied in half the time."""
    if not os.access("/dev/shm", os.W_OK):
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        yield Path(folder)


def test_killed_at_every_step_twice(
    in_memory: Path, sources: list[Path], models: list[StoredModel]
) -> None:
    """A save over the files of a killed save is killed as well."""
    first = distinct(states_after_death([sources[0]], sources[1], in_memory / "first"))
    second = states_after_death(first, sources[0], in_memory / "second")
    for state in distinct(second):
        require_whole(state, models)


def test_killed_at_every_step_of_the_first_save(
    tmp_path: Path, sources: list[Path], models: list[StoredModel]
) -> None:
    """There is no model up to a step, and the new one from then on."""
    states = states_after_death([tmp_path / "nothing"], sources[1], tmp_path)
    committed = [state for state in states if contents(state).keys() & COMMITTED_HEADERS]
    for state in committed:
        assert require_whole(state, models) == 2
    assert committed == states[-len(committed) :]
    assert 3 < len(committed) < len(states)
    for state in states[: -len(committed)]:
        with pytest.raises(InvalidModelError, match="path must be a directory that save wrote"):
            read_model(state)


@pytest.mark.parametrize("start", ["nothing", "a model"])
def test_next_save_clears_up(start: str, tmp_path: Path, sources: list[Path]) -> None:
    """After any killed save, the next save leaves only the model's files."""
    old = sources[0] if start == "a model" else tmp_path / start
    for state in states_after_death([old], sources[1], tmp_path):
        with replace_files(state, MODEL) as folder:
            for name, content in contents(sources[0]).items():
                (folder / name).write_bytes(content)
        assert contents(state) == contents(sources[0])
        assert {entry.name for entry in state.iterdir()} == set(contents(sources[0]))


def test_read_while_saving(tmp_path: Path, sources: list[Path], models: list[StoredModel]) -> None:
    target = tmp_path / "model"
    with endless_saver(target, sources):
        found = {require_whole(target, models) for _ in range(30)}
    assert found == {1, 2}


def fail_halfway(target: Path) -> None:
    with replace_files(target, MODEL) as folder:
        (folder / "model.json").write_bytes(b"half a head")
        raise OSError("disk is full")


def test_error_keeps_the_old_model(tmp_path: Path, models: list[StoredModel]) -> None:
    target = tmp_path / "model"
    write_model(target, models[0])
    before = {file.name: file.read_bytes() for file in target.iterdir()}
    with pytest.raises(OSError, match="disk is full"):
        fail_halfway(target)
    assert {file.name: file.read_bytes() for file in target.iterdir()} == before


def test_error_of_a_first_save_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="disk is full"):
        fail_halfway(tmp_path / "model")
    assert list(tmp_path.iterdir()) == []


def test_parents_are_made(tmp_path: Path, models: list[StoredModel]) -> None:
    target = tmp_path / "a" / "b" / "model"
    write_model(target, models[0])
    assert require_whole(target, models) == 1


def test_saving_through_a_link_keeps_the_link(tmp_path: Path, models: list[StoredModel]) -> None:
    link = tmp_path / "latest"
    link.symlink_to(tmp_path / "model", target_is_directory=True)
    (tmp_path / "model").mkdir()
    write_model(link, models[1])
    assert link.is_symlink()
    assert require_whole(tmp_path / "model", models) == 2


def test_files_of_the_user_stay(tmp_path: Path, models: list[StoredModel]) -> None:
    target = tmp_path / "model"
    write_model(target, models[0])
    (target / "notes.txt").write_text("plate 7")
    write_model(target, models[1])
    assert (target / "notes.txt").read_text() == "plate 7"


def test_file_is_not_overwritten(tmp_path: Path, models: list[StoredModel]) -> None:
    target = tmp_path / "model"
    target.write_text("mine")
    with pytest.raises(InvalidInputError, match=r"path must be a directory; got the file .*model"):
        write_model(target, models[0])
    assert target.read_text() == "mine"


@pytest.mark.parametrize(
    "name", ["thesis.docx", "encoder.keras", "model.json", ".embedscope-saving.txt"]
)
def test_other_directory_is_not_overwritten(
    name: str, tmp_path: Path, models: list[StoredModel]
) -> None:
    """Not even one with a `model.json`: other software has files of that name."""
    (tmp_path / name).write_text('{"format": "layers-model"}')
    with pytest.raises(InvalidInputError, match="a new directory, an empty one or a saved model"):
        write_model(tmp_path, models[0])
    assert [file.name for file in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_text() == '{"format": "layers-model"}'


def test_committed_folder_that_is_a_link_is_not_followed(
    tmp_path: Path, models: list[StoredModel], sources: list[Path]
) -> None:
    """A model with a link in place of the committed folder does not expose other files."""
    private = tmp_path / "private"
    write_model(private, models[1])
    target = tmp_path / "model"
    write_model(target, models[0])
    (target / ".embedscope-saved").symlink_to(private, target_is_directory=True)
    with pytest.raises(OSError):  # noqa: PT011 -- the system's own message
        write_model(target, models[0])
    assert require_whole(private, models) == 2
