"""One training run in a worker thread, which any other thread starts, pauses and stops.

`_status` has the phases and their order. Only the worker changes the status; other threads send
requests (`_control`), read the status, and get events (`_report_queue`).
"""

from __future__ import annotations

import atexit
import itertools
import math
import traceback
from collections.abc import Callable
from threading import Event, RLock, Thread, current_thread
from time import monotonic
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

import numpy as np
from psygnal import Signal

from embedscope._errors import InvalidInputError, StoppedError
from embedscope.training._control import Control
from embedscope.training._dispatch import Dispatcher, immediate
from embedscope.training._garbage import full_collections_spared
from embedscope.training._loading import is_loaded, wait_until_loaded
from embedscope.training._parameters import TrainingParameters
from embedscope.training._replay import Replay, ReplayRecorder
from embedscope.training._report_queue import ReportQueue
from embedscope.training._status import Phase, Status
from embedscope.training._trained_map import TrainedMap
from embedscope.training._watch import Watch

if TYPE_CHECKING:
    from embedscope.samples import Samples
    from embedscope.training._live_decoder import LiveDecoder

_REPLAY_BYTES = 64 * 2**20  # memory limit of snapshots
_EXIT_TIMEOUT_S = 5.0  # wait for each run when the process exits
_UNTIL_CTRL_C_S = 0.2  # on Windows Ctrl-C arrives only between two waits
_NOTHING_LEARNED = (
    "Stopped before the network had learned anything, so there is no map to keep. Train again, "
    "and stop once the network is trained."
)
_STOPPED = "Stopped; the best map so far is kept."
_DONE = "Done."
_LEARNED = "learned"  # of the choices of what is alike, the one that takes long
_LOADING = "Loading TensorFlow."

_run_ids = itertools.count(1)
_at_work: WeakSet[TrainingRun] = WeakSet()


class TrainingRun:
    """Trains a map of samples in a worker thread.

    A run is started once. A stop takes effect within a batch and keeps the best map so far; a pause
    makes the worker wait at its next step. All methods may be called from any thread.

    Parameters
    ----------
    samples : Samples
    parameters : TrainingParameters, optional
    dispatcher : callable, default=immediate
        Calls a function in the thread where events are to arrive: a front end's main thread. Events
        are delivered in order. If that thread is busy, older statuses and maps are skipped, but
        never a change of phase, a loss, or the end.
    run_id : int, optional
        By default unique in the process.
    replay_bytes : int, default=64 MiB
        Memory for snapshots of the map.

    Attributes
    ----------
    status_changed : psygnal.Signal(Status)
        About ten times a second, and at each change of phase.
    loss_reported : psygnal.Signal(int, int, dict)
        Run, epoch and the losses of this epoch by name.
    embedding_changed : psygnal.Signal(int, int, ndarray)
        Run, epoch and the map of shape (n_samples, 2), float32, read-only; at most four times a
        second, and less often if that would take more than a tenth of the time.
    finished : psygnal.Signal(Status)
        Once, as the last event, whether the run is done, stopped or failed.

    Examples
    --------
    >>> from embedscope.samples import samples_from_array
    >>> X = np.random.default_rng(0).random((100, 8), dtype=np.float32)
    >>> run = TrainingRun(samples_from_array(X))
    >>> run.start()
    >>> run.wait().phase
    <Phase.DONE: 'done'>
    >>> run.result.embedding.shape
    (100, 2)
    """

    status_changed = Signal(Status)
    loss_reported = Signal(int, int, dict)
    embedding_changed = Signal(int, int, np.ndarray)
    finished = Signal(Status)

    def __init__(
        self,
        samples: Samples,
        parameters: TrainingParameters | None = None,
        *,
        dispatcher: Dispatcher = immediate,
        run_id: int | None = None,
        replay_bytes: int = _REPLAY_BYTES,
    ) -> None:
        self._samples = samples
        self._parameters = TrainingParameters() if parameters is None else parameters
        self._control = Control()
        self._queue = ReportQueue(self, dispatcher)
        self._recorder = ReplayRecorder(replay_bytes)
        status = Status(next(_run_ids) if run_id is None else run_id)
        self._watch = Watch(status, self._control, self._queue, self._recorder)
        self._live_decoder: LiveDecoder | None = None
        self._result: TrainedMap | None = None
        self._starting = RLock()  # reentrant: a listener of the start may call stop
        self._thread: Thread | None = None
        self._has_ended = Event()

    # -- commands --------------------------------------------------------------------------------

    def start(self) -> None:
        """Start the worker thread.

        Raises
        ------
        InvalidInputError
            If the run was started or stopped before.
        """
        with self._starting:
            if self.status.phase is not Phase.IDLE:
                raise InvalidInputError(
                    f"start must be called once on a run; got a run that is "
                    f"{self.status.phase.value}. Make a new TrainingRun."
                )
            self._thread = Thread(
                target=self._work, name=f"embedscope run {self.status.run_id}", daemon=True
            )
            try:
                loading = {} if is_loaded() else {"message": _LOADING}
                self._watch.change(Phase.PREPARING, **loading)
            finally:  # also if a listener fails, since the run would never end otherwise
                _at_work.add(self)
                self._thread.start()

    def pause(self) -> None:
        """Pause at the next step; before the start, at the first."""
        self._control.request_pause()

    def resume(self) -> None:
        """Continue after a pause."""
        self._control.request_resume()

    def stop(self) -> None:
        """Stop at the next step, paused or not, and keep the best map so far.

        Returns at once. A run that was not started can no longer be started; one that has ended
        does not change.
        """
        self._control.request_stop()
        with self._starting:
            if self.status.phase is Phase.IDLE:
                self._watch.end(Phase.STOPPED, message=_NOTHING_LEARNED)
                self._has_ended.set()

    def wait(self, timeout: float | None = None) -> Status:
        """Wait for the end.

        Parameters
        ----------
        timeout : float, optional
            Seconds; by default without limit.

        Returns
        -------
        Status
            The final one, or the present one after the timeout.

        Raises
        ------
        InvalidInputError
            If the run was not started.
        """
        if self.status.phase is Phase.IDLE:
            raise InvalidInputError(
                "wait must be called on a run that was started; got one that is idle. Call start "
                "first."
            )
        if current_thread() is not self._thread:  # a listener in the worker would wait for itself
            end = monotonic() + (math.inf if timeout is None else timeout)
            while (left := end - monotonic()) > 0:
                if self._has_ended.wait(min(left, _UNTIL_CTRL_C_S)):
                    break
        return self.status

    # -- state -----------------------------------------------------------------------------------

    @property
    def status(self) -> Status:
        """The status now."""
        return self._watch.status

    @property
    def samples(self) -> Samples:
        """The samples that the run trains on.

        Those for which a function of `Samples.learning_from` computes no finite numbers are left
        out as soon as it has computed them.
        """
        return self._samples

    @property
    def parameters(self) -> TrainingParameters:
        """The parameters of the run."""
        return self._parameters

    @property
    def result(self) -> TrainedMap | None:
        """The trained map once the run has ended; the best so far if it was stopped or failed.

        None before the end, and if nothing was learned.
        """
        return self._result

    @property
    def replay(self) -> Replay:
        """Snapshots of the map up to now."""
        return self._recorder.replay

    @property
    def snapshot_share(self) -> float:
        """Share of the time worked that snapshots of the map took, 0..1."""
        return self._watch.snapshot_share

    def decode(self, points: Any) -> np.ndarray | None:
        """Decode typical samples at points of the map, in training or after it.

        While the decoder trains, a copy from the end of the last epoch is used.

        Parameters
        ----------
        points : array-like of shape (n_points, 2)
            Map coordinates.

        Returns
        -------
        ndarray of shape (n_points, *sample_shape), float32, or None
            In the range of ``samples.X``; None if there is no decoder, or none yet.

        Raises
        ------
        InvalidInputError
            If `points` are not finite map coordinates.
        """
        checked = _check_points(points)
        result, live = self._result, self._live_decoder
        if result is not None and result.estimator.decoder_ is not None:
            return result.estimator.inverse_transform(checked)
        return live.decode(checked) if live is not None and result is None else None

    # -- the worker ------------------------------------------------------------------------------

    def _work(self) -> None:
        """The whole work of the thread; it raises nothing except errors of listeners."""
        try:
            with full_collections_spared() as settle:
                phase, message, error = self._train(settle)
            shown = "" if error is None else "".join(traceback.format_exception(error))
            changes = {} if phase is not Phase.DONE else {"fraction": 1.0}
            if self._result is not None:
                self._watch.show(self.status.epoch, 1.0, self._result.embedding)
            self._watch.end(phase, message=message, error=error, traceback=shown, **changes)
        finally:
            _at_work.discard(self)
            self._has_ended.set()

    def _train(self, settle: Callable[[], None]) -> tuple[Phase, str, BaseException | None]:
        """Fit and store the result; return the final phase, message and error."""
        estimator: Any = None
        fit_kwargs: dict[str, Any] = {}
        try:
            estimator, fit_kwargs = self._prepare()
            settle()
            estimator.fit(**fit_kwargs)
            self._keep(estimator, fit_kwargs)
        except StoppedError:
            return Phase.STOPPED, _NOTHING_LEARNED, None
        except BaseException as error:
            if hasattr(estimator, "embedding_"):  # keep what was learned before the error
                self._keep(estimator, fit_kwargs)
            return Phase.FAILED, f"Failed: {error}", error
        if self._watch.has_stopped:
            return Phase.STOPPED, _STOPPED, None
        return Phase.DONE, _DONE, None

    def _prepare(self) -> tuple[Any, dict[str, Any]]:
        """The estimator, with the hooks of this run; imports TensorFlow."""
        self._step(0.0)
        wait_until_loaded(lambda: self._step(0.0))
        self._watch.change(Phase.PREPARING)
        from embedscope.training._live_decoder import LiveDecoder
        from embedscope.training._recipe import make_estimator

        report = self._reporter()
        self._samples = self._with_values(report)
        live = LiveDecoder()
        estimator, fit_kwargs = make_estimator(
            self._parameters,
            self._samples,
            progress=self._watch,
            callbacks=[live] if self._parameters.reconstruction else [],
            report=report,
            show=self._watch.show_early,
        )
        self._live_decoder = live
        return estimator, fit_kwargs

    def _with_values(self, report: Callable[[float], None]) -> Samples:
        """The samples without those for which a function computes no finite numbers."""
        from embedscope.samples.common import with_computed

        samples = with_computed(self._samples, report)
        n_lost, n_neighbors = len(self._samples) - len(samples), self._parameters.n_neighbors
        if n_lost and samples.learned is not None and n_neighbors >= len(samples):
            raise InvalidInputError(
                "n_neighbors must be less than the number of samples for which "
                f"{samples.learned.name} returns finite numbers; got {n_neighbors} (of "
                f"{len(self._samples):,} samples, {len(samples):,} have such numbers). Lower "
                "n_neighbors, or correct the function."
            )
        return samples

    def _step(self, fraction: float) -> None:
        """A step of the preparation before the fit, at which the run may pause or stop."""
        if self._watch.checkpoint():
            raise StoppedError(_NOTHING_LEARNED)

    def _reporter(self) -> Callable[[float], None]:
        """What the preparation reports to: it is told where it takes most of the run."""
        learned = self._samples.learned
        if learned is not None and learned.values is None:

            def compute(fraction: float) -> None:
                self._watch.compute(fraction, learned.name)
                self._step(fraction)

            return compute
        return self._learn if self._parameters.alike == _LEARNED else self._step

    def _learn(self, fraction: float) -> None:
        """A step of a preparation that takes most of the run."""
        self._watch.learn(fraction)
        self._step(fraction)

    def _keep(self, estimator: Any, fit_kwargs: dict[str, Any]) -> None:
        # Otherwise the estimator would hold references to the run.
        estimator.set_params(progress=None, keras_fit_kwargs=None)
        embedding = estimator.embedding_.view()
        embedding.flags.writeable = False
        # The first use of a network compiles it, so that the first click on the map need not wait.
        X, decoded = fit_kwargs["X"][:1], fit_kwargs.get("decoded")
        estimator.transform(X)
        if estimator.decoder_ is not None:
            estimator.inverse_transform(embedding[:1])
        if estimator.style_encoder_ is not None:
            estimator.style(X, None if decoded is None else decoded[:1])
        if estimator.spread_decoder_ is not None:
            estimator.inverse_std(embedding[:1])
        self._result = TrainedMap(
            estimator,
            self._samples,
            self._parameters,
            embedding,
            estimator.history_,
            self.status.run_id,
        )


def _check_points(points: Any) -> np.ndarray:
    try:
        checked = np.asarray(points, dtype=np.float32)
    except (TypeError, ValueError):
        checked = np.empty(0, dtype=np.float32)
    if checked.ndim != 2 or checked.shape[1] != 2 or not np.isfinite(checked).all():
        raise InvalidInputError(
            f"points must be finite map coordinates of shape (n_points, 2); got {points!r}. Give a "
            "row of two numbers for each point."
        )
    return checked


@atexit.register
def _stop_all() -> None:
    """Stop all workers at exit, since one inside TensorFlow would crash the process."""
    runs = list(_at_work)
    for run in runs:
        run.stop()
    for run in runs:
        run.wait(_EXIT_TIMEOUT_S)
