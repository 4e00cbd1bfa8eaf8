"""`embedscope report` and `embedscope explore`."""

from __future__ import annotations

import io
import json
import sys

import pytest

from embedscope import Explorer
from embedscope.cli import main


def test_a_session_is_reported_for_programs(table_session, capsys):
    assert main(["report", str(table_session), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["kind"] == "session"
    assert told["samples"]["count"] == told["map"]["trained_on"] == 80
    assert told["samples"]["shape"] == [4]
    assert told["parameters"]["n_neighbors"] == 5
    assert 0.5 < told["map"]["trustworthiness_of_those_trained_on"] <= 1


def test_gates_are_counted_and_the_map_is_drawn(tmp_path, table_session, capsys):
    explorer = Explorer.open(table_session)
    (x0, y0), (x1, y1) = (
        explorer.embedding.positions.min(axis=0) - 1,
        explorer.embedding.positions.max(axis=0) + 1,
    )
    explorer.add_gate([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], "everything")
    explorer.save(tmp_path / "gated")
    picture = tmp_path / "map.png"
    assert main(["report", str(tmp_path / "gated"), "--map", str(picture)]) == 0
    assert "  everything: 80" in capsys.readouterr().out
    assert picture.read_bytes()[:4] == b"\x89PNG"


def test_a_console_may_lack_the_characters_of_a_name(tmp_path, table_session, monkeypatch):
    explorer = Explorer.open(table_session)
    explorer.add_gate([(-100, -100), (100, -100), (0, 100)], "\N{GREEK SMALL LETTER ALPHA}-actin")
    explorer.save(tmp_path / "gated")
    console = io.TextIOWrapper(io.BytesIO(), encoding="cp1252")
    monkeypatch.setattr(sys, "stdout", console)
    assert main(["report", str(tmp_path / "gated")]) == 0
    console.flush()
    assert b"\\u03b1-actin: " in console.buffer.getvalue()


def test_a_model_alone_is_reported(table_session, capsys):
    assert main(["report", str(table_session / "model"), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["kind"], told["map"]["n_features_in"]) == ("model", 4)


@pytest.mark.parametrize("command", ["report", "explore"])
def test_a_folder_that_holds_neither_is_named(tmp_path, capsys, command):
    assert main([command, str(tmp_path)]) == 2
    assert "has no session.json" in capsys.readouterr().err


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have a screen")
def test_exploring_needs_a_screen(table_session, capsys, monkeypatch):
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    assert main(["explore", str(table_session)]) == 2
    assert "explore must have a screen" in capsys.readouterr().err


def test_the_version_is_said(capsys):
    from importlib.metadata import version

    assert main(["--version"]) == 0
    assert capsys.readouterr().out.strip() == version("embedscope")
