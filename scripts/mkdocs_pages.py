"""A hook of MkDocs: makes pages of files that lie outside of docs/.

These are the notebooks, with their outputs, the changelog, the rules for contributors and the
citation. Links between pages and these files are written for readers of the repository; here they
are changed to links between pages.
"""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[1]
PAGES = {"CHANGELOG.md": "changelog.md", "CONTRIBUTING.md": "contributing.md"}
LINKS = [
    (re.compile(r"\]\((?:\.\./)?notebooks/(\w+)\.ipynb"), r"](notebooks/\1.md"),
    (re.compile(r"\]\((?:\.\./)?CHANGELOG\.md"), "](changelog.md"),
    (re.compile(r"\]\((?:\.\./)?CONTRIBUTING\.md"), "](contributing.md"),
    (re.compile(r"\]\(docs/"), "]("),
    (re.compile(r"\]\((?:\.\./)?README\.md(#[\w-]+)?\)"), r"](index.md\1)"),
    # Other files of the repository have no page: their name alone is shown.
    (re.compile(r"\[([^\]]+)\]\((?:\.\./)*(?:benchmarks|src|tests|LICENSE)[^)]*\)"), r"\1"),
]
_INCLUDED = re.compile(r"(?:^The \w+ is in \[README\][^\n]*\n\n)?<!-- from (\S+): (\w+) -->", re.M)


def section_of(name: str, title: str) -> str:
    """The part of a file between the comments that begin and end it."""
    text = (ROOT / name).read_text("utf-8")
    return text.split(f"<!-- begin {title} -->\n")[1].split(f"<!-- end {title} -->")[0]


def on_files(files: Files, config: Any) -> Files:
    """Add the pages."""
    for name, page in PAGES.items():
        files.append(File.generated(config, page, content=(ROOT / name).read_text("utf-8")))
    citation = (ROOT / "CITATION.cff").read_text("utf-8")
    text = "# Citation\n\nPlease cite embedscope, and the papers on which it is built. This is "
    text += f"`CITATION.cff`, which reference managers can read.\n\n```yaml\n{citation}```\n"
    files.append(File.generated(config, "citation.md", content=text))
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        text, pictures = as_page(json.loads(path.read_text("utf-8")), path.stem)
        files.append(File.generated(config, f"notebooks/{path.stem}.md", content=text))
        for name, content in pictures.items():
            files.append(File.generated(config, f"notebooks/{name}", content=content))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Put in what a page takes from README.md, and change links to files into links to pages."""
    markdown = _INCLUDED.sub(lambda found: section_of(*found.groups()), markdown)
    for pattern, link in LINKS:
        markdown = pattern.sub(link, markdown)
    if page.file.src_uri.startswith("notebooks/"):
        markdown = re.sub(r"\]\(\.\./docs/", "](../", markdown)
    return markdown


def as_page(notebook: dict[str, Any], stem: str) -> tuple[str, dict[str, bytes]]:
    """A notebook as Markdown, and its pictures by name."""
    parts: list[str] = []
    pictures: dict[str, bytes] = {}
    for cell in notebook["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            parts.append(source)
            continue
        parts.append(f"```python\n{source}\n```")
        for output in cell["outputs"]:
            data = output.get("data", {})
            if "image/png" in data:
                name = f"{stem}_{len(pictures)}.png"
                pictures[name] = base64.b64decode("".join(data["image/png"]))
                parts.append(f"![What the cell shows]({name})")
                continue
            text = "".join(output.get("text", data.get("text/plain", "")))
            if text.strip():
                parts.append(f"```text\n{text.rstrip()}\n```")
    source_line = f"This page is the notebook `notebooks/{stem}.ipynb`, as it was run."
    return "\n\n".join([*parts, source_line]) + "\n", pictures
