"""The layout of a saved model's directory: its header and its data files.

A separate module, so that code that only handles the files does not import Keras.
"""

from __future__ import annotations

import re

from embedscope.core.storage._stored_directory import Layout

MODEL = Layout(
    header="model.json",
    noun="model",
    format=2,  # 2: style codes, spread, held-out samples
    data_file=re.compile(r"arrays\.npz|[A-Za-z]\w*\.keras", re.ASCII),
)
