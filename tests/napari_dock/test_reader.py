"""Which paths are sessions; what opens is shown by the tests of whole paths."""

from __future__ import annotations

import pytest
from sessions import cell_samples, session

from embedscope._errors import InvalidInputError
from embedscope.explorer.session._session import write_session
from embedscope.napari_dock._reader import _session_at, get_reader


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    folder = tmp_path_factory.mktemp("saved")
    write_session(folder / "monday", session(cell_samples(folder / "images")))
    (folder / "monday" / "model").mkdir(exist_ok=True)
    (folder / "monday" / "model" / "model.json").write_text("{}")
    (folder / "alone").mkdir()
    (folder / "alone" / "model.json").write_text("{}")
    return folder


@pytest.mark.parametrize("path", ["monday", "monday/session.json", "monday/model"])
def test_a_session_is_known_by_its_folder_and_by_what_makes_it_one(home, path):
    assert _session_at(home / path) == home / "monday"
    assert callable(get_reader(str(home / path)))


@pytest.mark.parametrize("path", ["alone", "alone/model.json"])
def test_a_trained_map_alone_is_refused_with_the_remedy(home, path):
    read = get_reader(str(home / path))
    assert read is not None
    with pytest.raises(InvalidInputError, match=r"path must be a session.*Save a session"):
        read(str(home / path))


@pytest.mark.parametrize("path", [".", "images", "absent", "absent/model.json", "monday/a"])
def test_other_paths_are_left_to_other_readers(home, path):
    assert get_reader(str(home / path)) is None


def test_several_paths_at_once_are_no_session(home):
    assert get_reader([str(home / "monday"), str(home / "monday")]) is None
