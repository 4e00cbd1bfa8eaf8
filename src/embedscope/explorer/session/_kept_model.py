"""A trained map on a machine without TensorFlow: kept as files, so that nothing is lost.

A session can be opened, explored and exported without TensorFlow. What needs the networks raises an
error; saving the session copies their files.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt

from embedscope._errors import MissingDependencyError

_NETWORKS_AND_MORE = ("style_encoder_", "spread_decoder_", "validation_rows_")


def can_run_networks() -> bool:
    """Whether TensorFlow and Keras are installed."""
    try:
        return find_spec("tensorflow") is not None and find_spec("keras") is not None
    except (ImportError, ValueError):  # ValueError: of a module that has no specification
        return False


class KeptModel:
    """Stands for a `ParametricUMAP` whose networks cannot run here.

    Parameters
    ----------
    folder : Path
        What `ParametricUMAP.save` wrote; its files are read into memory.
    embedding : ndarray of shape (n_samples, 2), float32
        Positions of the training samples.
    may_turn : bool
        The encoder may turn samples upright, which needs its first layer.
    """

    decoder_ = None
    n_style_components = 0

    def __init__(self, folder: Path, embedding: npt.NDArray[np.float32], may_turn: bool) -> None:
        self._files = {file.name: file.read_bytes() for file in folder.iterdir()}
        self.embedding_ = embedding
        if not may_turn:
            self.encoder_ = None

    def save(self, path: Path) -> None:
        """Write the files of the model, unchanged."""
        path.mkdir(parents=True, exist_ok=True)
        for name, content in self._files.items():
            (path / name).write_bytes(content)

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("_") or name in _NETWORKS_AND_MORE:
            raise AttributeError(f"{type(self).__name__!r} has no attribute {name!r}")
        raise MissingDependencyError(
            f"{name} must run the networks of the map; got no TensorFlow. Run: pip install "
            "tensorflow, and open the session again."
        )

    def __reduce__(self) -> Any:
        raise MissingDependencyError(
            "a trained map must have its networks to be copied; got no TensorFlow. Run: pip "
            "install tensorflow, and open the session again."
        )
