"""The notebooks run from the first cell to the last, and are stored with what they show."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

FOLDER = Path(__file__).parents[2] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
# Each starts TensorFlow in a process of its own. What these show is tested elsewhere in short.
ONLY_LONG = {"anndata", "dask", "losses", "own_network", "saving", "semi_supervised"}
LARGEST = 400_000  # bytes of a notebook with its pictures


def outputs(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    return [output for cell in notebook.cells for output in cell.get("outputs", [])]


def marked(path: Path) -> object:
    marks = [pytest.mark.long] if path.stem in ONLY_LONG else []
    return pytest.param(path, id=path.stem, marks=marks)


@pytest.mark.parametrize("path", [marked(path) for path in NOTEBOOKS])
def test_notebook_runs(path, tmp_path, monkeypatch):
    monkeypatch.delenv("MPLBACKEND", raising=False)  # the kernel draws into the notebook
    notebook = nbformat.read(path, as_version=4)
    # A cell that raises stops the client with that cell's traceback.
    NotebookClient(
        notebook,
        timeout=300,
        kernel_name="python3",
        resources={"metadata": {"path": str(tmp_path)}},  # what it saves goes there
    ).execute()
    made = outputs(notebook)
    assert any("image/png" in output.get("data", {}) for output in made)
    assert [output.text for output in made if output.get("name") == "stderr"] == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_is_kept_with_small_outputs(path):
    """As `scripts/execute_notebooks.py` stores them: each was run in order, to its end."""
    notebook = nbformat.read(path, as_version=4)
    counts = [cell.execution_count for cell in notebook.cells if cell.cell_type == "code"]
    assert counts == list(range(1, len(counts) + 1))
    assert any("image/png" in output.get("data", {}) for output in outputs(notebook))
    kinds = {(output.output_type, output.get("name")) for output in outputs(notebook)}
    assert {kind for kind, _ in kinds} <= {"display_data", "execute_result", "stream"}
    assert "stderr" not in {name for _, name in kinds}
    assert "widgets" not in notebook.metadata
    assert path.stat().st_size < LARGEST


def test_there_are_notebooks():
    assert "first_steps" in {path.stem for path in NOTEBOOKS}
