"""Colours the objects of a Labels layer, or the patches of an image, in an overlay layer.

The user's layer, its colormap and its features are not changed. New colours cost a new table of
codes and one look-up for each visible pixel, whatever the number of objects.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np
import numpy.typing as npt
from napari.layers import Labels
from napari.utils.colormaps import CyclicLabelColormap

from embedscope.napari_dock.layers._coded_labels import CodedLabels
from embedscope.napari_dock.layers._label_rows import LabelRows
from embedscope.napari_dock.layers._patch_numbers import PatchNumbers
from embedscope.napari_dock.layers._stepped_labels import SteppedLabels
from embedscope.samples import PatchGrid

Codes = npt.NDArray[np.uint8]

N_CODES = 254  # 0 shows nothing; the codes of a coloring, and three for marks
_FOLLOWED = ("scale", "translate", "rotate", "shear", "affine", "units")


class LabelOverlay:
    """An overlay above a layer of the user.

    Parameters
    ----------
    viewer : napari.Viewer or napari.components.ViewerModel
    source : napari.layers.Labels or napari.layers.Image
        The layer of the user.
    rows : LabelRows
        The sample of each of its labels, or of each patch number.
    name : str
        Name of the overlay in the list of layers.
    frame_axis : int, optional
        Axis of the data along which the frames run.
    grid : PatchGrid, optional
        Positions of the patches of an image; if left out, the layer holds labels.
    opacity : float
        0..1.
    """

    def __init__(
        self,
        viewer: Any,
        source: Any,
        rows: LabelRows,
        name: str,
        frame_axis: int | None = None,
        grid: PatchGrid | None = None,
        opacity: float = 0.7,
    ) -> None:
        self._viewer = viewer
        self._source = source
        self._rows = rows
        self._frame_axis = frame_axis
        self._grid = grid
        self._n_axes = source.ndim
        self._codes: tuple[Codes, Codes | None, Codes | None]
        self._codes = np.zeros(rows.n_rows, np.uint8), None, None
        self._levels = self.coded_levels()
        self._palette = np.zeros((N_CODES, 4), np.uint8)
        self.layer = Labels(
            self._shown_data(),
            multiscale=source.multiscale,
            name=name,
            opacity=opacity,
            colormap=_colormap(self._palette),
            axis_labels=source.axis_labels,
            **_placing(source),
        )
        self.layer.editable = False
        self._add()
        self._slice = self._slice_in_view()
        for event, respond in self._source_events():
            event.connect(respond)

    def set_palette(self, palette: npt.NDArray[np.uint8]) -> None:
        """Set the colour of each code.

        Parameters
        ----------
        palette : ndarray of shape (254, 4), uint8
            Red, green, blue, opacity; the first row is the colour of pixels without a code.
        """
        if not np.array_equal(palette, self._palette):  # otherwise napari redraws everything
            self._palette = palette.copy()
            self.layer.colormap = _colormap(palette)

    def set_codes(
        self, inside: Codes, rim: Codes | None = None, stripes: Codes | None = None
    ) -> None:
        """Set the code of each sample, and repaint.

        Parameters
        ----------
        inside : ndarray of shape (n_rows,), uint8
            0..253; 0 shows nothing.
        rim : ndarray of shape (n_rows,), uint8, optional
            Code of the outermost pixels of each object; `inside` if left out.
        stripes : ndarray of shape (n_rows,), uint8, optional
            Code of thin stripes across each object; `inside` if left out.
        """
        self._codes = inside, rim, stripes
        for level in self._levels:
            level.set_codes(*self._codes)
        self._repaint()

    def remove(self) -> None:
        """Remove the overlay, and disconnect from the user's layer; a second call does nothing."""
        for event, respond in self._source_events():
            with suppress(ValueError):  # is not connected any more
                event.disconnect(respond)
        with suppress(ValueError):  # the user has deleted it already
            self._viewer.layers.remove(self.layer)

    def _add(self) -> None:
        """Add the overlay above its source, and keep the user's selection of layers."""
        layers = self._viewer.layers
        chosen, active = set(layers.selection), layers.selection.active
        # The channels of an image lie above each other: a layer between them would be hidden.
        place = len(layers) if self._grid is not None else layers.index(self._source) + 1
        layers.insert(place, self.layer)
        layers.selection = chosen
        layers.selection.active = active

    def _source_events(self) -> list[tuple[Any, Callable[..., None]]]:
        """The events of the user's layer, each with its listener."""
        events = self._source.events
        listeners = [(getattr(events, name), self._follow) for name in _FOLLOWED]
        listeners.append((events.data, self._take_data))
        if self._grid is None:  # positions of patches do not change with the pixels
            listeners += [
                (events.paint, self._read_again),
                (events.labels_update, self._on_painting),
                (events.set_data, self._on_refreshed),
            ]
        return listeners

    def _follow(self, event: object = None) -> None:
        for name, value in _placing(self._source).items():
            setattr(self.layer, name, value)

    def _take_data(self, event: object = None) -> None:
        """Take the new data of the user's layer, perhaps with another shape or other axes."""
        self._levels = self.coded_levels()
        for level in self._levels:
            level.set_codes(*self._codes)
        self.layer.data = self._shown_data()
        self.layer.editable = False
        self._follow()

    def label_levels(self) -> list[Any]:
        """The current labels, finest level first; empty if the number of axes has changed.

        Returns
        -------
        list of array-like
            Integer labels, or the numbers of patches.
        """
        levels, grid = self._source_levels(), self._grid
        if self._source.ndim != self._n_axes:  # identities hold for the former axes only
            return []
        if grid is None:
            return [self._with_all_frames(level, levels[0]) for level in levels]
        shapes = [tuple(level.shape[: self._n_axes]) for level in levels]
        if shapes[0][-2:] != (grid.height, grid.width):
            return []
        if self._frame_axis == 0:  # patches are identified by frame, and a level may have fewer
            shapes = [(shapes[0][0], *shape[1:]) for shape in shapes]
        return [PatchNumbers(grid, shape) for shape in shapes]

    def _with_all_frames(self, level: Any, finest: Any) -> Any:
        axis = self._frame_axis
        if axis is None or level.shape[axis] == finest.shape[axis]:
            return level
        return SteppedLabels(finest, tuple(level.shape), axis)

    def _source_levels(self) -> list[Any]:
        source = self._source
        return list(source.data) if source.multiscale else [source.data]

    def coded_levels(self) -> list[CodedLabels]:
        """The current labels with all codes 0, like `label_levels`."""
        return [CodedLabels(level, self._rows, self._frame_axis) for level in self.label_levels()]

    def _shown_data(self) -> Any:
        levels: list[Any] = [*self._levels]
        if not levels:
            n_axes = self._source.ndim
            shapes = [level.shape[:n_axes] for level in self._source_levels()]
            levels = [np.broadcast_to(np.uint8(0), shape) for shape in shapes]
        return levels if self._source.multiscale else levels[0]

    def _on_painting(self, event: object = None) -> None:
        # Reading a large image takes longer than the time between two moves of a brush, so a
        # stroke is read once it ends, at the event `paint`.
        if not getattr(self._source, "_block_history", False):
            self._read_again()

    def _on_refreshed(self, event: object = None) -> None:
        """Read again after undo or `refresh`, for which napari only sends `set_data`."""
        before, self._slice = self._slice, self._slice_in_view()
        if self._slice == before and not self._source.multiscale:
            self._read_again()
        else:  # napari reads another slice by itself; pyramids cannot be painted
            self._forget()

    def _slice_in_view(self) -> tuple[Any, ...]:
        dims = self._viewer.dims
        return dims.point, dims.order, dims.ndisplay

    def _read_again(self, event: object = None) -> None:
        self._forget()
        self._repaint()

    def _forget(self) -> None:
        for level in self._levels:
            level.forget()

    def _repaint(self) -> None:
        if self.layer.multiscale:
            # napari caches the coarsest level of a 2D pyramid. No public method renews it without
            # also dropping the level in view.
            self.layer._reset_thumbnail_level_data()
        self.layer.refresh(extent=False, highlight=False, thumbnail=False)


def _placing(layer: Any) -> dict[str, Any]:
    """The transform of a layer to the world, as arguments."""
    return {name: getattr(layer, name) for name in _FOLLOWED}


def _colormap(palette: npt.NDArray[np.uint8]) -> CyclicLabelColormap:
    # With 254 colours the cycle has 253, so each of the codes 1..253 keeps its own colour.
    return CyclicLabelColormap(colors=np.asarray(palette, np.float32) / 255, background_value=0)
