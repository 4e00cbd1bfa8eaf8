"""The site of the manual: every page is built, no link is broken, nothing comes from elsewhere."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# What a browser would load by itself; a link that a reader may follow is none of it.
LOADED = re.compile(
    r"<(?:script|img|iframe|source|video)\b[^>]*\bsrc=\"?(?:https?:)?//[^\">\s]+"
    r"|<link\b(?=[^>]*rel=\"?(?:stylesheet|preconnect|preload|icon))[^>]*href=\"?(?:https?:)?//[^>]+",
)
IMPORTED = re.compile(r"@import\s+[^;]*//|url\([\"']?(?:https?:)?//")


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    # Strict: a broken link, a missing page or an unknown name in a docstring is an error.
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "-d", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_every_page_is_built(site):
    pages = {path.relative_to(site).with_suffix("").as_posix() for path in site.rglob("*.html")}
    wanted = {path.stem for path in (ROOT / "docs").glob("*.md")}
    wanted |= {f"notebooks/{path.stem}" for path in (ROOT / "notebooks").glob("*.ipynb")}
    assert wanted | {"changelog", "contributing", "citation"} <= pages


def test_every_page_is_in_the_menu(site):
    menu = (ROOT / "mkdocs.yml").read_text()
    made = [*(ROOT / "docs").glob("*.md")]
    assert [path.name for path in made if f": {path.name}" not in menu] == []
    notebooks = [f"notebooks/{path.stem}.md" for path in (ROOT / "notebooks").glob("*.ipynb")]
    assert [page for page in notebooks if page not in menu] == []


def test_nothing_is_loaded_from_other_servers(site):
    found = {
        path.name: LOADED.findall(path.read_text("utf-8"))
        for path in site.rglob("*.html")
        if LOADED.search(path.read_text("utf-8"))
    }
    assert found == {}
    styles = [path for path in site.rglob("*.css") if IMPORTED.search(path.read_text("utf-8"))]
    assert styles == []


def test_search_works_in_a_folder_without_a_server(site):
    page = (site / "explorer.html").read_text("utf-8")
    assert 'src="javascripts/iframe-worker.js"' in page
    assert (site / "javascripts" / "iframe-worker.js").is_file()
    assert (site / "search" / "search_index.js").read_text("utf-8").startswith("var __index")


def test_pages_show_what_they_take_from_other_files(site):
    assert "Fashion-MNIST, 60,000" in (site / "comparison.html").read_text("utf-8")
    assert "embedscope[napari]" in (site / "index.html").read_text("utf-8")
    reference = (site / "reference.html").read_text("utf-8")
    for name in ("ParametricUMAP", "samples_from_labels", "Explorer", "TrainingParameters"):
        assert f">{name}<" in reference or f".{name}" in reference
    assert "n_neighbors" in reference


def test_first_page_has_a_moving_picture_that_loads_fast():
    from PIL import Image

    file = ROOT / "docs" / "images" / "first_look.webp"
    assert file.stat().st_size < 2_000_000
    with Image.open(file) as picture:
        assert picture.n_frames > 10
