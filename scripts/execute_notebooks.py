"""Run the notebooks, and store them with what their cells show.

    python scripts/execute_notebooks.py [NAME...]

Without names it runs all. The files that they write go to a temporary folder. Widgets are stored as
their text or picture, since their state is large and cannot be shown without a kernel.
"""

from __future__ import annotations

import argparse
import base64
import io
import os
import tempfile
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from PIL import Image

FOLDER = Path(__file__).resolve().parents[1] / "notebooks"
COLORS = 64  # of a picture: a small file
FIRST_LINES = 'import matplotlib.pyplot as _plt\n_plt.rcParams["figure.dpi"] = 60\n'
WIDGET = "application/vnd.jupyter.widget-view+json"


def execute(path: Path) -> None:
    """Run a notebook, and store it with its outputs."""
    notebook = nbformat.read(path, as_version=4)
    setting = nbformat.v4.new_code_cell("%matplotlib inline\n" + FIRST_LINES)
    notebook.cells.insert(0, setting)
    with tempfile.TemporaryDirectory() as folder:
        NotebookClient(
            notebook,
            timeout=300,
            kernel_name="python3",
            resources={"metadata": {"path": folder}},
            record_timing=False,
        ).execute()
    del notebook.cells[0]
    number = 0
    for cell in notebook.cells:
        if cell.cell_type == "code":
            number += 1
            cell.execution_count = number
            cell.outputs = [shown(output, number) for output in cell.outputs]
            if any(output.get("name") == "stderr" for output in cell.outputs):
                raise RuntimeError(f"{path.name}: cell {number} warns: {cell.outputs}")
    notebook.metadata.pop("widgets", None)
    notebook.metadata.language_info = {"name": "python"}
    path.write_text(nbformat.writes(notebook, version=4) + "\n", encoding="utf-8")


def shown(output: nbformat.NotebookNode, number: int) -> nbformat.NotebookNode:
    """An output without the state of widgets, and with small pictures."""
    if "execution_count" in output:
        output.execution_count = number
    data = output.get("data", {})
    data.pop(WIDGET, None)
    if "image/png" in data:
        data["image/png"] = smaller(data["image/png"])
    return output


def smaller(png: str) -> str:
    """A picture with few colours, in base64."""
    with Image.open(io.BytesIO(base64.b64decode(png))) as picture:
        few = picture.convert("RGB").quantize(COLORS, method=Image.Quantize.FASTOCTREE)
    file = io.BytesIO()
    few.save(file, "PNG", optimize=True)
    return base64.b64encode(file.getvalue()).decode()


def main() -> None:
    """Run those that are named, or all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="such as first_steps")
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"  # only errors
    os.environ.pop("MPLBACKEND", None)  # the kernel draws into the notebook
    names = parser.parse_args().names or sorted(path.stem for path in FOLDER.glob("*.ipynb"))
    for name in names:
        began = time.perf_counter()
        execute(FOLDER / f"{name}.ipynb")
        print(f"{name}: {time.perf_counter() - began:.1f} s")


if __name__ == "__main__":
    main()
