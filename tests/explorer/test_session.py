"""A session is restored completely, with its images if these still exist."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sessions import cell_samples, cells, estimator, session

from embedscope import load_ParametricUMAP
from embedscope._errors import InvalidInputError
from embedscope.explorer.session._session import read_session, write_session
from embedscope.explorer.session._session_pictures import attach_pictures
from embedscope.explorer.session._session_state import SessionState
from embedscope.samples import (
    ChannelScale,
    Samples,
    join_samples,
    samples_from_array,
    samples_from_labels,
    samples_from_patches,
    samples_from_table,
)


def saved(path: Path, state: SessionState, **options: bool) -> SessionState:
    write_session(path, state, **options)
    return read_session(path)


def require_same_samples(found: Samples, expected: Samples) -> None:
    assert list(found.identities) == list(expected.identities)
    assert found.identities.sources == expected.identities.sources
    assert found.recipe == expected.recipe
    pd.testing.assert_frame_equal(found.features, expected.features)
    for name in ("images", "table", "bounding_boxes", "centroids"):
        values = getattr(expected, name)
        assert (getattr(found, name) is None) == (values is None)
        if values is not None:
            assert getattr(found, name).dtype == values.dtype
            np.testing.assert_array_equal(getattr(found, name), values)
    np.testing.assert_array_equal(found.X, expected.X)
    for name in ("feature_names", "channel_names", "left_out"):
        assert getattr(found, name) == getattr(expected, name)


def require_same_state(found: SessionState, expected: SessionState) -> None:
    for name in ("positions", "selected", "in_training", "novelty"):
        assert getattr(found, name).dtype == getattr(expected, name).dtype
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))
    for name in ("parameters", "gates", "color_by", "losses"):
        assert getattr(found, name) == getattr(expected, name)


@pytest.fixture
def samples(tmp_path: Path) -> Samples:
    return cell_samples(tmp_path / "images")


# What is saved is restored


def test_everything_is_restored(tmp_path: Path, samples: Samples) -> None:
    state = session(samples, n_trained=30)
    found = saved(tmp_path / "session", state)
    require_same_samples(found.samples, samples)
    require_same_state(found, state)
    assert found.absences == ()
    source, original = found.samples.sources["day 1"], samples.sources["day 1"]
    np.testing.assert_array_equal(source.affine, original.affine)
    assert source.label_at([8.0, 4.0]) == original.label_at([8.0, 4.0])
    assert Path(source.image_path or "") == tmp_path / "images/day 1 image.npy"

    assert state.model is not None
    assert found.model is not None
    assert found.model.parameters == state.model.parameters
    assert found.model.run_id == 7
    np.testing.assert_array_equal(found.model.losses["loss"], [0.5, np.nan, 0.25])
    np.testing.assert_array_equal(found.model.embedding, state.model.embedding)
    require_same_samples(found.model.samples, state.model.samples)
    X = samples.X.reshape(len(samples), -1)
    np.testing.assert_array_equal(found.model.estimator.transform(X), estimator().transform(X))

    assert found.replay is not None
    assert state.replay is not None
    assert found.replay.epochs == state.replay.epochs
    np.testing.assert_array_equal(found.replay.positions(2), state.replay.positions(2))
    assert found.novelty_model is not None
    np.testing.assert_array_equal(found.novelty_model["mean"], state.novelty_model["mean"])


def test_model_of_all_samples_is_of_the_same_samples(tmp_path: Path, samples: Samples) -> None:
    found = saved(tmp_path / "session", session(samples, n_trained=len(samples)))
    assert found.model is not None
    assert found.model.samples is found.samples


def test_model_can_be_loaded_alone(tmp_path: Path, samples: Samples) -> None:
    write_session(tmp_path / "session", session(samples, n_trained=30))
    X = samples.X.reshape(len(samples), -1)
    loaded = load_ParametricUMAP(tmp_path / "session" / "model")
    np.testing.assert_array_equal(loaded.transform(X), estimator().transform(X))


def test_session_without_a_map(tmp_path: Path) -> None:
    samples = samples_from_table(pd.DataFrame({"a": [1.0, 2, 3], "b": [0.5, 1, 1]}))
    n_samples = len(samples)
    state = session(
        samples,
        positions=np.full((n_samples, 2), np.nan, np.float32),
        losses={},
        replay=None,
        novelty_model=None,
        selected=np.zeros(n_samples, bool),
    )
    found = saved(tmp_path / "session", state)
    require_same_state(found, state)
    assert (found.model, found.replay, found.novelty_model) == (None, None, None)


def test_table(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "label": [3, 9, 2**40],
            "area": [1.5, 2.5, 9.0],
            "count": [1, 2, 3],
            "kind, µ": pd.Categorical(["b", "a", None], categories=["b", "a"], ordered=True),
        }
    )
    samples = samples_from_table(frame, source="plate 1")
    found = saved(tmp_path / "session", session(samples)).samples
    require_same_samples(found, samples)
    again = found.same_way(frame, source="plate 2")  # the standardisation is restored too
    np.testing.assert_array_equal(again.X, samples.X)


def test_array_is_stored_since_no_image_holds_it(tmp_path: Path) -> None:
    pictures = np.random.default_rng(0).integers(0, 255, (20, 8, 8), dtype=np.uint8)
    samples = samples_from_array(pictures, ids=np.arange(20) * 5)
    found = saved(tmp_path / "session", session(samples))
    require_same_samples(found.samples, samples)
    assert found.absences == ()


def test_patches(tmp_path: Path) -> None:
    image, _ = cells()
    np.save(tmp_path / "image.npy", image)
    samples = samples_from_patches(image, 16, image_path=str(tmp_path / "image.npy"))
    found = saved(tmp_path / "session", session(samples)).samples
    require_same_samples(found, samples)
    assert found.sources["image"].label_at([20.0, 3.0]) == ("image", 0, 7)


def test_samples_of_several_images_some_left_out(tmp_path: Path, samples: Samples) -> None:
    other = cell_samples(tmp_path / "images", 1, "day 2")
    joined = join_samples([samples, other])
    chosen = joined.subset(np.random.default_rng(0).permutation(len(joined))[:50])
    found = saved(tmp_path / "session", session(chosen)).samples
    require_same_samples(found, chosen)


def test_image_and_time_series_are_cut_by_their_axes(tmp_path: Path, samples: Samples) -> None:
    image, labels = cells(1)
    np.save(tmp_path / "image.npy", np.stack([image, image + 1]))
    np.save(tmp_path / "labels.npy", np.stack([labels, labels]))
    series = samples_from_labels(
        np.stack([image, image + 1]),
        np.stack([labels, labels]),
        8,
        axes="tyx",
        source="series",
        channel_names=("DNA", "actin"),
        affine=np.diag([1.0, 0.5, 0.25, 1.0]),
        image_path=str(tmp_path / "image.npy"),
        labels_path=str(tmp_path / "labels.npy"),
    )
    joined = join_samples([samples, series])
    require_same_samples(saved(tmp_path / "session", session(joined)).samples, joined)


# Images


def test_no_image_is_copied(tmp_path: Path, samples: Samples) -> None:
    write_session(tmp_path / "without", session(samples))
    write_session(tmp_path / "with", session(samples), include_images=True)
    with np.load(tmp_path / "without" / "arrays.npz") as arrays:
        assert "pictures" not in arrays
    with np.load(tmp_path / "with" / "arrays.npz") as arrays:
        np.testing.assert_array_equal(arrays["pictures"], samples.images)


def test_folder_can_move_with_its_images(tmp_path: Path) -> None:
    samples = cell_samples(tmp_path / "project" / "images")
    write_session(tmp_path / "project" / "session", session(samples))
    shutil.move(tmp_path / "project", tmp_path / "elsewhere")
    found = read_session(tmp_path / "elsewhere" / "session")
    require_same_samples(found.samples, samples)
    assert found.absences == ()


def test_images_elsewhere_keep_their_path(tmp_path: Path, samples: Samples) -> None:
    write_session(tmp_path / "deep" / "down" / "session", session(samples))
    shutil.move(tmp_path / "deep" / "down" / "session", tmp_path / "moved")
    assert read_session(tmp_path / "moved").absences == ()


@pytest.mark.parametrize("role", ["image", "labels"])
def test_missing_image_has_a_reason(role: str, tmp_path: Path, samples: Samples) -> None:
    write_session(tmp_path / "session", session(samples, n_trained=30))
    (tmp_path / "images" / f"day 1 {role}.npy").unlink()
    found = read_session(tmp_path / "session")
    (absence,) = found.absences
    assert (absence.source, absence.role) == ("day 1", role)
    assert absence.reason.endswith(f"day 1 {role}.npy does not exist")
    require_same_state(found, session(samples, n_trained=30))
    pd.testing.assert_frame_equal(found.samples.features, samples.features)
    assert f"its {role}: " in found.samples.absent["day 1"]
    with pytest.raises(InvalidInputError, match="Attach the images"):
        _ = found.samples.X
    assert (found.samples.thumbnail(0) == 128).all()
    # The image that exists still gives the sample at a point.
    known = role == "image"
    assert (found.samples.sources["day 1"].label_at([3.0, 1.5]) is not None) == known


def test_changed_pixel_is_a_reason(tmp_path: Path, samples: Samples) -> None:
    write_session(tmp_path / "session", session(samples))
    image, _ = cells()
    image[50, 50, 0] += 1
    np.save(tmp_path / "images" / "day 1 image.npy", image)
    (absence,) = read_session(tmp_path / "session").absences
    assert absence.reason.endswith("has changed since the session was saved")


def test_image_in_memory_has_a_reason(tmp_path: Path, samples: Samples) -> None:
    source = replace(samples.sources["day 1"], image_path=None)
    unsaved = replace(samples, sources={"day 1": source})
    found = saved(tmp_path / "session", session(unsaved))
    assert "in memory only" in found.samples.absent["day 1"]
    require_same_samples(
        saved(tmp_path / "session", session(unsaved), include_images=True).samples, samples
    )


def test_one_image_of_two_is_missing(tmp_path: Path, samples: Samples) -> None:
    joined = join_samples([samples, cell_samples(tmp_path / "images", 1, "day 2")])
    write_session(tmp_path / "session", session(joined))
    (tmp_path / "images" / "day 1 image.npy").unlink()
    found = read_session(tmp_path / "session").samples
    here = joined.identities.source == 1
    np.testing.assert_array_equal(found.inputs(here), joined.inputs(here))
    assert set(found.absent) == {"day 1"}


def test_absent_image_is_still_referred_to_after_another_save(
    tmp_path: Path, samples: Samples
) -> None:
    write_session(tmp_path / "session", session(samples))
    shutil.move(tmp_path / "images", tmp_path / "hidden")
    write_session(tmp_path / "session", read_session(tmp_path / "session"))
    shutil.move(tmp_path / "hidden", tmp_path / "images")
    found = read_session(tmp_path / "session")
    assert found.absences == ()
    require_same_samples(found.samples, samples)


def test_absent_pictures_stay_absent_in_subsets_and_joins(samples: Samples) -> None:
    absent = replace(samples, absent={"day 1": "it does not exist"})
    more = samples.same_way(*cells(1), source="day 2", affine=samples.sources["day 1"].affine)
    joined = join_samples([absent.subset([4, 2]), more])
    assert joined.absent == {"day 1": "it does not exist"}
    np.testing.assert_array_equal(joined.inputs(slice(2, None)), more.X)
    with pytest.raises(InvalidInputError, match=r"got none for 1 source.*'day 1': it does not"):
        joined.inputs([1, 2])
    other = replace(more, scale=ChannelScale(more.scale.low + 1, more.scale.high))
    with pytest.raises(InvalidInputError, match="parts must have their pictures to be scaled"):
        join_samples([absent, other])
    with pytest.raises(InvalidInputError, match="absent must name sources"):
        replace(samples, absent={"day 9": ""})


def test_attached_pictures(tmp_path: Path, samples: Samples) -> None:
    write_session(tmp_path / "session", session(samples))
    shutil.rmtree(tmp_path / "images")
    absent = read_session(tmp_path / "session").samples
    attached = attach_pictures(absent, "day 1", *cells())
    require_same_samples(attached, samples)
    assert not attached.absent
    image, labels = cells()
    labels[labels == 17] = 0
    with pytest.raises(InvalidInputError, match="all of the 36 samples of 'day 1'; got none for 1"):
        attach_pictures(absent, "day 1", image, labels)
    with pytest.raises(InvalidInputError, match="name must be one of the sources"):
        attach_pictures(absent, "day 3", image, labels)


# Whole or not at all


def test_smaller_session_replaces_a_larger(tmp_path: Path, samples: Samples) -> None:
    write_session(tmp_path / "session", session(samples, n_trained=30))
    found = saved(tmp_path / "session", session(samples))
    assert found.model is None
    assert sorted(entry.name for entry in (tmp_path / "session").iterdir()) == [
        "arrays.npz",
        "session.json",
    ]


@pytest.mark.parametrize("kind", ["file", "folder", "model"])
def test_other_things_are_not_overwritten(kind: str, tmp_path: Path, samples: Samples) -> None:
    path = tmp_path / "session"
    if kind == "model":
        estimator().save(path)
    elif kind == "folder":
        path.mkdir()
        (path / "notes.txt").write_text("mine")
    else:
        path.write_text("mine")
    before = sorted(path.rglob("*"))
    with pytest.raises(InvalidInputError, match="path must be a"):
        write_session(path, session(samples))
    assert sorted(path.rglob("*")) == before


def test_link_instead_of_the_model_is_not_followed(tmp_path: Path, samples: Samples) -> None:
    write_session(tmp_path / "session", session(samples, n_trained=30))
    shutil.move(tmp_path / "session" / "model", tmp_path / "precious")
    (tmp_path / "session" / "model").symlink_to(tmp_path / "precious")
    before = {file.name: file.read_bytes() for file in (tmp_path / "precious").iterdir()}
    found = saved(tmp_path / "session", session(samples, n_trained=20))
    assert found.model is not None
    assert {file.name: file.read_bytes() for file in (tmp_path / "precious").iterdir()} == before
    assert not (tmp_path / "session" / "model").is_symlink()


def test_unstorable_part_keeps_the_old_session(tmp_path: Path, samples: Samples) -> None:
    state = session(samples)
    write_session(tmp_path / "session", state)
    objects = {"mean": np.array([None], dtype=object)}
    with pytest.raises(InvalidInputError, match="arrays must hold booleans, numbers or unicode"):
        write_session(tmp_path / "session", replace(state, novelty_model=objects))
    require_same_state(read_session(tmp_path / "session"), state)


@pytest.mark.parametrize("room", [10, 3_000, 40_000, 90_000])
def test_full_disk_keeps_the_old_session(room: int, tmp_path: Path, samples: Samples) -> None:
    path = tmp_path / "session"
    old = session(samples, n_trained=30)
    write_session(path, old)
    usual = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, usual[1]))  # no file may grow beyond
    try:
        with pytest.raises(OSError, match=r"File too large|Unable to|write"):
            write_session(path, session(samples, n_trained=31), include_images=True)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, usual)
    require_same_state(read_session(path), old)
    assert [entry.name for entry in tmp_path.iterdir() if "session" in entry.name] == ["session"]


def test_state_must_fit_its_samples(samples: Samples) -> None:
    with pytest.raises(InvalidInputError, match="selected must have shape"):
        session(samples, selected=np.zeros(3, bool))
    with pytest.raises(InvalidInputError, match="in_training must mark the 30 samples"):
        session(samples, n_trained=30, in_training=np.ones(len(samples), bool))


# Both scripts save prepared sessions, as write_session does, but without the time of TensorFlow:
# the files already hold the model.
PREPARED = """
import os, shutil, sys
from pathlib import Path
from embedscope.core.storage._stored_directory import replace_files
from embedscope.explorer.session._session import SESSION

target, *sources = map(Path, sys.argv[1:])

def save(source):
    with replace_files(target, SESSION) as folder:
        shutil.copytree(source, folder, dirs_exist_ok=True)
"""

SAVE_FOREVER = """
while True:
    for source in sources:
        save(source)
        print(flush=True)
"""

# Dies before the first, the second, the third... file operation of a save, by an exit without
# clean-up, and copies the remaining files; until a save is complete.
DIE_AT_EVERY_STEP = """
old, new, states = sources

def die_before(last_step):
    steps = iter(range(1, last_step))
    def count(event, arguments):
        if event.split(".")[0] in ("os", "open", "shutil") and next(steps, None) is None:
            os._exit(9)
    sys.addaudithook(count)

step, died = 0, True
while died:
    step += 1
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(old, target)
    process = os.fork()
    if not process:
        die_before(step)
        save(new)
        os._exit(0)
    died = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == 9
    shutil.copytree(target, states / f"{step:03}")
"""


def distinct(states: Path) -> list[Path]:
    """The folders that differ, in their order."""
    found = {}
    for state in sorted(states.iterdir()):
        files = sorted(file for file in state.rglob("*") if file.is_file())
        content = tuple((str(file.relative_to(state)), file.read_bytes()) for file in files)
        found.setdefault(content, state)
    return list(found.values())


@pytest.mark.parametrize("order", [(0, 1), pytest.param((1, 0), marks=pytest.mark.long)])
def test_killed_at_every_step(order: tuple[int, int], tmp_path: Path, samples: Samples) -> None:
    """Up to some step there is the old session, and from then on the new one."""
    states = [session(samples, n_trained=30), session(samples, losses={"loss": [9.0]})]
    old, new = (states[number] for number in order)
    write_session(tmp_path / "old", old)
    write_session(tmp_path / "new", new)
    (tmp_path / "states").mkdir()
    folders = (tmp_path / name for name in ("session", "old", "new", "states"))
    subprocess.run(
        [sys.executable, "-c", PREPARED + DIE_AT_EVERY_STEP, *map(str, folders)], check=True
    )
    found = []
    for folder in distinct(tmp_path / "states"):
        state = read_session(folder)
        is_new = state.losses == new.losses
        require_same_state(state, new if is_new else old)
        assert (state.model is None) == ((new if is_new else old).model is None)
        found.append(is_new)
    commit = found.index(True)
    assert found == [False] * commit + [True] * (len(found) - commit)
    assert commit > 2  # there were steps before the commit,
    assert len(found) - commit > 2  # and after it


@pytest.mark.parametrize("n_kills", [4, pytest.param(40, marks=pytest.mark.long)])
def test_killed_at_random_instants(n_kills: int, tmp_path: Path, samples: Samples) -> None:
    states = [session(samples, n_trained=30), session(samples, losses={"loss": [9.0]})]
    sources = [tmp_path / "first", tmp_path / "second"]
    for source, state in zip(sources, states, strict=True):
        write_session(source, state)
    target, rng = tmp_path / "session", np.random.default_rng(n_kills)
    command = [sys.executable, "-c", PREPARED + SAVE_FOREVER, *map(str, (target, *sources))]
    found = []
    for _ in range(n_kills):
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "\n", "it died before its first save"
            time.sleep(rng.uniform(0, 0.05))
            process.send_signal(signal.SIGKILL)
        state = read_session(target)
        is_second = state.model is None
        require_same_state(state, states[is_second])
        found.append(is_second)
    assert {entry.name for entry in target.iterdir()} >= {"session.json"}


def test_new_process_runs_no_tensorflow_without_a_model(tmp_path: Path, samples: Samples) -> None:
    write_session(tmp_path / "session", session(samples))
    code = (
        "import sys; from embedscope.explorer.session._session import read_session; "
        f"state = read_session({str(tmp_path / 'session')!r}); "
        "assert len(state.samples) == 36 and not state.absences; "
        "sys.exit('tensorflow' in sys.modules)"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)
