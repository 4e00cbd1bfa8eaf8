"""Watching a run: progress hook, progress bar, Keras callbacks, history, best result, stopping.

A solver reports here after every few batches. Whatever stops the run passes through as an
exception; what the networks had learned by then stays.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Protocol

import numpy as np

from embedscope._errors import InvalidInputError
from embedscope._warning import warn_caller

PHASES = ("graph", "layout", "fit", "refine")
_SHARES = {"graph": 0.15, "layout": 0.15, "fit": 0.70}  # of a typical run's time
_BAR_PRECISION = 1000


@dataclass(frozen=True)
class Report:
    """One report of a run in progress.

    Attributes
    ----------
    phase : {"graph", "layout", "fit", "refine"}
    fraction : float
        Share of the whole run that is done, 0..1.
    epoch : int
        Entries in the history so far.
    losses : mapping of str to float
        The latest of each loss; empty before the first.
    embedding : callable
        Computes the map as it is now, ndarray of shape (n_samples, n_components), float32; None
        before there is one.
    """

    phase: str
    fraction: float
    epoch: int
    losses: Mapping[str, float]
    embedding: Callable[[], np.ndarray | None] = field(repr=False)

    @property
    def loss(self) -> float | None:
        """UMAP's cross entropy at the latest report."""
        return self.losses.get("loss")


class StopTraining(Exception):
    """The hook or a callback asked to stop: not an error, and never seen by a user."""


class Bar(Protocol):
    """Where progress is shown."""

    def show(self, report: Report, note: str) -> None:
        """Show where the run is."""

    def close(self) -> None:
        """Leave the last state standing."""


class NoBar:
    """Shows nothing: the silent default."""

    def show(self, report: Report, note: str) -> None:
        """Show nothing."""

    def close(self) -> None:
        """Nothing to close."""


class TqdmBar:
    """One tqdm bar for the whole run, with the phase and the loss."""

    def __init__(self, device: str) -> None:
        from tqdm.auto import tqdm

        self._device = device
        self._bar = tqdm(
            total=_BAR_PRECISION,
            bar_format="{desc} {percentage:3.0f}%|{bar}| {elapsed}<{remaining}{postfix}",
        )

    def show(self, report: Report, note: str) -> None:
        """Show the phase, the fraction, the loss and the speed."""
        title = f"embedscope [{self._device}] {report.phase}"
        is_new_phase = title != self._bar.desc
        self._bar.set_description_str(title, refresh=False)
        loss = "" if report.loss is None else f"loss {report.loss:.4f}"
        self._bar.set_postfix_str(", ".join(part for part in (loss, note) if part), refresh=False)
        self._bar.update(round(report.fraction * _BAR_PRECISION) - self._bar.n)
        if is_new_phase:  # shown even if it is over before tqdm would refresh by itself
            self._bar.refresh()

    def close(self) -> None:
        """Leave the bar standing."""
        self._bar.close()


class Monitor:
    """Collects what happens in a run and tells everybody who wants to know.

    Parameters
    ----------
    hook : callable or None
        ``hook(report)``; a true return value stops the run, an exception too.
    bar : Bar
    n_reports : int
        Entries that the history will get.
    callbacks : keras.callbacks.Callback, sequence of them or None
    """

    def __init__(
        self,
        hook: Callable[[Report], Any] | None,
        bar: Bar,
        n_reports: int,
        callbacks: Any = None,
    ) -> None:
        self._hook = hook
        self._bar = bar
        self._n_reports = n_reports
        self._given_callbacks = _as_list(callbacks)
        self._callbacks: Any = None
        self._model: Any = None
        self._places: Any = None
        self._embedding: Callable[[], np.ndarray | None] = lambda: None
        self._samples_seen = 0
        self._fit_began = 0.0
        self.phase = PHASES[0]
        self.history: dict[str, list[float]] = {"loss": []}  # is there, even if stopped at once
        self.best: tuple[float, list[np.ndarray]] = (np.inf, [])
        self.has_learned = False
        self._ended_by_callback = False

    @property
    def wants_every_batch(self) -> bool:
        """A Keras callback has something to do at each batch."""
        return any(_acts_on_batches(callback) for callback in self._given_callbacks)

    @property
    def epoch(self) -> int:
        """Entries in the history so far."""
        return len(self.history["loss"])

    def watch(self, model: Any, places: np.ndarray) -> None:
        """Begin to watch the networks of `model`.

        `places` are the rows of the model's map that make up the user's.
        """
        self._model, self._places = model, places
        self.best = (np.inf, model.get_weights())
        self.show_map(model.encode)

    def show_map(self, embedding: Callable[[], np.ndarray]) -> None:
        """Say where reports get the current map from."""
        places = self._places
        self._embedding = lambda: embedding()[places]

    def enter(self, phase: str, fraction: float = 0.0) -> None:
        """Begin a phase; see `advance` for the fraction."""
        self.phase = phase
        if phase == "fit":
            self._fit_began = time.perf_counter()
            self._begin_callbacks()
        self.advance(fraction)

    def _begin_callbacks(self) -> None:
        """Let Keras callbacks see the networks.

        Not sooner: the model that they see has a decoder, which takes a while to make, and until
        here there is a layout to look at.
        """
        if self._given_callbacks:
            from embedscope.core.networks._tensorflow import keras

            self._callbacks = keras.callbacks.CallbackList(
                self._given_callbacks, model=self._model.keras_model
            )
            self._callbacks.set_params({"epochs": self._n_reports, "steps": None, "verbose": 0})
            self._callbacks.on_train_begin()

    def advance(self, fraction_of_phase: float, note: str = "") -> None:
        """Report progress within the graph or layout phase, or within all of the training."""
        training = self.phase in ("fit", "refine")
        earlier = sum(share for name, share in _SHARES.items() if name != "fit")
        before = {"graph": 0.0, "layout": _SHARES["graph"]}.get(self.phase, earlier)
        share = _SHARES["fit" if training else self.phase]
        losses = {name: values[-1] for name, values in self.history.items() if values}
        report = Report(
            self.phase,
            min(1.0, before + share * fraction_of_phase),
            self.epoch,
            MappingProxyType(losses),
            self._embedding,
        )
        self._bar.show(report, note)
        if self._hook is not None and self._hook(report):
            raise StopTraining

    def begin_epoch(self) -> None:
        """A new entry of the history begins."""
        if self._callbacks is not None:
            self._callbacks.on_epoch_begin(self.epoch)

    def begin_batch(self, batch: int) -> None:
        """A batch, or a few together where no callback wants to see each, is about to be run."""
        if self._callbacks is not None:
            self._callbacks.on_train_batch_begin(batch)

    def end_batch(self, batch: int, n_samples: int, fraction: float) -> None:
        """Batches were run on `n_samples` samples; `fraction` of the training is done."""
        self.has_learned = True
        self._samples_seen += n_samples
        if self._callbacks is not None:
            self._callbacks.on_train_batch_end(batch, {})
            self._stop_if_asked()
        seconds = time.perf_counter() - self._fit_began
        self.advance(fraction, f"{self._samples_seen / max(seconds, 1e-9):,.0f} samples/s")

    def end_epoch(self, losses: Mapping[str, float], fraction: float) -> None:
        """Add an entry to the history; keep the weights if they are the best so far.

        Raises
        ------
        StopTraining
            If a callback asked to stop, or a loss or a weight is not finite.
        """
        weights = self._model.get_weights()
        if not _all_finite(losses.values()) or not _all_finite(weights):
            shown = ", ".join(f"{name} {value}" for name, value in losses.items())
            if _all_finite(losses.values()):
                shown += ", and NaN or infinity among the weights"
            kept = f"the best of {self.epoch} reports" if self.epoch else "those before training"
            warn_caller(
                f"Losses and weights must stay finite; got {shown}, so training stopped, and the "
                f"weights are {kept}. Lower the learning rate of the optimizer, take another one, "
                "or look at your own loss.",
                RuntimeWarning,
            )
            raise StopTraining
        for name, value in losses.items():
            self.history.setdefault(name, []).append(float(value))
        if self._callbacks is not None:
            self._callbacks.on_epoch_end(self.epoch - 1, _as_logs(losses))
            weights = self._model.get_weights()  # which a callback may have changed
        if losses["loss"] <= self.best[0]:
            self.best = (losses["loss"], weights)
        if self._callbacks is not None:
            self._stop_if_asked()
        self.advance(fraction)

    def _stop_if_asked(self) -> None:
        if self._model.keras_model.stop_training:
            self._ended_by_callback = True
            raise StopTraining

    def close_training(self) -> None:
        """End the training: the networks get their best weights if they were stopped at worse.

        A run that went to its end, or was ended by a Keras callback, keeps the weights it has: the
        callback decides, as in Keras.
        """
        self._model.finish()
        self._end_callbacks()
        if self._ended_by_callback or self.epoch == self._n_reports:
            return
        losses = self._model.losses()
        is_sound = _all_finite(losses.values()) and _all_finite(self._model.get_weights())
        if not is_sound or losses["loss"] > self.best[0]:
            self._model.set_weights(self.best[1])

    def finish(self) -> None:
        """The run is over, one way or another."""
        self._end_callbacks()
        self._bar.close()

    def _end_callbacks(self) -> None:
        callbacks, self._callbacks = self._callbacks, None
        if callbacks is not None:
            callbacks.on_train_end()


def _all_finite(values: Iterable[Any]) -> bool:
    """Whether no number, alone or in an array, is NaN or infinite.

    Weights are looked at beside the losses: on a processor TensorFlow joins a dense layer with its
    relu, and what comes out for weights that are NaN is 0, not NaN.
    """
    return all(bool(np.isfinite(value).all()) for value in values)


def _as_list(callbacks: Any) -> list[Any]:
    """One Keras callback, several or none, as a list."""
    if not callbacks:
        return []
    from embedscope.core.networks._tensorflow import keras

    given = list(callbacks) if isinstance(callbacks, list | tuple) else [callbacks]
    for callback in given:
        if not isinstance(callback, keras.callbacks.Callback):
            raise InvalidInputError(
                "keras_fit_kwargs['callbacks'] must be Keras callbacks; got "
                f"{type(callback).__name__}. Derive from keras.callbacks.Callback, or use the "
                "parameter progress for a function."
            )
        _check_monitored(callback)
    return given


def _check_monitored(callback: Any) -> None:
    """Say which way a loss is better, where Keras would look it up among metrics of its own.

    It would raise at the end of the first epoch.
    """
    from embedscope.core.networks._tensorflow import keras

    choosing = (
        keras.callbacks.EarlyStopping,
        keras.callbacks.ModelCheckpoint,
        keras.callbacks.ReduceLROnPlateau,
    )
    if not isinstance(callback, choosing) or callback.mode != "auto":
        return
    if not callback.monitor.endswith("loss"):
        raise InvalidInputError(
            "keras_fit_kwargs['callbacks'] must monitor a loss, or say which way is better; got "
            f"{type(callback).__name__}(monitor={callback.monitor!r}, mode='auto'). Set mode='min' "
            "or mode='max', or monitor 'loss'."
        )
    callback.mode = "min"


def _as_logs(losses: Mapping[str, float]) -> dict[str, float]:
    """An entry of the history as callbacks get it: "val_loss" is what they look at by default."""
    logs = dict(losses)
    if "val_reconstruction_loss" in logs:
        logs["val_loss"] = logs["val_reconstruction_loss"]
    return logs


def _acts_on_batches(callback: Any) -> bool:
    from embedscope.core.networks._tensorflow import keras

    hooks = ("on_train_batch_begin", "on_train_batch_end", "on_batch_begin", "on_batch_end")
    # From the instance, where LambdaCallback puts its functions.
    functions = (getattr(getattr(callback, hook), "__func__", None) for hook in hooks)
    defaults = [getattr(keras.callbacks.Callback, hook) for hook in hooks]
    return any(function not in defaults for function in functions)
