"""Parts of the images that samples come from, and the object at each pixel."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from embedscope._errors import InvalidInputError
from embedscope.jupyter_widget.pictures._planes import (
    Array,
    Part,
    levels_of,
    pixel_places,
    read_plane,
)
from embedscope.jupyter_widget.protocol._intents import WantPicture, WantPlace
from embedscope.jupyter_widget.protocol._messages import ImageItem, Located, Picture
from embedscope.jupyter_widget.wire._outbox import Buffers
from embedscope.samples import Identities, Samples, Source
from embedscope.samples.common import begins_with_transmitted_light

LARGEST_SIDE_PX = 2048  # of a picture for the page
_OVERVIEW_PX = 512  # contrast is measured at this size
_PERCENTILES = (0.1, 99.9)  # of the darkest and the brightest level

Floats = npt.NDArray[np.float64]


def describe_image(source: Source) -> ImageItem | None:
    """What a page needs to know of a source's image; None without image and labels."""
    has_image = source.image is not None
    if not has_image and source.labels is None:
        return None
    axes = source.image_axes if has_image else source.axes
    shape = levels_of(source.image if has_image else source.labels)[0].shape
    size = dict(zip(axes, shape, strict=True))
    n_channels = size.get("c", 1) if has_image else 0
    names = list(source.channel_names) or [f"channel {i + 1}" for i in range(n_channels)]
    n_channels = min(n_channels, len(names))  # without the alpha of RGB pictures
    return ImageItem(
        name=source.name,
        width=size["x"],
        height=size["y"],
        n_z=size.get("z", 1),
        n_t=size.get("t", 1),
        channels=names[:n_channels],
        is_transmitted=n_channels > 1 and begins_with_transmitted_light(names),
        has_image=has_image,
    )


class PictureReader:
    """Reads parts of images; the contrast of an image is measured once, and the same in all parts.

    Parameters
    ----------
    samples : Samples
    """

    def __init__(self, samples: Samples) -> None:
        self._samples = samples
        self._contrasts: dict[str, tuple[Floats, Floats]] = {}

    def read(self, intent: WantPicture) -> tuple[Picture, Buffers]:
        """The part of an image that a page asks for.

        Raises
        ------
        InvalidInputError
            If there is no such image or plane, or the part is empty.
        """
        source = self._samples.sources.get(intent.source)
        item = None if source is None else describe_image(source)
        if source is None or item is None:
            raise InvalidInputError(
                f"source must be one with an image; got {intent.source!r}. Choose another image."
            )
        part = _clip(intent, item)
        levels, low, high, note = self._read_channels(source, item, part)
        rows = _read_rows(source, self._samples.identities, part)
        head = Picture(
            req=intent.req,
            source=source.name,
            t_index=part.t_index,
            z_index=part.z_index,
            x0=float(part.x0),
            y0=float(part.y0),
            x1=float(part.x1),
            y1=float(part.y1),
            w=part.w,
            h=part.h,
            low=low,
            high=high,
            note=note,
        )
        return head, (levels.tobytes(), rows.astype("<u4").tobytes())

    def _read_channels(
        self, source: Source, item: ImageItem, part: Part
    ) -> tuple[Array, list[float], list[float], str]:
        """Levels 0..255 of each channel, the intensities at 0 and 255, and a note for the user."""
        if source.image is None:
            return np.empty((0, part.h, part.w), np.uint8), [], [], ""
        planes, step = read_plane(source.image, source.image_axes, part, is_labels=False)
        planes = planes[: len(item.channels)]  # without alpha
        if source.name not in self._contrasts:
            self._contrasts[source.name] = self._contrast_of(source, item)
        low, high = self._contrasts[source.name]
        scaled = (planes - low[:, None, None]) / (high - low)[:, None, None]
        levels = (np.nan_to_num(np.clip(scaled, 0, 1)) * 255).round().astype(np.uint8)
        note = f"Every {_ordinal(step)} pixel is shown; zoom in for all." if step > 1 else ""
        return levels, low.tolist(), high.tolist(), note

    def _contrast_of(self, source: Source, item: ImageItem) -> tuple[Floats, Floats]:
        if self._samples.recipe.is_rgb:  # an RGB picture is shown as it is
            return np.zeros(3), np.full(3, self._samples.white)
        return _measure_contrast(source, item)


def locate(samples: Samples, intent: WantPlace) -> Located | None:
    """Where a sample is in its image; None where it has none.

    Raises
    ------
    InvalidInputError
        If there is no such sample.
    """
    if not 0 <= intent.row < len(samples):
        raise InvalidInputError(
            f"row must be one of the {len(samples):,} samples; got {intent.row}. Reload the page."
        )
    name, frame, _ = samples.identities[intent.row]
    source = samples.sources[name]
    if samples.centroids is None or describe_image(source) is None:
        return None
    place = dict(zip(source.spatial_axes, samples.centroids[intent.row].tolist(), strict=True))
    return Located(
        req=intent.req,
        row=intent.row,
        source=name,
        t_index=frame if "t" in source.axes else 0,
        z_index=round(place.get("z", 0.0)),
        x=place["x"],
        y=place["y"],
    )


def _clip(intent: WantPicture, item: ImageItem) -> Part:
    if not (0 <= intent.t_index < item.n_t and 0 <= intent.z_index < item.n_z):
        raise InvalidInputError(
            f"t_index and z_index must be below {item.n_t} and {item.n_z}; got {intent.t_index} "
            f"and {intent.z_index}. Move the sliders."
        )
    x0, x1 = _clip_range(intent.x0, intent.x1, item.width)
    y0, y1 = _clip_range(intent.y0, intent.y1, item.height)
    if x1 <= x0 or y1 <= y0 or intent.w < 1 or intent.h < 1:
        raise InvalidInputError(
            f"a part of an image must hold a pixel; got x {intent.x0:g}..{intent.x1:g}, y "
            f"{intent.y0:g}..{intent.y1:g} of {item.width} x {item.height}. Zoom out."
        )
    # More pixels than the image has would be copies.
    w, h = min(intent.w, x1 - x0, LARGEST_SIDE_PX), min(intent.h, y1 - y0, LARGEST_SIDE_PX)
    return Part(intent.t_index, intent.z_index, x0, y0, x1, y1, w, h)


def _clip_range(first: float, last: float, length: int) -> tuple[int, int]:
    low = int(np.floor(np.clip(first, 0, length)))
    return low, int(np.ceil(np.clip(last, 0, length)))


def _measure_contrast(source: Source, item: ImageItem) -> tuple[Floats, Floats]:
    """Values of the darkest and the brightest level of each channel, from the middle plane."""
    overview = min(item.width, _OVERVIEW_PX), min(item.height, _OVERVIEW_PX)
    whole = Part(item.n_t // 2, item.n_z // 2, 0, 0, item.width, item.height, *overview)
    planes, _ = read_plane(source.image, source.image_axes, whole, is_labels=False, averages=False)
    values = planes.reshape(len(planes), -1).astype(np.float64)
    values[~np.isfinite(values)] = np.nan
    values[np.isnan(values).all(axis=1)] = 0
    low, high = np.nanpercentile(values, _PERCENTILES, axis=1)
    return low, np.where(high > low, high, low + 1)


def _read_rows(source: Source, identities: Identities, part: Part) -> Array:
    """Row + 1 of the object at each pixel."""
    if source.labels is not None:
        labels = read_plane(source.labels, source.axes, part, is_labels=True)[0][0]
    elif source.patch_grid is not None:
        labels = _patches_at(source, part)
    else:
        return np.zeros((part.h, part.w), np.int64)
    frame = part.t_index if "t" in source.axes else 0
    present, where = np.unique(labels, return_inverse=True)
    rows = identities.rows(source.name, present.astype(np.int64), frame) + 1
    if source.kind != "patches":
        rows[present == 0] = 0
    return np.asarray(rows[where.reshape(labels.shape)])


def _patches_at(source: Source, part: Part) -> Array:
    """Number of the patch at each pixel, 0 for none; where patches overlap, of the nearest."""
    grid = source.patch_grid
    assert grid is not None
    y, x = pixel_places(part.y0, part.y1, part.h), pixel_places(part.x0, part.x1, part.w)
    row, in_row = _along(y, grid.n_rows, grid.size, grid.step)
    column, in_column = _along(x, grid.n_columns, grid.size, grid.step)
    numbers = row[:, None] * grid.n_columns + column[None, :] + 1
    return np.where(in_row[:, None] & in_column[None, :], numbers, 0)


def _along(pixels: Array, count: int, size: int, step: int) -> tuple[Array, Array]:
    index = np.clip(np.rint((pixels + 0.5 - size / 2) / step), 0, max(count - 1, 0)).astype(int)
    offset = pixels - index * step
    return index, (offset >= 0) & (offset < size) & (count > 0)


def _ordinal(number: int) -> str:
    return {2: "second", 3: "third"}.get(number, f"{number}th")
