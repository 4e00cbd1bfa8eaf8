"""The view model that every front end shares: state, events and commands."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, ClassVar

from embedscope.explorer.commands._decoding_commands import DecodingCommands
from embedscope.explorer.commands._file_commands import FileCommands
from embedscope.explorer.commands._marking_commands import MarkingCommands
from embedscope.explorer.commands._question_commands import QuestionCommands
from embedscope.explorer.commands._samples_commands import SamplesCommands
from embedscope.explorer.commands._training_commands import TrainingCommands
from embedscope.training import Dispatcher, TrainingParameters, immediate


class Explorer(
    SamplesCommands,
    TrainingCommands,
    MarkingCommands,
    DecodingCommands,
    QuestionCommands,
    FileCommands,
):
    """Samples, the training of their map, and everything that is shown and selected on it.

    Front ends listen to `events` and call the commands; a script may do both. Properties give the
    state, and only commands change it. Training runs in a worker thread, so `train` returns at
    once; the reports of the run arrive through the dispatcher.

    Parameters
    ----------
    samples : Samples, DataFrame or array, optional
        What to explore; see `set_samples`.
    parameters : TrainingParameters, optional
    dispatcher : callable
        ``dispatcher(callback)`` runs the callback in the thread of the listeners. `immediate`, the
        default, runs it in the worker thread: right for scripts.

    Attributes
    ----------
    events : ExplorerEvents
        Signals, each with the new value.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> explorer = Explorer(load_digits(as_frame=True).data)
    >>> explorer.train()
    >>> explorer.wait().phase.name
    'DONE'
    """

    def __init__(
        self,
        samples: Any = None,
        *,
        parameters: TrainingParameters | None = None,
        dispatcher: Dispatcher = immediate,
    ) -> None:
        super().__init__(parameters, dispatcher)
        if samples is not None:
            self.set_samples(samples)

    @classmethod
    def open(cls, path: str | os.PathLike[str], *, dispatcher: Dispatcher = immediate) -> Explorer:
        """Open a session that `save` wrote. No code in it is run.

        Parameters
        ----------
        path : str or path
        dispatcher : callable
            As for the class.

        Returns
        -------
        Explorer

        Raises
        ------
        InvalidModelError
            If there is no session, or it is damaged, or a later version wrote it.
        """
        explorer = cls(dispatcher=dispatcher)
        explorer.load(path)
        return explorer

    display: ClassVar[Callable[[Explorer], None] | None] = None
    """Shows an explorer at the end of a notebook's cell; `embedscope.__init__` sets it."""

    def _ipython_display_(self) -> None:
        show = type(self).display
        if show is None:
            raise NotImplementedError  # IPython then shows the `repr`
        show(self)
