"""The gates as an image: at each pixel of an object the class of its gate, read part by part."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt

from embedscope._errors import InvalidInputError
from embedscope.explorer.marks._gates import GateSet
from embedscope.samples import Samples, Source
from embedscope.samples.identity import chunk_sides, finest_level, is_text, read

Classes = npt.NDArray[np.unsignedinteger[Any]]

_MOST_GATES = 65_535
_ROWS_AT_ONCE = 1024


@dataclass(frozen=True)
class GateImage:
    """The classes of one source, at the pixels of its labels or patches.

    Attributes
    ----------
    source : Source
    frames, labels : ndarray of shape (n,), int64
        Of the samples that are in a gate.
    classes : ndarray of shape (n,), uint8 or uint16
        The class of each; 0 is no gate.
    names, colors : tuple of str
        Of class 1, 2 and so on; colours are "#rrggbb".
    pixel_size : tuple of float or None
        Micrometres along each spatial axis, if known.
    """

    source: Source
    frames: npt.NDArray[np.int64]
    labels: npt.NDArray[np.int64]
    classes: Classes
    names: tuple[str, ...]
    colors: tuple[str, ...]
    pixel_size: tuple[float, ...] | None

    @property
    def axes(self) -> str:
        """The axes, such as "tyx"."""
        return self.source.axes

    @property
    def dtype(self) -> np.dtype[Any]:
        """uint8, or uint16 if there are more than 255 gates."""
        return self.classes.dtype

    @cached_property
    def shape(self) -> tuple[int, ...]:
        """Number of pixels along each axis."""
        if self.source.patch_grid is None:
            return tuple(int(side) for side in self._pixels.shape)
        image = finest_level(self.source.image)
        return tuple(int(image.shape[self.source.image_axes.index(axis)]) for axis in self.axes)

    def blocks(self, *, single_planes: bool = False) -> Iterator[tuple[tuple[slice, ...], Classes]]:
        """Read the image once, in blocks as wide as the image.

        Parameters
        ----------
        single_planes : bool, default=False
            Whether a block is of one plane. Otherwise it is as deep as the chunks of the labels, so
            that each chunk is read once.

        Yields
        ------
        tuple of slice, ndarray
            Where a block is, plane after plane and from top to bottom, and its classes. All but the
            last of a plane have a multiple of 1024 rows.
        """
        chunks = (1,) * len(self.shape) if self.source.patch_grid else chunk_sides(self._pixels)
        n_rows = -(-chunks[-2] // _ROWS_AT_ONCE) * _ROWS_AT_ONCE
        sides = [1 if single_planes else side for side in chunks[:-2]] + [n_rows]
        starts = (range(0, n, side) for n, side in zip(self.shape[:-1], sides, strict=True))
        for corner in product(*starts):
            box = tuple(
                slice(start, min(start + side, n))
                for start, side, n in zip(corner, sides, self.shape[:-1], strict=True)
            )
            yield (*box, slice(0, self.shape[-1])), self._read((*box, slice(0, self.shape[-1])))

    @property
    def _pixels(self) -> Any:
        return finest_level(self.source.labels, "labels")

    def _read(self, box: tuple[slice, ...]) -> Classes:
        labels = self._labels_in(box)
        if "t" not in self.axes:
            return self._classes_of(labels, 0)
        axis = self.axes.index("t")
        frames = range(box[axis].start, box[axis].stop)
        moved = np.moveaxis(labels, axis, 0)
        found = [self._classes_of(part, frame) for part, frame in zip(moved, frames, strict=True)]
        return np.stack(found, axis)

    def _labels_in(self, box: tuple[slice, ...]) -> npt.NDArray[Any]:
        grid = self.source.patch_grid
        if grid is None:
            return read(self._pixels, box)
        rows, columns = (np.arange(part.start, part.stop) for part in box[-2:])
        leading = tuple(part.stop - part.start for part in box[:-2])
        numbers = grid.labels_at(rows, columns)
        return np.broadcast_to(numbers, leading + numbers.shape)

    def _classes_of(self, labels: npt.NDArray[Any], frame: int) -> Classes:
        start, stop = np.searchsorted(self.frames, [frame, frame + 1])
        known = self.labels[start:stop]
        if not len(known):
            return np.zeros(labels.shape, self.dtype)
        wanted = labels.astype(np.int64, copy=False)
        places = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
        is_known = known[places] == wanted
        found: Classes = np.where(is_known, self.classes[start:stop][places], self.dtype.type(0))
        return found


def gate_images(
    samples: Samples, gates: GateSet, memberships: Mapping[str, npt.NDArray[np.bool_]]
) -> dict[str, GateImage]:
    """An image of the gates for each source that has labels or patches.

    Parameters
    ----------
    samples : Samples
        n samples.
    gates : GateSet
        Class 1 is the first gate. A sample in several gates has the class of the last one.
    memberships : mapping of str to ndarray of shape (n,), bool

    Returns
    -------
    dict of str to GateImage
        By the name of the source.

    Raises
    ------
    InvalidInputError
        If there is no gate, there are too many, or no sample lies in an image, or in one that can
        be read.
    """
    if not 0 < len(gates) <= _MOST_GATES:
        raise InvalidInputError(
            f"gates must be 1..{_MOST_GATES} to become classes; got {len(gates)}. Add one with "
            "add_gate."
        )
    identities, without = samples.identities, sources_without_pixels(samples)
    classes: Classes = np.zeros(len(samples), np.uint8 if len(gates) < 256 else np.uint16)
    for number, name in enumerate(gates.names, start=1):
        classes[memberships[name]] = number
    images = {}
    for name, source in samples.sources.items():
        if name in without:
            continue
        of_source = identities.source == identities.sources.index(name)
        rows = np.flatnonzero(of_source & (classes > 0))
        rows = rows[np.lexsort((identities.label[rows], identities.frame[rows]))]
        images[name] = GateImage(
            source,
            identities.frame[rows],
            identities.label[rows],
            classes[rows],
            gates.names,
            tuple(gate.color for gate in gates),
            getattr(samples.recipe, "pixel_size", None),
        )
    if not images:
        listed = "; ".join(f"{name!r}: {reason}" for name, reason in without.items())
        raise InvalidInputError(
            "samples must be objects of label images or patches, which have pixels for the "
            f"classes; got {listed}. Put files that are missing back, or make the samples with "
            "samples_from_labels."
        )
    return images


def sources_without_pixels(samples: Samples) -> dict[str, str]:
    """The sources that no label image of gates can be made for.

    Parameters
    ----------
    samples : Samples

    Returns
    -------
    dict of str to str
        The reason, by the name of the source.
    """
    if is_text(samples.identities.label):
        return dict.fromkeys(samples.sources, "its samples have names, and no labels")
    return {
        name: _why_without_pixels(source)
        for name, source in samples.sources.items()
        if source.labels is None and (source.patch_grid is None or source.image is None)
    }


def _why_without_pixels(source: Source) -> str:
    path = source.image_path if source.patch_grid is not None else source.labels_path
    return "it has no label image" if path is None else f"{path} cannot be opened as it was"
