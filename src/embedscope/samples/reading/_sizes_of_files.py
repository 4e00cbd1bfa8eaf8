"""One size of crops for the objects of many files."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from embedscope._errors import EmbedscopeError
from embedscope.samples.images._field import open_field
from embedscope.samples.images._object_samples import SAME_PIXEL_SIZE
from embedscope.samples.images._objects import find_objects
from embedscope.samples.images._sizes import (
    LARGEST_DRAWN,
    MOST,
    NeededSides,
    checked_pixel_size,
    needed_sides,
    side_for_most,
)
from embedscope.samples.reading._files import axes_of_pair
from embedscope.samples.reading._opening import open_image_file

if TYPE_CHECKING:
    from embedscope.samples.reading._manifest import ManifestRow


class _Needed(NamedTuple):
    """What the objects of one file need.

    Attributes
    ----------
    sides : NeededSides
        The smallest side in the plane that holds each object, in pixels.
    step : float or None
        Micrometres a pixel in the plane.
    """

    sides: NeededSides
    step: float | None


def common_size(
    rows: Sequence[ManifestRow], options: dict[str, Any], n_threads: int
) -> dict[str, Any]:
    """The options of `samples_from_files` that give crops of all files one size.

    Parameters
    ----------
    rows : sequence of ManifestRow
    options : dict
        Those given. If they hold no `size_um`, the size is the smallest that holds 95 % of the
        objects of all files: in micrometres if their pixel sizes are known and differ.
    n_threads : int

    Returns
    -------
    dict
        `size`, or `size_um`, and `drawn_px`. Files that cannot be read are passed over here; the
        options given if none can.
    """
    size_um, drawn_px = options.get("size_um"), options.get("drawn_px")

    def needed(row: ManifestRow) -> _Needed | None:
        try:
            return _needed(row, options, has_size=size_um is not None)
        except (EmbedscopeError, OSError, ValueError, TypeError, KeyError):
            return None

    with ThreadPoolExecutor(n_threads) as threads:
        found = [each for each in threads.map(needed, rows) if each is not None]
    steps = [each.step for each in found if each.step is not None]
    differ = bool(steps) and max(steps) > (1 + SAME_PIXEL_SIZE) * min(steps)
    if size_um is not None:
        # As many pixels as in the finest image.
        return {"drawn_px": drawn_px or _drawn(size_um / min(steps))} if steps else {}
    if differ and len(steps) == len(found):
        in_um = [each.sides.resampled * step for each, step in zip(found, steps, strict=True)]
        side_um = float(np.quantile(np.concatenate(in_um), MOST))
        # A pixel more on each side, to which objects are centred; see `side_for_most`.
        pixels = drawn_px or _drawn(side_um / min(steps) + 2)
        return {"size_um": side_um * pixels / max(1, pixels - 2), "drawn_px": pixels}
    if not found:
        return {}
    sides = NeededSides(*map(np.concatenate, zip(*(each.sides for each in found), strict=True)))
    size = side_for_most(sides, drawn_px)
    return {"size": size, "drawn_px": drawn_px or _drawn(size)}


def _drawn(side: float) -> int:
    """Pixels in which crops are drawn that have so many in the finest image."""
    return min(max(1, round(side)), LARGEST_DRAWN)


def _needed(row: ManifestRow, options: dict[str, Any], *, has_size: bool) -> _Needed:
    image = open_image_file(row.image, "image")
    labels = open_image_file(row.labels, "labels")
    axes, _ = axes_of_pair(image, labels, options.get("axes"), options.get("image_axes"))
    field = open_field(labels.image, labels.image, axes, axes)
    steps = checked_pixel_size(options.get("pixel_size"), field.axes)
    steps = steps or image.steps(field.axes) or labels.steps(field.axes)
    sides = NeededSides(np.zeros(0, np.int64), np.zeros(0))
    if not has_size:
        sides = needed_sides(find_objects(field), align=bool(options.get("align"))).in_plane()
    return _Needed(sides, None if steps is None else min(steps[-2:]))
