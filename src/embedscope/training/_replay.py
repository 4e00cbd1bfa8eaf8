"""Snapshots of the map in training, in half precision, thinned to a memory limit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock

import numpy as np

from embedscope._errors import InvalidModelError

_BYTES_PER_VALUE = 2  # float16
_ARRAYS = {
    "epochs": np.int64,
    "fractions": np.float64,
    "centers": np.float32,
    "half_widths": np.float32,
    "positions": np.float16,
}


@dataclass(frozen=True)
class _Frame:
    """One snapshot, scaled to -1..1 in its bounding box, which suits half precision."""

    epoch: int
    fraction: float
    center: np.ndarray
    half_width: np.ndarray
    positions: np.ndarray

    @classmethod
    def of(cls, epoch: int, fraction: float, embedding: np.ndarray) -> _Frame:
        low, high = embedding.min(axis=0), embedding.max(axis=0)
        # Halved first, since the width of a diverged map may exceed float32.
        center, half_width = low / 2 + high / 2, high / 2 - low / 2
        half_width = np.where(half_width > 0, half_width, np.float32(1.0))
        scaled = ((embedding - center) / half_width).astype(np.float16)
        return cls(epoch, fraction, center, half_width, scaled)

    def restored(self) -> np.ndarray:
        positions: np.ndarray = self.positions.astype(np.float32) * self.half_width + self.center
        return positions


@dataclass(frozen=True)
class Replay:
    """Snapshots of the map, oldest first.

    Attributes
    ----------
    epochs : tuple of int
        Entries in the loss history at each snapshot; 0 for all of the layout.
    fractions : tuple of float
        Share of the run that was done, 0..1, ascending.
    """

    _frames: tuple[_Frame, ...] = ()

    def __len__(self) -> int:
        return len(self._frames)

    @property
    def epochs(self) -> tuple[int, ...]:
        """Entries in the loss history at each snapshot; 0 for all of the layout."""
        return tuple(frame.epoch for frame in self._frames)

    @property
    def fractions(self) -> tuple[float, ...]:
        """Share of the run that was done, 0..1, ascending."""
        return tuple(frame.fraction for frame in self._frames)

    def positions(self, index: int) -> np.ndarray:
        """The map at a snapshot.

        Parameters
        ----------
        index : int
            Index of the snapshot, as in `epochs`; negative ones count from the end.

        Returns
        -------
        ndarray of shape (n_samples, n_components), float32
            Exact to 1/4000 of the map's width.

        Raises
        ------
        IndexError
            If there is no such snapshot.
        """
        return self._frames[index].restored()

    def to_arrays(self) -> dict[str, np.ndarray]:
        """All snapshots as plain arrays, for storage.

        Returns
        -------
        dict of str to ndarray
            For k snapshots of n samples: ``epochs`` (k,) int64, ``fractions`` (k,) float64,
            ``centers`` and ``half_widths`` (k, 2) float32, ``positions`` (k, n, 2) float16. Empty
            without snapshots.
        """
        if not self._frames:
            return {}
        return {
            "epochs": np.array(self.epochs, np.int64),
            "fractions": np.array(self.fractions, np.float64),
            "centers": np.stack([frame.center for frame in self._frames]),
            "half_widths": np.stack([frame.half_width for frame in self._frames]),
            "positions": np.stack([frame.positions for frame in self._frames]),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Replay:
        """The replay of `to_arrays`, exactly.

        Raises
        ------
        InvalidModelError
            If an array is missing, or they do not fit together.
        """
        if not arrays:
            return cls()
        _check_arrays(arrays)
        epochs, fractions, *positions = (arrays[name] for name in _ARRAYS)
        entries = zip(epochs.tolist(), fractions.tolist(), *positions, strict=True)
        return cls(tuple(_Frame(*entry) for entry in entries))


def _check_arrays(arrays: Mapping[str, np.ndarray]) -> None:
    missing = [name for name in _ARRAYS if name not in arrays]
    if missing:
        raise InvalidModelError(
            f"replay must have the arrays {', '.join(_ARRAYS)}; got none named "
            f"{', '.join(missing)}. Save the session again."
        )
    n_samples = arrays["positions"].shape[1] if arrays["positions"].ndim == 3 else 0
    tails = {"centers": (2,), "half_widths": (2,), "positions": (n_samples, 2)}
    for name, dtype in _ARRAYS.items():
        array = np.asarray(arrays[name])
        shape = (len(arrays["epochs"]), *tails.get(name, ()))
        if array.shape != shape or array.dtype != dtype:
            raise InvalidModelError(
                f"replay's {name} must be {np.dtype(dtype)} of shape {shape}; got {array.dtype} of "
                f"shape {array.shape}. Save the session again."
            )


class ReplayRecorder:
    """Stores snapshots, and drops every second one whenever the memory is full.

    The stored ones are then spread evenly from the first on; the latest is always among them.

    Parameters
    ----------
    max_bytes : int
        Memory limit of the positions.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._lock = Lock()
        self._frames: list[_Frame] = []
        self._latest: _Frame | None = None
        self._stride = 1
        self._n_seen = 0

    def add(self, epoch: int, fraction: float, embedding: np.ndarray) -> None:
        """Add a snapshot of the map.

        Parameters
        ----------
        epoch : int
        fraction : float
        embedding : ndarray of shape (n_samples, n_components), float32
            Copied; all of a run have the same shape.
        """
        frame = _Frame.of(epoch, fraction, embedding)
        with self._lock:
            self._latest = frame
            if self._n_seen % self._stride == 0:
                self._frames.append(frame)
                self._thin(self._most_frames(embedding.size))
            self._n_seen += 1

    def _most_frames(self, n_values: int) -> int:
        # One less than fits, since the latest is stored beside the evenly spaced ones.
        return max(1, self._max_bytes // (_BYTES_PER_VALUE * max(1, n_values)) - 1)

    def _thin(self, most: int) -> None:
        while len(self._frames) > most:
            self._frames = self._frames[::2]
            self._stride *= 2

    @property
    def replay(self) -> Replay:
        """The snapshots now; later ones do not change it."""
        with self._lock:
            frames = list(self._frames)
            if self._latest is not None and self._latest is not frames[-1]:
                frames.append(self._latest)
        return Replay(tuple(frames))
