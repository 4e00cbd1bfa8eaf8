"""Sessions that are damaged or of unknown origin: a clear error, and no code is run."""

from __future__ import annotations

import json
import os
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sessions import cell_samples, estimator, session

from embedscope._errors import InvalidModelError
from embedscope.core.storage._model_layout import MODEL
from embedscope.core.storage._stored_directory import describe_file
from embedscope.core.storage._stored_header import describe_array, seal, unseal
from embedscope.explorer.session._session import SESSION, read_session, write_session


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    write_session(folder / "session", session(cell_samples(folder / "images"), n_trained=30))
    return folder


@pytest.fixture
def path(saved: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(saved, tmp_path / "project")) / "session"


def header_of(path: Path) -> dict[str, Any]:
    header: dict[str, Any] = json.loads((path / "session.json").read_text())
    return header


def reseal(path: Path, change: Callable[[dict[str, Any]], Any] = lambda body: None) -> None:
    """Change the header and seal it again, as another author could."""
    body = {k: v for k, v in header_of(path).items() if k not in ("kind", "format", "checksum")}
    change(body)
    for name in body["files"]:
        with (path / name).open("rb") as file:
            body["files"][name] = describe_file(file)
    (path / "session.json").write_bytes(seal(body, SESSION))


def replace_arrays(path: Path, **arrays: np.ndarray) -> None:
    """Replace arrays, with a matching description; None removes one."""
    with np.load(path / "arrays.npz") as archive:
        kept = dict(archive)
    kept = {name: array for name, array in (kept | arrays).items() if array is not None}
    with zipfile.ZipFile(path / "arrays.npz", "w") as archive:
        for name, array in kept.items():
            with archive.open(f"{name}.npy", "w") as member:
                np.lib.format.write_array(member, array, allow_pickle=array.dtype.hasobject)
    described = {name: describe_array(array) for name, array in kept.items()}
    reseal(path, lambda body: body.update(arrays=described))


def require_refused(path: Path, *words: str) -> None:
    with pytest.raises(InvalidModelError) as caught:
        read_session(path)
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize("name", ["session.json", "arrays.npz", "model/encoder.keras"])
class TestDamagedFile:
    def test_missing(self, name: str, path: Path) -> None:
        (path / name).unlink()
        require_refused(path, name)

    @pytest.mark.parametrize("kept", [0, 0.5, 0.999])
    def test_truncated(self, kept: float, name: str, path: Path) -> None:
        content = (path / name).read_bytes()
        (path / name).write_bytes(content[: int(kept * len(content))])
        require_refused(path, name)

    def test_one_bit(self, name: str, path: Path) -> None:
        content = bytearray((path / name).read_bytes())
        content[len(content) // 2] ^= 1
        (path / name).write_bytes(content)
        require_refused(path, name)

    @pytest.mark.timeout(20)
    def test_pipe(self, name: str, path: Path) -> None:
        (path / name).unlink()
        os.mkfifo(path / name)
        require_refused(path, name)


def test_model_of_another_save(path: Path) -> None:
    """model/ is a valid model, but not the one that the session was saved with."""
    estimator(64).save(path / "model")
    require_refused(path, "model/", "its size or checksum differs")


def test_newer_format(path: Path) -> None:
    header = header_of(path)
    (path / "session.json").write_text(json.dumps(header | {"format": 5}))
    require_refused(path, "A newer embedscope saved this session: update embedscope")


def test_model_is_no_session(path: Path) -> None:
    require_refused(path / "model", "a session.json in it")


@pytest.mark.parametrize("name", ["../arrays.npz", "/etc/passwd", "model/../x.keras", "x.pkl"])
def test_files_outside_are_refused(name: str, path: Path) -> None:
    body = {k: v for k, v in header_of(path).items() if k not in ("kind", "format", "checksum")}
    body["files"][name] = body["files"]["arrays.npz"]
    (path / "session.json").write_bytes(seal(body, SESSION))
    require_refused(path, "its entries are others")


class Bomb:
    """Leaves a file behind when it is unpickled."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.trace,)


def test_pickle_in_arrays_is_not_run(path: Path, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    replace_arrays(path, positions=np.array([Bomb(trace)], dtype=object))
    require_refused(path)
    assert not trace.exists()


def test_pickle_in_an_image_is_not_run(path: Path, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    image = np.empty((96, 96, 2), dtype=object)
    image[:] = Bomb(trace)
    np.save(path.parent / "images" / "day 1 image.npy", image, allow_pickle=True)
    (absence,) = read_session(path).absences
    assert "cannot be read" in absence.reason
    assert not trace.exists()


SHORTER = np.zeros((3, 2), np.float32)


@pytest.mark.parametrize(
    ("name", "array"),
    [
        ("positions", SHORTER),
        ("positions", None),
        ("positions", np.full((36, 2), "far")),
        ("identity_label", np.zeros(36, np.int64)),
        ("identity_label", -np.arange(36)),
        ("identity_source", np.full(36, 5)),
        ("identity_frame", np.zeros(36)),
        ("selected_label", np.array([123456])),
        ("selected_source", np.array([99])),
        ("column_0", np.zeros(2)),
        ("column_0", None),
        ("scale_low", np.zeros((7, 7))),
        ("model_embedding", SHORTER),
        ("in_training", np.ones(36, bool)),
        ("replay_epochs", np.zeros(1, np.int64)),
        ("replay_positions", None),
        ("loss_0", None),
        ("bounding_boxes", np.zeros((2, 4), np.int64)),
    ],
)
def test_arrays_that_do_not_fit(name: str, array: Any, path: Path) -> None:
    replace_arrays(path, **{name: array})
    require_refused(path)


def setting(*keys: str | int, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(body: dict[str, Any]) -> None:
        place: Any = body
        for key in keys[:-1]:
            place = place[key]
        place[keys[-1]] = value

    return change


@pytest.mark.parametrize(
    "change",
    [
        setting("state", value={}),
        setting("parameters", "n_neighbors", value=-3),
        setting("parameters", "__class__", value="os.system"),
        setting("state", "samples", value=[]),
        setting("state", "samples", "sources", value=[1]),
        setting("state", "samples", "sources", 0, "kind", value="module"),
        setting("state", "samples", "sources", 0, "image", value={"path": 5}),
        setting("state", "samples", "sources", 0, "affine", value=[[0.0]]),
        setting("state", "samples", "recipe", value={"kind": "os"}),
        setting("state", "samples", "recipe", value={"kind": "labels", "shape": [8, 8]}),
        setting("state", "samples", "features", value=[{"name": "a"}]),
        setting("state", "samples", "pictures", "shape", value=[10**7, 10**7, 2]),
        setting("state", "samples", "pictures", "dtype", value="O"),
        setting("state", "gates", value={"gates": [{"name": "a"}]}),
        setting("state", "color_by", value={"kind": "rainbow"}),
        setting("state", "color_by", value=7),
        setting("state", "losses", value=["a", "b", "c"]),
        setting("state", "losses", value=5),
        setting("state", "model", value={}),
        setting("state", "model", value=[]),
    ],
    ids=lambda change: str([cell.cell_contents for cell in change.__closure__])[:60],
)
def test_header_of_unknown_origin(change: Callable[[dict[str, Any]], None], path: Path) -> None:
    reseal(path, change)
    require_refused(path)


def test_optimizer_of_the_model_is_screened(path: Path) -> None:
    """With a harmless class of Python, which is refused like any other."""
    file = path / "model" / MODEL.header
    header = unseal(file.read_bytes(), MODEL)
    foreign = {"module": "fractions", "class_name": "Fraction", "config": {}}
    header["parameters"]["optimizer"] = {"keras": foreign}
    file.write_bytes(seal(header, MODEL))
    reseal(path)
    require_refused(path, "model.json must describe trusted objects", "Fraction")
