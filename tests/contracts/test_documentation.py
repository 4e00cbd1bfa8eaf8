"""What the pages say is true: Python runs, links lead somewhere, lists are whole."""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def python_of(page: Path) -> str:
    """All Python blocks of a page, joined: a later block may use what an earlier one made."""
    return "\n".join(re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL))


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("page", [page for page in PAGES if python_of(page)], ids=name_of)
def test_python_of_a_page_runs(page, tmp_path, monkeypatch):
    from matplotlib import pyplot as plt

    monkeypatch.chdir(tmp_path)
    code = compile(python_of(page), name_of(page), "exec", dont_inherit=True)
    exec(code, {"__name__": "__main__"})
    plt.close("all")


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_to_files(page):
    targets = re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text())
    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_parameter_page_lists_every_parameter_with_its_default():
    from embedscope import ParametricUMAP

    rows = re.findall(r"^\| `(\w+)` \| `(.*?)` \|", (ROOT / "docs/parameters.md").read_text(), re.M)
    documented = {name: ast.literal_eval(default) for name, default in rows}
    parameters = inspect.signature(ParametricUMAP).parameters.values()
    assert documented == {parameter.name: parameter.default for parameter in parameters}
