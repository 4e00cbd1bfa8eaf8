"""The committed bundle is small and matches the sources."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest
from widget_page import ROOT, STATIC

JS = ROOT / "src" / "embedscope" / "jupyter_widget" / "js"
LARGEST_BUNDLE = 150_000  # bytes; every widget sends it, and anywidget waits 2 s for a model


class TestShipping:
    def test_the_script_is_small_enough_to_be_sent_with_every_widget(self) -> None:
        assert (STATIC / "widget.js").stat().st_size <= LARGEST_BUNDLE

    def test_neither_file_names_another_host(self) -> None:
        for name in ("widget.js", "widget.css"):
            hosts = set(re.findall(r"https?://[\w./-]+", (STATIC / name).read_text("utf-8")))
            assert hosts <= {"http://www.w3.org/2000/svg"}

    @pytest.mark.skipif(
        shutil.which("node") is None or not (JS / "node_modules").exists(),
        reason="needs node and npm ci",
    )
    def test_the_committed_files_match_the_sources(self) -> None:
        built = subprocess.run(
            ["node", "build.mjs", "--check"], cwd=JS, capture_output=True, text=True, check=False
        )
        assert built.returncode == 0, built.stderr
