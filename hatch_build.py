"""The project's description for package indexes, made when a package is built.

An index shows README.md alone, so its links to other files and its pictures would lead nowhere.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

_PICTURE = re.compile(r"^!\[[^\]]*\]\((?!https?:)[^)]*\)\n+", re.MULTILINE)
_LINK = re.compile(r"\[([^\]]*)\]\((?!https?:)[^)]*\)")


def without_local_links(text: str) -> str:
    """The text without pictures from files, and with the words alone of links to files."""
    return _LINK.sub(r"\1", _PICTURE.sub("", text))


class Description(MetadataHookInterface):
    """Sets the description of the package."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Put README.md, without its links to files, into the metadata."""
        text = (Path(self.root) / "README.md").read_text(encoding="utf-8")
        metadata["readme"] = {
            "content-type": "text/markdown",
            "text": without_local_links(text),
        }
