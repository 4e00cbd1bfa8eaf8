"""Recognise a mask, where one number marks all objects, among label images."""

from __future__ import annotations

import numpy as np

from embedscope._errors import InvalidInputError
from embedscope.samples.images._field import Field
from embedscope.samples.images._objects import Objects
from embedscope.samples.images._tiles import tile_sides, tiles

MOST_PIECES = 2
"""Pieces of the only label of an image that may be one object, such as a cell that was cut."""


def check_no_mask(field: Field, objects: Objects) -> None:
    """Raise if the only label of an image is in several pieces of one frame.

    Parameters
    ----------
    field : Field
    objects : Objects
        All objects of the field.

    Raises
    ------
    InvalidInputError
        If the labels are such a mask.
    """
    label = objects.label[0]
    if (objects.label != label).any():
        return
    for frame in objects.frame.tolist():
        n_pieces = _pieces_up_to(field, frame, MOST_PIECES + 1)
        if n_pieces > MOST_PIECES:
            raise InvalidInputError(
                f"labels must have a number of its own for each object; got {label} for all, in at "
                f"least {n_pieces} separate pieces, as in a mask. Number the pieces, for example "
                f"with skimage.measure.label(labels); or, if they are one object, pass label_ids="
                f"[{label}]."
            )


def _pieces_up_to(field: Field, frame: int, enough: int) -> int:
    """Count pieces of the foreground, until there are enough.

    Pieces that continue in another tile are not counted, so that no piece is counted twice.
    """
    from scipy.ndimage import find_objects, generate_binary_structure, label

    touching = generate_binary_structure(len(field.shape), len(field.shape))
    n_pieces = 0
    for box in tiles(field.shape, tile_sides(field.shape, field.label_chunks())):
        pieces, _ = label(field.read_labels(frame, box) != 0, structure=touching)
        for piece in find_objects(pieces):
            n_pieces += _is_whole(piece, box, field.shape)
            if n_pieces >= enough:
                return n_pieces
    return n_pieces


def _is_whole(piece: tuple[slice, ...], box: tuple[slice, ...], shape: tuple[int, ...]) -> bool:
    """Whether a piece touches no side of its tile behind which the image goes on."""
    starts = np.array([(own.start, tile.start) for own, tile in zip(piece, box, strict=True)])
    stops = np.array([(own.stop, tile.stop) for own, tile in zip(piece, box, strict=True)])
    first, last = starts.sum(axis=1), stops[:, 0] + starts[:, 1]
    goes_on_before = (first == starts[:, 1]) & (starts[:, 1] > 0)
    goes_on_after = (last == stops[:, 1]) & (stops[:, 1] < np.array(shape))
    return not bool((goes_on_before | goes_on_after).any())
