"""A save replaces all files of a model at one instant, wherever the process is killed."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import keras
import numpy as np
import pytest

from embedscope._errors import InvalidInputError, InvalidModelError
from embedscope.core._model_directory import replace_files
from embedscope.core._storage import StoredModel, read_model, write_model

# Saves the files of the given directories over and over, the way write_model does, without paying
# for TensorFlow: what must be atomic is the writing, and the networks are in the files already.
SAVER = """
import os, sys
from pathlib import Path
from embedscope.core._model_directory import replace_files

target, n_rounds, last_step, *sources = sys.argv[1:]
models = [{f.name: f.read_bytes() for f in Path(source).iterdir()} for source in sources]
step = 0

def die_at_last_step(event, arguments):
    global step
    if event.split(".")[0] in ("os", "open", "shutil"):
        step += 1
        if step == int(last_step):
            os._exit(9)

if int(last_step):
    sys.addaudithook(die_at_last_step)
for _ in range(int(n_rounds)):
    for model in models:
        with replace_files(Path(target)) as folder:
            for name, content in model.items():
                (folder / name).write_bytes(content)
        if not int(last_step):
            print(flush=True)
"""
FOREVER = 1_000_000


def make_model(number: int, names: tuple[str, ...]) -> StoredModel:
    """A model that cannot be mistaken for another: its number is everywhere in it."""
    initializer = keras.initializers.RandomNormal(seed=number)
    layers = [keras.layers.Dense(2, kernel_initializer=initializer)]
    networks = {name: keras.Sequential([keras.Input((3,)), *layers]) for name in names}
    arrays = {"embedding": np.full((5, 2), number, dtype=np.float32)}
    return StoredModel({"number": number}, {}, arrays, networks)


def transform(model: StoredModel) -> bytes:
    """What a user gets from the model, to the last bit."""
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
    """Load the model, make sure that every part of it is of one save, and say which."""
    loaded = read_model(path)
    number = loaded.parameters["number"]
    saved = models[number - 1]
    assert set(loaded.networks) == set(saved.networks)
    assert transform(loaded) == transform(saved)
    np.testing.assert_array_equal(loaded.arrays["embedding"], saved.arrays["embedding"])
    return number


@contextmanager
def endless_saver(target: Path, sources: list[Path]) -> Iterator[subprocess.Popen[str]]:
    """A process that saves all the time; running and past its first save."""
    command = [sys.executable, "-c", SAVER, str(target), str(FOREVER), "0", *map(str, sources)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "\n", "the saver died before its first save"
        try:
            yield process
        finally:
            process.send_signal(signal.SIGKILL)
            process.stdout.close()


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


def save_until(step: int, target: Path, source: Path) -> bool:
    """Save once, in a process that dies before its `step`-th file operation. Whether it died."""
    command = [sys.executable, "-c", SAVER, str(target), "1", str(step), str(source)]
    code = subprocess.run(command, check=False).returncode
    assert code in (0, 9)
    return code == 9


@pytest.mark.parametrize(("old", "new"), [(1, 2), (2, 1)])
def test_killed_at_every_step_of_replacing(
    old: int, new: int, tmp_path: Path, sources: list[Path], models: list[StoredModel]
) -> None:
    """Dying before each file operation of a save leaves the old model, then the new one."""
    target = tmp_path / "model"
    found = []
    step = 1
    while True:
        write_model(target, models[old - 1])
        if not save_until(step, target, sources[new - 1]):
            break
        found.append(require_whole(target, models))
        step += 1
    assert len(found) > 10
    commit = found.index(new)
    assert found == [old] * commit + [new] * (len(found) - commit)


def test_killed_at_every_step_of_the_first_save(
    tmp_path: Path, sources: list[Path], models: list[StoredModel]
) -> None:
    """With no old model there is none or the new one, and the next save does not mind."""
    step = 1
    while save_until(step, target := tmp_path / str(step), sources[1]):
        if target.exists():
            try:
                assert require_whole(target, models) == 2
            except InvalidModelError as error:
                assert "path must be a directory that save wrote" in str(error)  # noqa: PT017
        write_model(target, models[0])
        assert require_whole(target, models) == 1
        step += 1
    assert step > 10


def test_next_save_clears_up(tmp_path: Path, sources: list[Path]) -> None:
    """Whatever a killed save left, one more save leaves the model's files and nothing else."""
    target = tmp_path / "model"
    step = 1
    while save_until(step, target, sources[1]):
        assert not save_until(0, target, sources[0])
        assert {file.name for file in target.iterdir()} == {
            file.name for file in sources[0].iterdir()
        }
        step += 1
    assert step > 10


def test_read_while_saving(tmp_path: Path, sources: list[Path], models: list[StoredModel]) -> None:
    target = tmp_path / "model"
    with endless_saver(target, sources):
        found = {require_whole(target, models) for _ in range(30)}
    assert found == {1, 2}


def fail_halfway(target: Path) -> None:
    with replace_files(target) as folder:
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


def test_committed_folder_of_a_stranger_is_not_followed(
    tmp_path: Path, models: list[StoredModel], sources: list[Path]
) -> None:
    """A model that came with a link in the commit's place gives no file of ours away."""
    private = tmp_path / "private"
    write_model(private, models[1])
    target = tmp_path / "model"
    write_model(target, models[0])
    (target / ".embedscope-saved").symlink_to(private, target_is_directory=True)
    with pytest.raises(OSError):  # noqa: PT011 -- the system's own message
        write_model(target, models[0])
    assert require_whole(private, models) == 2
