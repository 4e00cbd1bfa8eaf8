"""What the directory of a saved model looks like: its header and its data files.

By itself, so that what looks after the files need not load Keras.
"""

from __future__ import annotations

import re

from embedscope.core.storage._stored_directory import Layout

MODEL = Layout(
    header="model.json",
    noun="model",
    format=2,  # 2: style codes, spread, samples held out
    data_file=re.compile(r"arrays\.npz|[A-Za-z]\w*\.keras", re.ASCII),
)
