"""`transform` of dask arrays and frames: nothing is computed before it is asked for.

The model is one task of the graph, and the task of each chunk depends on it. So a scheduler sends
it once to each worker, not with every chunk, and again to another one if a worker is lost. It holds
the encoder alone: a worker needs neither the map nor the graph of the training samples.

dask is imported only if the input is a dask object.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from embedscope._errors import InvalidInputError, MissingDependencyError
from embedscope.core.arrays._rows import Rows, as_rows

if TYPE_CHECKING:
    from embedscope.core.networks._forward import Forward

_MOST_NAMED = 30  # columns in a message


class BlockPlacer:
    """Places chunks of samples by an encoder.

    Pickled, it holds the encoder as a Keras archive, which is read when the first chunk is placed:
    a scheduler, which only passes it on, does not load TensorFlow.

    Parameters
    ----------
    encoder : keras.Model
    forward : Forward
        The encoder as a function.
    sample_shape : tuple of int
        Shape of one sample as the encoder takes it.
    n_components : int

    Attributes
    ----------
    fingerprint : str
        Of the network and its weights: equal for models that place all samples alike.
    """

    def __init__(
        self, encoder: Any, forward: Forward, sample_shape: tuple[int, ...], n_components: int
    ) -> None:
        self._encoder = encoder
        self._forward: Forward | None = forward
        self._archive: bytes | None = None
        self._sample_shape = sample_shape
        self.n_components = n_components
        self.fingerprint = _fingerprint(encoder)

    def __getstate__(self) -> dict[str, Any]:
        if self._archive is None:
            self._archive = _archived(self._encoder)
        return self.__dict__ | {"_encoder": None, "_forward": None}

    def place(self, block: Any, number: int, first_row: int) -> np.ndarray:
        """Positions of the samples of a chunk, shape (n, n_components), float32.

        Parameters
        ----------
        block : array-like of shape (n, ...)
        number : int
            That of the chunk, for an error.
        first_row : int
            Of the chunk.
        """
        if not block.shape[0]:  # indexing a dask array can leave such chunks
            return np.empty((0, self.n_components), np.float32)
        try:
            rows = as_rows(block, first_row=first_row)
        except InvalidInputError as error:
            raise type(error)(f"{error} This is chunk {number}.") from error
        return self._loaded()(Rows(rows.flat, self._sample_shape, rows.given_shape))

    def _loaded(self) -> Forward:
        if self._forward is not None:
            return self._forward
        from dask.utils import SerializableLock

        with SerializableLock(self.fingerprint):  # one for all threads of a process
            if self._forward is None:
                from embedscope.core.networks._forward import Forward

                assert self._archive is not None
                self._encoder = _restored(self._archive)
                self._forward = Forward(self._encoder)
        return self._forward


def place_lazily(X: Any, placer: BlockPlacer) -> Any:
    """Place each chunk of a dask array, lazily.

    Parameters
    ----------
    X : dask array of shape (n_samples, ...)
        Chunks that split samples are joined.
    placer : BlockPlacer

    Returns
    -------
    dask array of shape (n_samples, n_components), float32

    Raises
    ------
    MissingDependencyError
        If workers of the current `distributed.Client` lack embedscope.
    """
    from dask.delayed import delayed

    _check_workers()
    whole = X.rechunk(dict.fromkeys(range(1, X.ndim), -1))
    return whole.map_blocks(
        _place_block,
        placer=delayed(placer, name=f"embedscope-model-{placer.fingerprint}", traverse=False),
        dtype=np.float32,
        chunks=(whole.chunks[0], (placer.n_components,)),
        drop_axis=list(range(2, X.ndim)),
        meta=np.empty((0, placer.n_components), dtype=np.float32),
    )


def _check_workers() -> None:
    """Ask the workers of a cluster for embedscope: without it they would die of the first chunk."""
    try:
        client = sys.modules["distributed"].default_client()
    except (KeyError, ValueError):  # not imported, or no client
        return
    if client.asynchronous:  # its answers can only be awaited
        return
    found = client.run(importlib.util.find_spec, "embedscope", on_error="return")
    without = [worker for worker, spec in found.items() if spec is None]
    if without:
        raise MissingDependencyError(
            "Every dask worker must have embedscope; got workers without it: "
            f"{', '.join(without[:_MOST_NAMED])}. Install it there, in the version of this process."
        )


def _place_block(block: Any, placer: BlockPlacer, block_info: Any = None) -> np.ndarray:
    place = block_info[0]
    number, start = place["chunk-location"][0], place["array-location"][0][0]
    # Where chunks have unknown sizes, rows are counted from the start of the chunk.
    return placer.place(block, number, 0 if np.isnan(start) else int(start))


def is_lazy_frame(X: Any) -> bool:
    """Whether `X` is a dask frame."""
    return hasattr(X, "map_partitions") and hasattr(X, "to_dask_array")


def in_order(X: Any, names: Any) -> Any:
    """The columns of a dask frame that a model knows by name, in the model's order.

    Parameters
    ----------
    X : dask frame
    names : sequence of str or None
        None if the model knows no names: the frame must then hold its columns, and no others.

    Returns
    -------
    dask frame

    Raises
    ------
    InvalidInputError
        If a column is missing; with the columns of both.
    """
    if names is None:
        return X
    given = [str(name) for name in X.columns]
    missing = [name for name in names if name not in given]
    if missing:
        raise InvalidInputError(
            f"X must have the columns that the map was trained on, {_listed(names)}; got "
            f"{_listed(given)}. Missing: {_listed(missing)}. Rename or add them."
        )
    return X[list(names)]


def columns_of(X: Any) -> Any:
    """An empty pandas frame with the columns of a dask frame; anything else unchanged."""
    if not is_lazy_frame(X):
        return X
    import pandas as pd

    return pd.DataFrame(columns=X.columns)


def _listed(names: Any) -> str:
    rest = len(names) - _MOST_NAMED
    shown = ", ".join(repr(str(name)) for name in list(names)[:_MOST_NAMED])
    return f"[{shown}{f', and {rest} more' if rest > 0 else ''}]"


def _fingerprint(encoder: Any) -> str:
    described = hashlib.sha256(json.dumps(encoder.get_config(), default=repr).encode())
    for weight in encoder.get_weights():
        described.update(np.ascontiguousarray(weight).tobytes())
    return described.hexdigest()[:32]


def _archived(encoder: Any) -> bytes:
    with tempfile.TemporaryDirectory() as private:
        file = Path(private) / "encoder.keras"
        encoder.save(file)
        return file.read_bytes()


def _restored(archive: bytes) -> Any:
    from embedscope.core.networks._tensorflow import keras

    with tempfile.TemporaryDirectory() as private:
        file = Path(private) / "encoder.keras"
        file.write_bytes(archive)
        return keras.saving.load_model(file, compile=False, safe_mode=True)
