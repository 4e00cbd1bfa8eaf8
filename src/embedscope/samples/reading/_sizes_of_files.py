"""One size of crops for the objects of many files."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from embedscope._errors import EmbedscopeError
from embedscope.samples.images._field import open_field
from embedscope.samples.images._objects import find_objects
from embedscope.samples.images._sizes import needed_in_plane, side_for_most
from embedscope.samples.reading._files import axes_of_pair
from embedscope.samples.reading._opening import open_image_file

if TYPE_CHECKING:
    from embedscope.samples.reading._manifest import ManifestRow


def common_size(rows: Sequence[ManifestRow], options: dict[str, Any], n_threads: int) -> int | None:
    """The smallest side that holds 95 % of the objects of all files, at most 64 pixels.

    Files that cannot be read are passed over here; None if none can.
    """

    def needed(row: ManifestRow) -> npt.NDArray[np.int64]:
        try:
            image = open_image_file(row.image, "image")
            labels = open_image_file(row.labels, "labels")
            axes, _ = axes_of_pair(image, labels, options.get("axes"), options.get("image_axes"))
            field = open_field(labels.image, labels.image, axes, axes)
            return needed_in_plane(find_objects(field), align=bool(options.get("align")))
        except (EmbedscopeError, OSError, ValueError, TypeError, KeyError):
            return np.zeros(0, np.int64)

    with ThreadPoolExecutor(n_threads) as threads:
        sides = np.concatenate([np.zeros(0, np.int64), *threads.map(needed, rows)])
    return side_for_most(sides) if len(sides) else None
