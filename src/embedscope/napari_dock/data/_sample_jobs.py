"""Cuts the samples of the chosen layers in a worker thread, and reports in the main thread."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from psygnal import Signal

from embedscope._errors import EmbedscopeError, InvalidInputError
from embedscope.explorer import Explorer, PreparedSamples
from embedscope.napari_dock.data._data_choice import DataChoice, Kind, choice_of
from embedscope.napari_dock.data._layer_keys import AUTOMATIC, TableKeys
from embedscope.napari_dock.data._layer_watch import LayerWatch
from embedscope.napari_dock.data._opened_layers import SourceLayers
from embedscope.napari_dock.widgets._background import Background
from embedscope.samples import Samples
from embedscope.training import Dispatcher


class SampleJobs:
    """Cuts samples for training, and for the existing map, one job at a time.

    Parameters
    ----------
    explorer : Explorer
    dispatcher : callable
        Runs callbacks in the main thread.
    show_message, show_error : callable
        Show what is done, or what is wrong.

    Attributes
    ----------
    layers : dict of str to napari.layers.Layer
        The layer that the samples of each source were cut from.
    watch : LayerWatch
        Detects changes of these layers.
    is_busy : bool
        Whether a job runs; a new one would replace it, so none may be started.
    """

    busy_changed = Signal(bool)

    def __init__(
        self,
        explorer: Explorer,
        dispatcher: Dispatcher,
        show_message: Callable[[str], None],
        show_error: Callable[[Exception], None],
    ) -> None:
        self._explorer = explorer
        self._background = Background(dispatcher)
        self._show_message, self._show_error = show_message, show_error
        self._on_map: list[DataChoice] = []  # the first choice, and those added to its map
        self.layers: dict[str, Any] = {}
        self._lost: dict[str, Any] = {}  # deleted layers by source
        self.watch = LayerWatch(dispatcher)
        self.is_busy = False

    def is_on_map(self, choice: DataChoice) -> bool:
        """Whether samples on the map were cut from these layers, with these options."""
        return self._explorer.samples is not None and choice in self._on_map

    def replaces_samples(self, choice: DataChoice) -> bool:
        """Whether `prepare` would replace the explorer's samples.

        Parameters
        ----------
        choice : DataChoice
        """
        if not self.is_on_map(choice):
            return self._explorer.samples is not None
        return self._makes_all(choice) and bool(self.watch.outdated_sources)

    def _makes_all(self, choice: DataChoice) -> bool:
        """Whether a choice on the map gives all of its samples, as its layers are now."""
        return len(self._on_map) == 1 and choice.kind is not Kind.MANIFEST  # of files, not layers

    def prepare(
        self,
        choice: DataChoice,
        go_on: Callable[[], None],
        end: Callable[[bool], None],
        may_take: Callable[[], bool] = lambda: True,
    ) -> None:
        """Cut the chosen samples, unless the explorer has them already, and go on.

        If they were added to the map, all samples on it stay, and are trained on together.

        Parameters
        ----------
        choice : DataChoice
        go_on : callable
            Called once the explorer has the samples.
        end : callable
            ``end(has_new)`` is called before that, or after an error; `has_new` is whether samples
            were replaced.
        may_take : callable
            ``may_take()`` is called once they are cut, before they replace the explorer's samples;
            False keeps the old ones.
        """
        outdated = self.watch.outdated_sources
        is_there = self.is_on_map(choice)
        if is_there and not outdated:
            end(False)
            go_on()
            return
        if is_there and not self._makes_all(choice):
            end(False)
            self._show_error(
                InvalidInputError(
                    "layers must be as they were when their samples were cut; got changes in "
                    f"{', '.join(outdated)}. Press Cut again, then Train."
                )
            )
            return
        self._show_message("Reading the samples…")
        source = "" if choice.layer is None else str(choice.layer.name)
        before = self.watch.choice_of(source)
        if source:  # from now on, since pixels may change after they were read
            self.watch.watch(source, choice)

        def put_back() -> None:
            """Watch for the old samples again, which are kept."""
            has_changed = source in {*outdated, *self.watch.outdated_sources}
            self.watch.forget(source)
            if before is not None:
                self.watch.watch(source, before)
                if has_changed:
                    self.watch.expire(source)

        def take(samples: Samples) -> None:
            if not may_take():
                put_back()
                end(False)
                return
            self.layers, self._lost = {source: choice.layer} if source else {}, {}
            self.watch.keep_only(source)
            self._explorer.set_samples(samples)
            self._on_map = [choice]
            end(True)
            go_on()

        def fail(error: Exception) -> None:
            put_back()
            end(False)
            self._show_error(error)

        self._start(choice.make, take, fail)

    def scale_within(self) -> None:
        """Scale the intensities of the samples within each image; they have to be trained on again.

        Raises
        ------
        InvalidInputError
            If there are no samples with pictures.
        """
        samples = self._explorer.samples
        if samples is None:
            raise InvalidInputError(
                "samples must be there to be scaled; got none. Train on some first."
            )
        self._explorer.set_samples(samples.scaled_within("source"))
        self._on_map = [
            replace(choice, options=replace(choice.options, scales_within=True))
            for choice in self._on_map
        ]

    def add_to_map(self, choice: DataChoice) -> None:
        """Cut samples like those on the map, and place them there."""
        samples = self._explorer.samples
        if samples is None or self._explorer.model is None:
            self._show_error(
                InvalidInputError(
                    "a map must be trained first; got none. Train, then choose the layers of "
                    "another image, or another manifest."
                )
            )
            return
        self._show_message("Reading the samples…")
        source = "" if choice.layer is None else str(choice.layer.name)

        def place() -> PreparedSamples:
            return self._explorer.prepare_samples(choice.make_like(samples))

        def take(prepared: PreparedSamples) -> None:
            is_of_layer = choice.layer is not None  # files become layers when they are looked at
            if is_of_layer:
                self.layers |= {source: choice.layer}
            try:
                self._explorer.add_samples(prepared)
                self._on_map.append(choice)
                if is_of_layer:
                    self.watch.watch(source, choice)
            except EmbedscopeError as error:  # the map was replaced meanwhile
                self._show_error(error)

        self._start(place, take, self._show_error)

    def take_as_prepared(self, choice: DataChoice, shown: Mapping[str, SourceLayers]) -> None:
        """Take the explorer's samples, opened with a session, as cut from these layers.

        Parameters
        ----------
        choice : DataChoice
            The current choice.
        shown : mapping of str to SourceLayers
            By the names of the sources.
        """
        self._on_map = [choice]
        self.layers, self._lost = {source: found.layer for source, found in shown.items()}, {}
        self.watch.close()
        samples = self._explorer.samples
        for source, (layer, images, made_from) in shown.items():
            if made_from is None and samples is not None:
                made_from = choice_of(samples, source, layer, images)
            if made_from is not None:
                self.watch.watch(source, made_from)

    def forget_layer(self, source: str) -> None:
        """Stop watching a source's layer, which was deleted."""
        self.watch.forget(source)
        if source in self.layers:
            self._lost[source] = self.layers.pop(source)

    def is_lost(self, source: str) -> bool:
        """Whether the layer of a source was deleted."""
        return source in self._lost

    def restore_layer(self, source: str, layer: Any, made_from: DataChoice | None) -> None:
        """Take this layer in place of a source's deleted one: it holds the same pixels.

        Train then goes on with the existing samples, as it would have before.

        Parameters
        ----------
        source : str
        layer : napari.layers.Layer
        made_from : DataChoice or None
            Watched if no choice on the map has this layer.
        """
        lost = self._lost.pop(source, None)
        self.layers[source] = layer
        if lost is not None:
            self._on_map = [choice.with_layer(lost, layer) for choice in self._on_map]
        known = next((choice for choice in self._on_map if choice.layer == layer), made_from)
        if known is not None:
            self.watch.watch(source, known)

    def keys_of(self, source: str) -> TableKeys:
        """The columns by which the features of a source's layer were joined, as chosen."""
        choice = self.watch.choice_of(source)
        return AUTOMATIC if choice is None else choice.keys

    def cut_again(self) -> None:
        """Cut the samples of changed layers again, one source after the other; marks stay."""
        samples, sources = self._explorer.samples, self.watch.outdated_sources
        choice = self.watch.choice_of(sources[0]) if sources else None
        if choice is None or samples is None:
            return
        source = sources[0]
        self._show_message("Reading the samples…")
        self.watch.watch(source, choice)

        def take(new: Samples) -> None:
            try:
                self._explorer.replace_samples(new)
            except EmbedscopeError as error:
                fail(error)
            else:
                self.cut_again()

        def fail(error: Exception) -> None:
            self.watch.expire(source)
            self._show_error(error)

        self._start(lambda: choice.make_again(samples, source), take, fail)

    def _start(
        self,
        work: Callable[[], Any],
        done: Callable[[Any], None],
        failed: Callable[[Exception], None],
    ) -> None:
        def end(listener: Callable[[Any], None]) -> Callable[[Any], None]:
            def end_job(value: Any) -> None:
                self._set_busy(False)
                listener(value)

            return end_job

        self._set_busy(True)
        self._background.start(work, end(done), end(failed))

    def _set_busy(self, is_busy: bool) -> None:
        self.is_busy = is_busy
        self.busy_changed.emit(is_busy)

    def close(self) -> None:
        """Ignore the result of a running job, and watch no layer any more."""
        self._background.forget()
        self.watch.close()
