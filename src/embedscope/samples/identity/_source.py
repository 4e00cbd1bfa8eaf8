"""Where samples come from: an image with its labels, a table or an array, and its affine.

A source converts pixels to world coordinates, and finds the sample at a point of the world.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from embedscope._errors import InvalidInputError
from embedscope.samples.identity._arrays import finest_level, read
from embedscope.samples.identity._identity import SampleId, is_name
from embedscope.samples.identity._patch_grid import PatchGrid

SourceKind = Literal["labels", "patches", "table", "array"]
_IN_IMAGES = ("labels", "patches")  # whose labels are those of pixels
FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Source:
    """One source of samples.

    Attributes
    ----------
    name : str
        Its name, as in the identities of its samples.
    kind : {"labels", "patches", "table", "array"}
        What its samples are: labelled objects, patches of a grid, rows of a table, or items of an
        array.
    image, labels : array, pyramid (list of arrays, finest first) or None
        numpy, dask or zarr arrays as they were given: neither read nor copied.
    axes : str
        The axes of the labels (of the image without channels for patches), such as "tzyx".
    image_axes : str
        The axes of the image, with "c" for channels, such as "tzyxc".
    channel_names : tuple of str
        The name of each channel.
    affine : ndarray of shape (d + 1, d + 1), float64, or None
        From pixels to the world, with the d axes of `axes`; the centre of the first pixel is at 0.
        None is the identity. SpatialData has this centre at 0.5: see Notes.
    image_path, labels_path : str or None
        Where image and labels are stored, so that they can be found again.
    patch_grid : PatchGrid or None
        The grid of the patches, if the samples are patches.
    pixel_size : tuple of float or None
        Micrometres a pixel along each spatial axis, if known.

    Raises
    ------
    InvalidInputError
        If the name is empty, the kind unknown, the labels' axes do not match, or the affine matrix
        is not invertible or of the wrong shape.

    Notes
    -----
    The matrix of an element of SpatialData counts pixels from the corner of the first one, so half
    a pixel comes before it: ``matrix @ half``, where ``half`` is the identity with 0.5 in the last
    column of all rows but the last. Then `to_world` and `label_at` use SpatialData's coordinates.
    """

    name: str
    kind: SourceKind
    image: Any = None
    labels: Any = None
    axes: str = ""
    image_axes: str = ""
    channel_names: tuple[str, ...] = ()
    affine: npt.NDArray[np.float64] | None = None
    image_path: str | None = None
    labels_path: str | None = None
    patch_grid: PatchGrid | None = None
    pixel_size: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        if not is_name(self.name):
            raise InvalidInputError(
                f"source must be a name; got {self.name!r}. Name it after the image or table."
            )
        if self.kind not in get_args(SourceKind):
            raise InvalidInputError(
                f"kind must be one of {get_args(SourceKind)}; got {self.kind!r}. Choose one."
            )
        if self.labels is not None and finest_level(self.labels, "labels").ndim != len(self.axes):
            raise InvalidInputError(
                f"axes must name every axis of the labels; got {self.axes!r} for shape "
                f"{finest_level(self.labels).shape}. Use for example 'tyx'."
            )
        if self.affine is not None:
            object.__setattr__(self, "affine", _checked_affine(self.affine, len(self.axes)))

    @property
    def spatial_axes(self) -> str:
        """The axes without time: "yx" or "zyx"."""
        return self.axes.replace("t", "")

    def to_world(self, points: npt.ArrayLike) -> FloatArray:
        """Convert pixel coordinates to world coordinates.

        Parameters
        ----------
        points : array of shape (n, d) or (d,)
            One coordinate for each of `axes`, in pixels of the finest level.

        Returns
        -------
        ndarray of the same shape, float64
            In the world's units.

        Raises
        ------
        InvalidInputError
            If the number of coordinates is not d.
        """
        coordinates = self._checked_points(points)
        if self.affine is None:
            return coordinates
        return coordinates @ self.affine[:-1, :-1].T + self.affine[:-1, -1]

    def to_data(self, points: npt.ArrayLike) -> FloatArray:
        """Convert world coordinates to pixels of the finest level; the inverse of `to_world`.

        Parameters
        ----------
        points : array of shape (n, d) or (d,)
            One coordinate for each of `axes`, in the world's units.

        Raises
        ------
        InvalidInputError
            If the number of coordinates is not d.
        """
        coordinates = self._checked_points(points)
        if self.affine is None:
            return coordinates
        linear, offset = self.affine[:-1, :-1], self.affine[:-1, -1]
        return np.asarray(np.linalg.solve(linear, (coordinates - offset).T).T, np.float64)

    def label_at(self, world_point: npt.ArrayLike) -> SampleId | None:
        """Return the sample at a point of the world.

        Parameters
        ----------
        world_point : array of shape (d,)
            One coordinate for each of `axes`.

        Returns
        -------
        SampleId or None
            The sample of the nearest pixel; None on the background and outside. If patches overlap,
            the one with the nearest middle.

        Raises
        ------
        InvalidInputError
            If the number of coordinates is not d.
        """
        pixel = np.floor(self.to_data(world_point) + 0.5)
        if not np.isfinite(pixel).all():
            return None
        frame = int(pixel[self.axes.index("t")]) if "t" in self.axes else 0
        label = self._patch_at(pixel) if self.kind == "patches" else self._pixel_label(pixel)
        return SampleId(self.name, frame, label) if label else None

    def _pixel_label(self, pixel: FloatArray) -> int:
        if self.labels is None:
            return 0
        labels = finest_level(self.labels, "labels")
        if (pixel < 0).any() or (pixel >= labels.shape).any():
            return 0
        return int(read(labels, tuple(int(index) for index in pixel)))

    def _patch_at(self, pixel: FloatArray) -> int | None:
        if self.patch_grid is None or self.image is None:
            return None
        image = finest_level(self.image)
        sides = [image.shape[self.image_axes.index(axis)] for axis in self.axes]
        if (pixel < 0).any() or (pixel >= sides).any():
            return None
        return self.patch_grid.label_at(float(pixel[-2]), float(pixel[-1]))

    def _checked_points(self, points: npt.ArrayLike) -> FloatArray:
        coordinates = np.asarray(points, dtype=np.float64)
        if coordinates.ndim not in (1, 2) or coordinates.shape[-1] != len(self.axes):
            raise InvalidInputError(
                f"points must have one coordinate for each of the axes {self.axes!r}; got shape "
                f"{coordinates.shape}. Drop or add coordinates."
            )
        return coordinates


def has_background(source: Source) -> bool:
    """Whether the labels of a source lie in an image, where 0 is the background."""
    return source.kind in _IN_IMAGES


def source_to_dict(source: Source) -> dict[str, Any]:
    """Everything of a source except its images, as JSON can hold it."""
    return {
        "name": source.name,
        "kind": source.kind,
        "axes": source.axes,
        "image_axes": source.image_axes,
        "channel_names": list(source.channel_names),
        "affine": None if source.affine is None else source.affine.tolist(),
        "patch_grid": None if source.patch_grid is None else asdict(source.patch_grid),
        "pixel_size": None if source.pixel_size is None else list(source.pixel_size),
    }


def source_from_dict(stored: Mapping[str, Any], **images: Any) -> Source:
    """The source of `source_to_dict`, with its images and their paths.

    Raises
    ------
    InvalidInputError, KeyError, TypeError, ValueError
        If an entry is missing or invalid.
    """
    affine, grid = stored["affine"], stored["patch_grid"]
    steps = stored.get("pixel_size")  # sessions of earlier versions have none
    return Source(
        name=stored["name"],
        kind=stored["kind"],
        axes=stored["axes"],
        image_axes=stored["image_axes"],
        channel_names=tuple(stored["channel_names"]),
        affine=None if affine is None else np.array(affine, dtype=np.float64),
        patch_grid=None if grid is None else PatchGrid(**grid),
        pixel_size=None if steps is None else tuple(map(float, steps)),
        **images,
    )


def _checked_affine(affine: npt.ArrayLike, n_axes: int) -> FloatArray:
    matrix = np.array(affine, dtype=np.float64)
    last = np.zeros(n_axes + 1)
    last[-1] = 1
    if matrix.shape != (n_axes + 1, n_axes + 1) or not np.array_equal(matrix[-1], last):
        raise InvalidInputError(
            f"affine must be a matrix of shape {(n_axes + 1, n_axes + 1)} whose last row is 0 ... "
            f"0 1; got shape {matrix.shape}. Give one row for each axis, and the last."
        )
    # Not the determinant: it is extreme for scales in metres or nanometres.
    if not np.isfinite(matrix).all() or not np.linalg.cond(matrix[:-1, :-1]) < 1e12:
        raise InvalidInputError(
            f"affine must be finite and invertible; got {matrix.tolist()}. Scales must not be 0."
        )
    matrix.setflags(write=False)
    return matrix
