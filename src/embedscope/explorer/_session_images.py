"""The images that a session refers to: named by path, told by a fingerprint, opened again.

A session copies no image. It keeps where each lies, its shape and dtype, and a fingerprint of its
pixels; when the session is opened, an image that is missing or has changed is left out, with the
reason. Opened by themselves are ``.npy`` files, members of ``.npz`` files (``cells.npz::image``),
TIFF files and zarr arrays and pyramids, all without pickles; other kinds stay out until somebody
attaches them.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from embedscope._errors import InvalidInputError, InvalidModelError
from embedscope.samples._arrays import finest_level, read

MEMBER = "::"  # stands between an .npz file and the name of the array in it

_MOST_BYTES = 16 * 2**20  # up to this size all pixels make the fingerprint, else blocks of them
_N_BLOCKS = 16


@dataclass(frozen=True)
class ImageReference:
    """An image that is elsewhere, and how to tell that it is the same.

    Attributes
    ----------
    path : str or None
        Where it lies; None for an array that was in memory only.
    shape : tuple of int
        Of its finest level.
    dtype : str
        As numpy writes it, such as ``"<u2"``; images of another byte order count as the same.
    digest : str
        SHA-256 of all its pixels, or, above 16 MiB, of 16 blocks of up to 1 MiB spread over it:
        another image is noticed, a few pixels that changed may not be.
    """

    path: str | None
    shape: tuple[int, ...]
    dtype: str
    digest: str

    @classmethod
    def of(cls, image: Any, path: str | None) -> ImageReference:
        """Refer to an image.

        Parameters
        ----------
        image : array or pyramid
            The image as it was used.
        path : str or None
            Where it is said to lie.
        """
        finest = finest_level(image)
        return cls(path, tuple(map(int, finest.shape)), _dtype_of(finest).str, _digest_of(finest))

    def is_of(self, image: Any) -> bool:
        """Whether an image is the one that is referred to, wherever it lies."""
        return ImageReference.of(image, self.path) == self

    def check(self, image: Any, name: str) -> None:
        """Raise unless an image is the one that is referred to.

        Raises
        ------
        InvalidInputError
            If its shape, dtype or pixels are others.
        """
        present = ImageReference.of(image, self.path)
        if present != self:
            raise InvalidInputError(
                f"{name} must be the one that the session was saved with; the one given "
                f"{_difference(present, self)}. Give the same one, or cut samples of the new one "
                "with same_way and put them in their place with replace_samples."
            )

    def relative_to(self, session: Path) -> ImageReference:
        """The same, with a path that stays right when session and image move together.

        Paths of images below the session's own folder or beside it become relative to the session.
        """
        if self.path is None or _is_remote(self.path):
            return self
        image, home = Path(os.path.abspath(self.path)), Path(os.path.abspath(session))
        if not image.is_relative_to(home.parent):
            return replace(self, path=str(image))
        return replace(self, path=Path(os.path.relpath(image, home)).as_posix())

    def absolute_from(self, session: Path) -> ImageReference:
        """The same, with the path that `relative_to` made relative turned back."""
        if self.path is None or _is_remote(self.path):
            return self
        return replace(self, path=os.path.normpath(os.path.abspath(session) / Path(self.path)))

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return {
            "path": self.path,
            "shape": list(self.shape),
            "dtype": self.dtype,
            "digest": self.digest,
        }

    @classmethod
    def from_dict(cls, stored: dict[str, Any]) -> ImageReference:
        """From `to_dict`.

        Raises
        ------
        InvalidModelError
            If an entry is missing or of another type.
        """
        path, shape = stored.get("path"), stored.get("shape")
        texts = (stored.get("dtype"), stored.get("digest"), "" if path is None else path)
        is_shape = isinstance(shape, list) and all(type(side) is int for side in shape)
        if not is_shape or not all(isinstance(text, str) for text in texts):
            raise InvalidModelError(
                f"image must be described by path, shape, dtype and digest; got {stored!r:.200}. "
                "Save the session again."
            )
        assert isinstance(shape, list)
        return cls(path, tuple(shape), stored["dtype"], stored["digest"])


def open_image(reference: ImageReference) -> tuple[Any, str]:
    """Open an image again, if it is there and the same.

    Parameters
    ----------
    reference : ImageReference
        With an absolute path.

    Returns
    -------
    image : array, list of arrays (a pyramid) or None
        Read lazily wherever its kind of file allows.
    reason : str
        Why it is not there, a phrase; "" if it is.
    """
    if reference.path is None:
        return None, "it was in memory only, and the session holds no copy of it"
    if not _is_remote(reference.path) and not Path(_file_of(reference.path)).exists():
        return None, f"{reference.path} does not exist"
    try:
        image = _open(reference.path)
        present = ImageReference.of(image, reference.path)
    except ImportError as error:
        return None, f"{error.name} is not installed, which reads {reference.path}"
    except Exception as error:  # readers of files raise whatever a damaged one makes them raise
        return None, f"{reference.path} cannot be read ({error})"
    if present != reference:
        return None, f"{reference.path} {_difference(present, reference)}"
    return image, ""


def _difference(present: ImageReference, saved: ImageReference) -> str:
    if present.shape != saved.shape or present.dtype != saved.dtype:
        return (
            f"holds an image of shape {present.shape} and dtype {present.dtype}, and the session "
            f"used one of shape {saved.shape} and dtype {saved.dtype}"
        )
    return "has changed since the session was saved"


def _dtype_of(image: Any) -> np.dtype[Any]:
    dtype: np.dtype[Any] = np.dtype(image.dtype).newbyteorder("<")
    return dtype


def _digest_of(image: Any) -> str:
    digest = hashlib.sha256()
    for index in _sampled_blocks(tuple(map(int, image.shape)), _dtype_of(image).itemsize):
        digest.update(np.ascontiguousarray(read(image, index), dtype=_dtype_of(image)).tobytes())
    return digest.hexdigest()


def _sampled_blocks(shape: tuple[int, ...], itemsize: int) -> list[tuple[slice, ...]]:
    """The whole image, or blocks of it in places that are spread evenly and always the same."""
    if np.prod(shape, dtype=float) * itemsize <= _MOST_BYTES:
        return [tuple(slice(None) for _ in shape)]
    from scipy.stats import qmc

    sides = _block_sides(shape, _MOST_BYTES // _N_BLOCKS // itemsize)
    room = np.array(shape) - sides
    corners = np.rint(qmc.Halton(len(shape), scramble=False).random(_N_BLOCKS) * room).astype(int)
    return [
        tuple(slice(int(low), int(low) + side) for low, side in zip(corner, sides, strict=True))
        for corner in corners
    ]


def _block_sides(shape: tuple[int, ...], n_pixels: int) -> tuple[int, ...]:
    """Sides of a block of at most so many pixels: as near a cube of the image's axes as can be."""
    sides = np.ones(len(shape), dtype=int)
    while True:
        grown = np.minimum(sides * 2, shape)
        axis = int(np.argmin(np.where(grown > sides, sides, np.iinfo(int).max)))
        if grown[axis] == sides[axis] or sides.prod() // sides[axis] * grown[axis] > n_pixels:
            return tuple(map(int, sides))
        sides[axis] = grown[axis]


def _open(path: str) -> Any:
    """Open a local image by the kind that its name tells."""
    if _is_remote(path):
        raise ValueError("it is not on this computer")
    file, member = _file_of(path), path.partition(MEMBER)[2]
    opener = _OPENERS.get(Path(file).suffix.lower())
    if opener is None:
        raise ValueError(f"images opened by themselves are {', '.join(sorted(_OPENERS))}")
    if not (Path(file).is_file() or Path(file).is_dir()):
        raise ValueError("it is a pipe or a device")  # opening one might wait for ever
    return opener(file, member)


def _open_npy(file: str, _: str) -> npt.NDArray[Any]:
    array: npt.NDArray[Any] = np.load(file, mmap_mode="r", allow_pickle=False)
    return array


def _open_npz(file: str, member: str) -> npt.NDArray[Any]:
    with np.load(file, allow_pickle=False) as archive:
        names = list(archive)
        if not member and len(names) != 1:
            raise ValueError(f"it holds {', '.join(names)}; a path ends with {MEMBER} and a name")
        array: npt.NDArray[Any] = archive[member or names[0]]
        return array


def _open_tiff(file: str, _: str) -> Any:
    import tifffile

    try:
        return tifffile.memmap(file, mode="r")
    except ValueError:  # compressed or in several pieces
        return tifffile.imread(file)


def _open_zarr(file: str, _: str) -> Any:
    import zarr

    opened: Any = zarr.open(file, mode="r")
    levels = [opened] if isinstance(opened, zarr.Array) else _levels_of(opened)
    for level in levels:
        _refuse_pickle(level)
    return levels if len(levels) > 1 else levels[0]


def _levels_of(group: Any) -> list[Any]:
    """The arrays of a pyramid, as OME-Zarr describes them in the group's attributes."""
    attributes = dict(group.attrs)
    described = attributes.get("ome", attributes)
    if "multiscales" not in described:
        raise ValueError("it is a group of arrays without multiscales: name one of the arrays")
    return [group[level["path"]] for level in described["multiscales"][0]["datasets"]]


def _refuse_pickle(array: Any) -> None:
    # One of numcodecs's codecs unpickles each chunk, which would run a stranger's code.
    metadata = array.metadata.to_dict()
    codecs = [metadata.get(kind) for kind in ("filters", "compressor", "codecs")]
    if array.dtype.kind not in "biuf" or "pickle" in str(codecs).lower():
        raise ValueError("it holds objects, or chunks that only a pickle could read")


def _file_of(path: str) -> str:
    return path.partition(MEMBER)[0]


def _is_remote(path: str) -> bool:
    # A stranger's session must not make this computer call another.
    return "://" in path


_OPENERS: dict[str, Callable[[str, str], Any]] = {
    ".npy": _open_npy,
    ".npz": _open_npz,
    ".tif": _open_tiff,
    ".tiff": _open_tiff,
    ".zarr": _open_zarr,
}
