"""Packages see of each other what their `__init__` gives, never a private module."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import embedscope

ROOT = Path(embedscope.__file__).parent


def imports_across_packages() -> Iterator[tuple[str, str]]:
    """Each module, and what it imports from another package of embedscope."""
    for path in ROOT.rglob("*.py"):
        if "node_modules" in path.parts:
            continue
        package = path.relative_to(ROOT).parts[0]
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom):
                names = [f"{node.module}.{name.name}" for name in node.names]
            elif isinstance(node, ast.Import):
                names = [name.name for name in node.names]
            else:
                continue
            for name in names:
                parts = name.split(".")
                if parts[0] == "embedscope" and len(parts) > 2 and parts[1] != package:
                    yield f"{path.relative_to(ROOT)}:{node.lineno}", name


def is_private(name: str) -> bool:
    return any(part.startswith("_") and not part.startswith("__") for part in name.split("."))


def test_no_package_imports_a_private_module_of_another() -> None:
    across = list(imports_across_packages())
    assert len(across) > 100
    # Modules at the top, such as `embedscope._errors`, are everybody's.
    private = [
        (where, name)
        for where, name in across
        if is_private(name) and not name.split(".")[1].startswith("_")
    ]
    assert private == []
