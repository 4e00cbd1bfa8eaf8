"""The monitor of a run: progress hook, progress bar, Keras callbacks, history, best weights, stop.

A solver reports to it after every few batches. An exception of the monitor stops the run; the
networks keep what they have learned.
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
_SHARES = {"graph": 0.15, "layout": 0.15, "fit": 0.70}  # of the time of a typical run
_BAR_PRECISION = 1000  # steps of the progress bar


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
        The latest value of each loss; empty before the first.
    embedding : callable
        Computes the current map, ndarray of shape (n_samples, n_components), float32; NaN for
        samples that were not drawn (see `max_graph_samples`). None before there is one.
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
    """The hook or a callback asked to stop. Not an error; never raised to a user."""


class Bar(Protocol):
    """A display of progress."""

    def show(self, report: Report, note: str) -> None:
        """Show the progress of the run."""

    def close(self) -> None:
        """End the display; the last state stays visible."""


class NoBar:
    """Shows nothing; the default."""

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
        if is_new_phase:  # shown even if the phase ends before tqdm refreshes by itself
            self._bar.refresh()

    def close(self) -> None:
        """End the bar; its last state stays visible."""
        self._bar.close()


class Monitor:
    """Collects the progress of a run, and calls the hook, the bar and the Keras callbacks.

    Parameters
    ----------
    hook : callable or None
        ``hook(report)``; a true return value or an exception stops the run.
    bar : Bar
    n_reports : int
        Number of entries that the history will get.
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
        self._rows: Any = None
        self._embedding: Callable[[], np.ndarray | None] = lambda: None
        self._samples_seen = 0
        self._fit_began = 0.0
        self.phase = PHASES[0]
        self.history: dict[str, list[float]] = {"loss": []}  # exists even if stopped at once
        self.best: tuple[float, list[np.ndarray]] = (np.inf, [])
        self.has_learned = False
        self._ended_by_callback = False

    @property
    def wants_every_batch(self) -> bool:
        """Whether a Keras callback acts on each batch."""
        return any(_acts_on_batches(callback) for callback in self._given_callbacks)

    @property
    def epoch(self) -> int:
        """Number of entries in the history so far."""
        return len(self.history["loss"])

    def watch(self, model: Any, rows: np.ndarray) -> None:
        """Start to watch the networks of `model`.

        `rows` gives the row of the model's map for each of the user's samples, -1 if it has none.
        """
        self._model, self._rows = model, rows
        self.best = (np.inf, model.get_weights())
        self.show_map(model.encode)

    def show_map(self, embedding: Callable[[], np.ndarray]) -> None:
        """Set the source of the current map in reports."""
        rows = self._rows
        without = np.flatnonzero(rows < 0)

        def of_all() -> np.ndarray:
            positions = embedding()[rows]
            positions[without] = np.nan
            return positions

        self._embedding = of_all

    def enter(self, phase: str, fraction: float = 0.0) -> None:
        """Start a phase; see `advance` for the fraction."""
        self.phase = phase
        if phase == "fit":
            self._fit_began = time.perf_counter()
            self._begin_callbacks()
        self.advance(fraction)

    def _begin_callbacks(self) -> None:
        """Make the model of the Keras callbacks and call their start.

        This is not done earlier because making the model's decoder takes time, which would delay
        the first layout.
        """
        if self._given_callbacks:
            from embedscope.core.networks._tensorflow import keras

            self._callbacks = keras.callbacks.CallbackList(
                self._given_callbacks, model=self._model.keras_model
            )
            self._callbacks.set_params({"epochs": self._n_reports, "steps": None, "verbose": 0})
            self._callbacks.on_train_begin()

    def advance(self, fraction_of_phase: float, note: str = "") -> None:
        """Report the progress within the graph or layout phase, or within the whole training."""
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
        """Start a new entry of the history."""
        if self._callbacks is not None:
            self._callbacks.on_epoch_begin(self.epoch)

    def begin_batch(self, batch: int) -> None:
        """Called before a batch, or before a few batches if no callback acts on each."""
        if self._callbacks is not None:
            self._callbacks.on_train_batch_begin(batch)

    def end_batch(self, batch: int, n_samples: int, fraction: float) -> None:
        """Called after batches of `n_samples` samples; `fraction` of the training is done."""
        self.has_learned = True
        self._samples_seen += n_samples
        if self._callbacks is not None:
            self._callbacks.on_train_batch_end(batch, {})
            self._stop_if_asked()
        seconds = time.perf_counter() - self._fit_began
        self.advance(fraction, f"{self._samples_seen / max(seconds, 1e-9):,.0f} samples/s")

    def end_epoch(self, losses: Mapping[str, float], fraction: float) -> None:
        """Add an entry to the history; store the weights if they are the best so far.

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
            before, weights = weights, self._model.get_weights()
            if not _all_equal(before, weights):  # a callback changed them, and so their loss
                losses = self._model.losses()
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
        """End the training. If it was stopped at worse weights, the best ones are restored.

        A run that was completed, or stopped by a Keras callback, keeps its weights: the callback
        decides, as in Keras.
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
        """End the run, after success or failure."""
        self._end_callbacks()
        self._bar.close()

    def _end_callbacks(self) -> None:
        callbacks, self._callbacks = self._callbacks, None
        if callbacks is not None:
            callbacks.on_train_end()


def _all_finite(values: Iterable[Any]) -> bool:
    """Whether no number, alone or in an array, is NaN or infinite.

    Weights are checked as well as losses: on a CPU TensorFlow fuses a dense layer with its relu,
    whose output for NaN weights is 0, not NaN.
    """
    return all(bool(np.isfinite(value).all()) for value in values)


def _all_equal(some: list[np.ndarray], others: list[np.ndarray]) -> bool:
    return all(np.array_equal(one, other) for one, other in zip(some, others, strict=True))


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
    """Set the callback's mode if it is "auto" and it monitors a loss.

    Keras would look the loss up among its own metrics, and raise at the end of the first epoch.
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
    """An entry of the history for callbacks, with "val_loss", which they monitor by default."""
    logs = dict(losses)
    if "val_reconstruction_loss" in logs:
        logs["val_loss"] = logs["val_reconstruction_loss"]
    return logs


def _acts_on_batches(callback: Any) -> bool:
    from embedscope.core.networks._tensorflow import keras

    hooks = ("on_train_batch_begin", "on_train_batch_end", "on_batch_begin", "on_batch_end")
    # Read from the instance, since LambdaCallback stores its functions there.
    functions = (getattr(getattr(callback, hook), "__func__", None) for hook in hooks)
    defaults = [getattr(keras.callbacks.Callback, hook) for hook in hooks]
    return any(function not in defaults for function in functions)
