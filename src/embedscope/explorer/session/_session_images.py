"""References of a session to images, by path and fingerprint, and how they are opened again.

A session copies no image. It stores the path, shape and dtype of each, and a fingerprint of its
pixels. When the session is opened, an image that is missing or has changed is left out, with the
reason. `samples.reading` says which files are opened.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from embedscope._errors import InvalidInputError, InvalidModelError
from embedscope.samples.identity import finest_level, read
from embedscope.samples.reading import (
    MEMBER,
    file_of,
    is_pattern,
    is_remote,
    members_of,
    open_file,
)

_MOST_BYTES = 16 * 2**20  # up to this size the fingerprint is of all pixels, else of blocks
_N_BLOCKS = 16  # of 1 MiB each, so that they have the same limit together
_CHANGED = "has changed since the session was saved"


@dataclass(frozen=True)
class ImageReference:
    """A reference to an image, with which the same image can be recognised.

    Attributes
    ----------
    path : str or None
        Path of the image; None for an array that was only in memory.
    shape : tuple of int
        Shape of its finest level.
    dtype : str
        In the notation of numpy, such as ``"<u2"``; another byte order counts as the same.
    digest : str
        SHA-256 of all its pixels, or, above 16 MiB, of 16 blocks of up to 1 MiB spread over it:
        these detect another image, but may miss a few changed pixels.
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
            Path of the image, if it has one.
        """
        finest = finest_level(image)
        return cls(path, tuple(map(int, finest.shape)), _dtype_of(finest).str, _digest_of(finest))

    def is_of(self, image: Any) -> bool:
        """Whether an image is the same, whatever its path is."""
        return ImageReference.of(image, self.path) == self

    def check(self, image: Any, name: str) -> None:
        """Raise unless an image is the same.

        Raises
        ------
        InvalidInputError
            If its shape, dtype or pixels differ.
        """
        finest = finest_level(image)
        difference = self._difference_of(tuple(map(int, finest.shape)), finest.dtype)
        if not difference and _digest_of(finest) != self.digest:
            difference = _CHANGED
        if difference:
            raise InvalidInputError(
                f"{name} must be the one that the session was saved with; the one given "
                f"{difference}. Give the same one, or cut samples of the new one "
                "with same_way and put them in their place with replace_samples."
            )

    def _difference_of(self, shape: tuple[int, ...], dtype: Any) -> str:
        """How an image of this shape and dtype differs from the referenced one; "" if not."""
        present = _little_endian(dtype).str
        if shape == self.shape and present == self.dtype:
            return ""
        return (
            f"holds an image of shape {shape} and dtype {present}, and the session used one of "
            f"shape {self.shape} and dtype {self.dtype}"
        )

    def relative_to(self, session: Path) -> ImageReference:
        """A reference whose path stays valid if session and image are moved together.

        Paths of images below the parent folder of the session become relative to the session.
        """
        if self.path is None or is_remote(self.path):
            return self
        image, home = Path(os.path.abspath(self.path)), Path(os.path.abspath(session))
        if not image.is_relative_to(home.parent):
            return replace(self, path=str(image))
        return replace(self, path=Path(os.path.relpath(image, home)).as_posix())

    def absolute_from(self, session: Path) -> ImageReference:
        """A reference with an absolute path; the inverse of `relative_to`."""
        if self.path is None or is_remote(self.path):
            return self
        return replace(self, path=os.path.normpath(os.path.abspath(session) / Path(self.path)))

    def to_dict(self) -> dict[str, Any]:
        """The reference as types of JSON."""
        return {
            "path": self.path,
            "shape": list(self.shape),
            "dtype": self.dtype,
            "digest": self.digest,
        }

    @classmethod
    def from_dict(cls, stored: dict[str, Any]) -> ImageReference:
        """The reference of `to_dict`.

        Raises
        ------
        InvalidModelError
            If an entry is missing or has another type.
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
    """Open an image again, if it exists and is the same.

    Parameters
    ----------
    reference : ImageReference
        With an absolute path.

    Returns
    -------
    image : array, list of arrays (a pyramid) or None
        Read lazily if the kind of file allows.
    reason : str
        Why it was not opened, a phrase; "" if it was.
    """
    if reference.path is None:
        return None, "it was in memory only, and the session holds no copy of it"
    place = Path(file_of(reference.path))
    place = place.parent if is_pattern(reference.path) else place
    if not is_remote(reference.path) and not place.exists():
        return None, f"{reference.path} does not exist"
    try:
        paths = [reference.path] if is_remote(reference.path) else members_of(reference.path)
        for path in paths:
            # The header of the file is compared before anything is unpacked.
            image, reason = open_file(path, reference._difference_of)
            if not reason and _digest_of(finest_level(image)) != reference.digest:
                reason = _CHANGED
            if not reason:
                return image, ""
        if len(paths) > 1:
            names = ", ".join(path.rpartition(MEMBER)[2] for path in paths)
            reason = f"holds {names}, none of which is the image; a path ends with {MEMBER} and one"
    except ImportError as error:
        return None, f"{error.name}, which reads {reference.path}, is not installed"
    except Exception as error:  # readers raise errors of any type for a damaged file
        return None, f"{reference.path} cannot be read ({error})"
    return None, f"{reference.path} {reason}"


def _little_endian(dtype: Any) -> np.dtype[Any]:
    ordered: np.dtype[Any] = np.dtype(dtype).newbyteorder("<")
    return ordered


def _dtype_of(image: Any) -> np.dtype[Any]:
    return _little_endian(image.dtype)


def _digest_of(image: Any) -> str:
    digest = hashlib.sha256()
    for index in _sampled_blocks(tuple(map(int, image.shape)), _dtype_of(image).itemsize):
        digest.update(np.ascontiguousarray(read(image, index), dtype=_dtype_of(image)).tobytes())
    return digest.hexdigest()


def _sampled_blocks(shape: tuple[int, ...], itemsize: int) -> list[tuple[slice, ...]]:
    """The whole image, or blocks at positions that are spread evenly and always the same."""
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
    """Sides of a block of at most `n_pixels`, as close to a cube as the image allows."""
    sides = np.ones(len(shape), dtype=int)
    while True:
        grown = np.minimum(sides * 2, shape)
        axis = int(np.argmin(np.where(grown > sides, sides, np.iinfo(int).max)))
        if grown[axis] == sides[axis] or sides.prod() // sides[axis] * grown[axis] > n_pixels:
            return tuple(map(int, sides))
        sides[axis] = grown[axis]
