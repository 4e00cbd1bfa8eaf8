"""Measure every labelled object with scikit-image, tile by tile."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from embedscope._errors import InvalidInputError, MissingDependencyError
from embedscope.samples.images._field import Field, open_field
from embedscope.samples.images._objects import Objects, find_objects
from embedscope.samples.images._sizes import checked_pixel_size
from embedscope.samples.images._tiles import group_by_tile, tile_sides

if TYPE_CHECKING:
    import pandas as pd

SHAPE_PROPERTIES = {
    # Without solidity, since a convex hull takes longer than all of these together.
    2: (
        "area",
        "perimeter",
        "extent",
        "eccentricity",
        "axis_major_length",
        "axis_minor_length",
        "orientation",
    ),
    3: ("area", "equivalent_diameter_area", "extent", "axis_major_length", "axis_minor_length"),
}
CHANNEL_PROPERTIES = {
    "intensity_mean": "mean",
    "intensity_std": "std",
    "intensity_min": "min",
    "intensity_max": "max",
}

GROUP_OBJECTS = 4096
"""Objects of one tile that are measured at a time."""


def measure_features(
    image: Any,
    labels: Any,
    *,
    axes: str | None = None,
    image_axes: str | None = None,
    pixel_size: float | Sequence[float] | None = None,
    channel_names: Sequence[str] | None = None,
    properties: Sequence[str] | None = None,
) -> pd.DataFrame:
    """Measure shape and intensity of every labelled object.

    Parameters
    ----------
    image, labels : array or pyramid
        As `samples_from_labels`.
    axes, image_axes : str, optional
        As `samples_from_labels`.
    pixel_size : float or sequence of float, optional
        Micrometres per pixel, one number or one for each spatial axis. Lengths, areas and volumes
        are then in micrometres (squared, cubed), else in pixels.
    channel_names : sequence of str, optional
        The name of each channel; "channel 0" and so on if None.
    properties : sequence of str, optional
        Other properties of `skimage.measure.regionprops` with one number for each object.

    Returns
    -------
    pandas.DataFrame
        One row for each object, by rising frame and label: the columns "frame" and "label", the
        properties with the names of scikit-image, and for each channel "mean <name>",
        "std <name>", "min <name>" and "max <name>".

    Raises
    ------
    InvalidInputError
        If image and labels do not fit (see `samples_from_labels`), or a property is unknown.
    MissingDependencyError
        If scikit-image is not installed.
    """
    field = open_field(image, labels, axes, image_axes)
    objects = find_objects(field)
    table = measure_objects(
        field,
        objects,
        pixel_size=checked_pixel_size(pixel_size, field.axes),
        channel_names=checked_channel_names(channel_names, field.n_channels),
        properties=properties,
    )
    table.insert(0, "frame", objects.frame)
    table.insert(1, "label", objects.label)
    return table


def measure_objects(
    field: Field,
    objects: Objects,
    *,
    pixel_size: tuple[float, ...] | None,
    channel_names: Sequence[str],
    properties: Sequence[str] | None = None,
) -> pd.DataFrame:
    """Measure some objects, in their order; see `measure_features`."""
    import pandas as pd

    wanted = tuple(properties or _shape_properties(len(field.shape), pixel_size))
    wanted += tuple(CHANNEL_PROPERTIES)
    sides = tile_sides(field.shape, field.label_chunks())
    rows: list[npt.NDArray[np.intp]] = []
    parts: list[pd.DataFrame] = []
    for group in group_by_tile(objects.frame, objects.first, sides, GROUP_OBJECTS):
        rows.append(group)
        parts.append(_measure_group(field, objects.take(group), wanted, pixel_size))
    table = pd.concat(parts, ignore_index=True)
    table = table.iloc[np.argsort(np.concatenate(rows))].reset_index(drop=True)
    return table.rename(columns=_channel_columns(channel_names))


def checked_channel_names(names: Sequence[str] | None, n_channels: int) -> tuple[str, ...]:
    """Names of all channels: the given ones, or "channel 0" and so on if None."""
    if names is None:
        return tuple(f"channel {channel}" for channel in range(n_channels))
    given = (names,) if isinstance(names, str) else tuple(map(str, names))
    if len(given) != n_channels or len(set(given)) < n_channels:
        raise InvalidInputError(
            f"channel_names must be {n_channels} different names; got {given}. Name each channel "
            "once, in the image's order."
        )
    return given


def _shape_properties(n_axes: int, pixel_size: tuple[float, ...] | None) -> tuple[str, ...]:
    # A perimeter is counted in steps between pixels, which must be equally long.
    steps_differ = pixel_size is not None and len(set(pixel_size)) > 1
    return tuple(
        name for name in SHAPE_PROPERTIES[n_axes] if not (name == "perimeter" and steps_differ)
    )


def _measure_group(
    field: Field, objects: Objects, properties: tuple[str, ...], pixel_size: Any
) -> pd.DataFrame:
    """Measure objects of one tile and frame, in their order."""
    import pandas as pd

    try:
        from skimage import measure, util
    except ImportError as error:
        raise MissingDependencyError(
            "measuring objects needs scikit-image; it is not installed. Run: pip install "
            '"embedscope[images]", or pass features=False.'
        ) from error
    frame = int(objects.frame[0])
    ends = zip(objects.first.min(axis=0), objects.last.max(axis=0) + 1, strict=True)
    box = tuple(slice(int(start), int(stop)) for start, stop in ends)
    # regionprops makes a list as long as the largest id, and returns rows by rising id, so the
    # objects of this group are numbered from 1, in their order.
    numbers = np.arange(1, len(objects) + 1, dtype=np.int32)
    # map_array of scikit-image 0.26 refuses arrays that cannot be written to, such as memmaps.
    labels = np.require(field.read_labels(frame, box), requirements="W")
    numbered = util.map_array(labels, objects.label, numbers)  # type: ignore[no-untyped-call]
    try:
        with np.errstate(invalid="ignore"):  # the deviation of infinite pixels is NaN
            measured = measure.regionprops_table(  # type: ignore[no-untyped-call]
                numbered, field.read_image(frame, box), properties=properties, spacing=pixel_size
            )
    except AttributeError as error:
        raise InvalidInputError(
            f"properties must be names that skimage.measure.regionprops knows; got {properties}. "
            f"Correct the unknown one: {error}"
        ) from error
    return pd.DataFrame(measured)


def _channel_columns(channel_names: Sequence[str]) -> dict[str, str]:
    """Columns to rename, from scikit-image's names, such as intensity_mean-0, to ours."""
    return {
        f"{theirs}-{channel}": f"{ours} {name}"
        for theirs, ours in CHANNEL_PROPERTIES.items()
        for channel, name in enumerate(channel_names)
    }
