"""The command line: a saved model maps new rows in another process, and errors are readable."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from embedscope.cli import main


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    from embedscope import ParametricUMAP

    rng = np.random.default_rng(0)
    data = rng.random((60, 5)).astype(np.float32)
    mapper = ParametricUMAP(n_neighbors=5, n_epochs=10, encoder="reference", random_state=0)
    mapper.fit(data)
    folder = tmp_path_factory.mktemp("cli")
    mapper.save(folder / "model")
    np.save(folder / "data.npy", data)
    return folder, mapper.transform(data)


def test_transform_in_a_new_process_gives_the_same_positions(model):
    folder, expected = model
    command = [sys.executable, "-m", "embedscope", "transform", "model", "data.npy"]
    finished = subprocess.run(
        [*command, "--out", "positions.npy"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (finished.returncode, finished.stdout) == (0, "")
    steps = [line.split(":")[0] for line in finished.stderr.splitlines()]
    assert steps == ["Opening model", "Placing chunk 0 of data.npy", "Writing positions.npy"]
    np.testing.assert_array_equal(np.load(folder / "positions.npy"), expected)


@pytest.mark.parametrize(
    ("model_name", "data_name", "words"),
    [("absent", "data.npy", "absent"), ("model", "absent.npy", "data must be a file that exists")],
)
def test_a_missing_file_is_named_and_nothing_is_written(
    model, capsys, model_name, data_name, words
):
    folder, _ = model
    out = folder / "nothing.npy"
    status = main(
        ["transform", str(folder / model_name), str(folder / data_name), "--out", str(out)]
    )
    assert status == 2
    assert words in capsys.readouterr().err
    assert not out.exists()


def test_data_that_hold_objects_are_refused(model, capsys):
    folder, _ = model
    np.save(folder / "objects.npy", np.array([{}], dtype=object), allow_pickle=True)
    out = folder / "nothing.npy"
    status = main(
        ["transform", str(folder / "model"), str(folder / "objects.npy"), "--out", str(out)]
    )
    assert status == 2
    assert "data must be an .npy file of numbers" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments", [["fly"], ["train"], ["report", "--no-such-option", "map"], ["transform", "map"]]
)
def test_a_wrong_command_line_is_said(capsys, arguments):
    assert main(arguments) == 2
    assert "Usage:" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["train", "transform", "report", "export", "explore", "demo"])
def test_help_has_examples(capsys, command):
    assert main([command, "--help"]) == 0
    assert f"embedscope {command}" in capsys.readouterr().out.partition("Example")[2]
