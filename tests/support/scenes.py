"""Random scenes of labelled objects, whose pixels say to whom they belong.

No neighbour can pass for another in them: an object's pixels in the image are its number.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from embedscope.samples import samples_from_labels
from embedscope.samples.images import _tiles as tiles_module

USUAL = settings(
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
LABELS = (0, 0, 1, 2, 7, 300, 65_535, 70_000, 2**31 - 1, 2**31)
DTYPES = (np.uint8, np.int16, np.uint16, np.int32, np.uint32, np.int64, np.uint64)
STORAGES = ("numpy", "fortran", "dask", "zarr", "numpy pyramid", "dask pyramid", "zarr pyramid")


def trials(few: int, many: int):
    """Run a test on a few examples always, and on many with -m long."""
    return pytest.mark.parametrize(
        "trials",
        [
            pytest.param(settings(USUAL, max_examples=few, derandomize=True), id="few"),
            pytest.param(settings(USUAL, max_examples=many), marks=pytest.mark.long, id="many"),
        ],
    )


@dataclasses.dataclass(frozen=True)
class Scene:
    """Labels, an image whose pixels name their object, and how both are handed in."""

    labels: np.ndarray
    image: np.ndarray
    axes: str
    affine: np.ndarray | None
    storage: str
    chunk: int

    @property
    def objects(self) -> list[tuple[int, int]]:
        """(frame, label) of every object, rising."""
        frames = self.labels if "t" in self.axes else self.labels[np.newaxis]
        return [(t, int(k)) for t, frame in enumerate(frames) for k in np.unique(frame) if k]

    def mask(self, frame: int, label: int) -> np.ndarray:
        """Where an object is, along the spatial axes."""
        frames = self.labels if "t" in self.axes else self.labels[np.newaxis]
        return frames[frame] == label

    def name(self, frame: int, label: int) -> int:
        """The value of an object's pixels."""
        return 1 + self.objects.index((frame, label))

    def stored(self, array: np.ndarray) -> Any:
        """The array as the scene's storage has it."""
        kind = self.storage.split()[0]
        stored = _store(array, kind, self.chunk)
        if not self.storage.endswith("pyramid"):
            return stored
        coarse = array[(slice(None, None, 2),) * array.ndim]
        return [stored, _store(coarse, kind, self.chunk)] if coarse.shape != array.shape else stored


def _store(array: np.ndarray, kind: str, chunk: int) -> Any:
    if kind == "dask":
        import dask.array as da

        return da.from_array(array, chunks=chunk)
    if kind == "zarr":
        import zarr

        chunks = tuple(min(chunk, side) for side in array.shape)
        stored = zarr.create_array({}, shape=array.shape, chunks=chunks, dtype=array.dtype)
        stored[...] = array
        return stored
    return np.asfortranarray(array) if kind == "fortran" else array


@st.composite
def affines(draw: st.DrawFn, n_axes: int) -> np.ndarray:
    """Scaled, rotated, mirrored and translated; distances stay far above rounding errors."""
    numbers = st.floats(0.05, 20)
    matrix = np.eye(n_axes + 1)
    matrix[:-1, :-1] = np.diag([draw(numbers) for _ in range(n_axes)])
    angle = draw(st.floats(-3.2, 3.2))
    turn = np.eye(n_axes + 1)
    turn[-3:-1, -3:-1] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    mirror = np.diag([*draw(st.tuples(*[st.sampled_from([1.0, -1.0])] * n_axes)), 1.0])
    matrix = turn @ matrix @ mirror
    matrix[:-1, -1] = [draw(st.floats(-1000, 1000)) for _ in range(n_axes)]
    return matrix


@st.composite
def scenes(draw: st.DrawFn) -> Scene:
    axes = draw(st.sampled_from(["yx", "zyx", "tyx", "tzyx"]))
    longest = 9 if len(axes) == 2 else 4
    shape = tuple(draw(st.integers(1, longest)) for _ in axes)
    dtype = np.dtype(draw(st.sampled_from(DTYPES)))
    ids = [label for label in LABELS if label <= np.iinfo(dtype).max]
    pool = draw(st.lists(st.sampled_from(ids), min_size=1, max_size=5))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    blocks = draw(st.integers(1, 3))  # objects of several pixels, cut by the border
    coarse = rng.choice(np.array(pool, dtype), size=[-(-side // blocks) for side in shape])
    labels = coarse
    for axis in range(len(axes)):
        labels = labels.repeat(blocks, axis=axis)
    labels = labels[tuple(slice(side) for side in shape)]
    scene = Scene(
        labels,
        labels,
        axes,
        draw(st.none() | affines(len(axes))),
        draw(st.sampled_from(STORAGES)),
        draw(st.integers(1, 5)),
    )
    return dataclasses.replace(scene, image=_named_pixels(scene))


def _named_pixels(scene: Scene) -> np.ndarray:
    image = np.zeros(scene.labels.shape, np.uint16)
    frames = image if "t" in scene.axes else image[np.newaxis]
    for number, (frame, label) in enumerate(scene.objects, start=1):
        frames[frame][scene.mask(frame, label)] = number
    return image


def cut(scene: Scene, **options: Any):
    """Samples of a scene, through tiles that are smaller than it."""
    ids = np.unique(scene.labels[scene.labels > 0])
    if len(ids) == 1:  # said to be objects, since one id in many pieces would be refused as a mask
        options = {"label_ids": ids} | options
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tiles_module, "TILE_PIXELS", 16)
        return samples_from_labels(
            scene.stored(scene.image),
            scene.stored(scene.labels),
            axes=scene.axes,
            affine=scene.affine,
            source="scene",
            **options,
        )
