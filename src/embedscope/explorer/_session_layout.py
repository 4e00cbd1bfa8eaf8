"""What the directory of a saved session looks like: its header, its arrays and its model."""

from __future__ import annotations

import re

from embedscope.core._stored_directory import Layout

SESSION = Layout(
    header="session.json",
    noun="session",
    format=2,  # 2: training parameters with style numbers, models of format 2
    data_file=re.compile(
        r"arrays\.npz|model/(model\.json|arrays\.npz|[A-Za-z]\w*\.keras)", re.ASCII
    ),
)
