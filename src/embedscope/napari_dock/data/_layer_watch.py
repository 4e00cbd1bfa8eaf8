"""Detects changes of the layers that samples were cut from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

from psygnal import Signal

from embedscope.napari_dock.data._data_choice import DataChoice, Kind
from embedscope.napari_dock.data._layer_features import key_columns
from embedscope.napari_dock.data._pixel_watch import PixelWatch, is_in_memory
from embedscope.napari_dock.data._proxies import unwrapped
from embedscope.training import Dispatcher, immediate

_PIXELS = ("data", "paint", "labels_update")  # of Image, of Labels, of a script that writes into it


class LayerWatch:
    """Watches the layers that the samples of each source were cut from.

    Parameters
    ----------
    dispatcher : callable, optional
        Runs callbacks in the main thread.
    """

    changed = Signal(tuple)  # the sources whose layers have changed since their samples were cut

    def __init__(self, dispatcher: Dispatcher = immediate) -> None:
        self._dispatcher = dispatcher
        self._compared: dict[str, list[PixelWatch]] = {}
        self._choices: dict[str, DataChoice] = {}
        self._outdated: set[str] = set()
        self._connected: dict[str, list[tuple[Any, Callable[..., None]]]] = {}

    def watch(self, source: str, choice: DataChoice) -> None:
        """Watch the layers of a choice, from which the samples of a source are being cut.

        Parameters
        ----------
        source : str
        choice : DataChoice
        """
        self.forget(source)
        self._choices[source] = choice

        def on_change(event: object = None) -> None:
            self.expire(source)

        layers = [] if choice.kind is Kind.FEATURES else _layers_of(choice)
        self._compared[source] = [
            PixelWatch(layer, self._dispatcher, on_change)
            for layer in layers
            if is_in_memory(layer)
        ]
        self._connected[source] = [
            *_change_events(choice, on_change),
            *_redraw_events(self._compared[source]),
        ]
        for event, respond in self._connected[source]:
            event.connect(respond)

    def expire(self, source: str) -> None:
        """Mark a source as changed."""
        if source in self._choices and source not in self._outdated:
            self._outdated.add(source)
            self.changed.emit(self.outdated_sources)

    def choice_of(self, source: str) -> DataChoice | None:
        """The layers and options that a source was cut with; None if unknown."""
        return self._choices.get(source)

    @property
    def outdated_sources(self) -> tuple[str, ...]:
        """Sources whose layers have changed."""
        return tuple(source for source in self._choices if source in self._outdated)

    def forget(self, source: str) -> None:
        """Stop watching the layers of a source, if it has any."""
        for event, respond in self._connected.pop(source, []):
            with suppress(ValueError, TypeError):  # is not connected any more
                event.disconnect(respond)
        for pixels in self._compared.pop(source, []):
            pixels.close()
        self._choices.pop(source, None)
        if source in self._outdated:
            self._outdated.remove(source)
            self.changed.emit(self.outdated_sources)

    def keep_only(self, source: str) -> None:
        """Stop watching the layers of all other sources."""
        for other in set(self._choices) - {source}:
            self.forget(other)

    def close(self) -> None:
        """Stop watching all layers."""
        self.keep_only("")


def _change_events(
    choice: DataChoice, on_change: Callable[..., None]
) -> Iterator[tuple[Any, Callable[..., None]]]:
    """The events of the layers that may mean a change, each with its listener."""
    if choice.kind is Kind.FEATURES:
        layer, columns = choice.labels, [*choice.columns, *key_columns(choice.labels, choice.keys)]
        before = layer.features.copy()

        def compare(event: object = None) -> None:
            # Other columns do not matter: the dock itself writes some when the user asks for it.
            if not layer.features.reindex(columns=columns).equals(before.reindex(columns=columns)):
                on_change()

        yield layer.events.features, compare
        return
    for layer in _layers_of(choice):
        for name in _PIXELS:
            if hasattr(layer.events, name):
                yield getattr(layer.events, name), on_change
    if choice.kind is Kind.OBJECTS:
        yield from _undo_events(choice.labels, on_change)


def _layers_of(choice: DataChoice) -> list[Any]:
    """The layers whose pixels the samples are cut from."""
    return [*choice.images] if choice.kind is Kind.PATCHES else [choice.labels, *choice.images]


def _redraw_events(
    compared: list[PixelWatch],
) -> Iterator[tuple[Any, Callable[..., None]]]:
    for pixels in compared:
        yield pixels.layer.events.set_data, pixels.compare_same_slice
        yield pixels.layer.events.visible, pixels.compare


def _undo_events(
    layer: Any, on_change: Callable[..., None]
) -> Iterator[tuple[Any, Callable[..., None]]]:
    """The events that may follow an undone or redone stroke, for which napari has no event.

    napari only redraws the layer, and not even that while the layer is hidden.
    """
    before = _strokes(layer)

    def compare(event: object = None) -> None:
        if _strokes(layer) != before:
            on_change()

    yield layer.events.set_data, compare
    yield layer.events.visible, compare


def _strokes(layer: Any) -> tuple[int, int]:
    """How many strokes can be undone, and how many redone."""
    # napari has no public count. A proxy warns of private names, and refuses them from 0.10 on.
    behind = unwrapped(layer)
    return len(behind._undo_history), len(behind._redo_history)
