"""The view model that every front end shares: what is shown, and what can be done with it."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, ClassVar

from embedscope.explorer.commands._drawing_commands import DrawingCommands
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
    DrawingCommands,
    QuestionCommands,
    FileCommands,
):
    """Samples, the training of their map, and everything that is looked at and marked on it.

    Front ends listen to `events` and call the commands; a script may do both. State is read from
    properties and changed by commands alone. Training goes on in a thread of its own, so commands
    return at once; what the run reports arrives through the dispatcher.

    Parameters
    ----------
    samples : Samples, DataFrame or array, optional
        What to explore; see `set_samples`.
    parameters : TrainingParameters, optional
    dispatcher : callable
        ``dispatcher(callback)`` runs the callback in the thread that the listeners live in.
        `immediate`, the default, calls it where it is, in the worker: right for scripts.

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
        """Open a session that `save` wrote; no code in it is run.

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
            If there is no session, it is damaged, or of a later version.
        """
        explorer = cls(dispatcher=dispatcher)
        explorer.load(path)
        return explorer

    display: ClassVar[Callable[[Explorer], None] | None] = None
    """What shows an explorer at the end of a notebook's cell; the package's front door sets it."""

    def _ipython_display_(self) -> None:
        show = type(self).display
        if show is None:
            raise NotImplementedError  # IPython then shows what `repr` gives
        show(self)
