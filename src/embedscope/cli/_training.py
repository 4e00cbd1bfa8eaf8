"""`embedscope train`: from files to a session with a trained map."""

from __future__ import annotations

import ast
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from types import FrameType
from typing import Any

from embedscope._errors import InvalidInputError, StoppedError
from embedscope._wording import counted
from embedscope.cli._inputs import Cutting, read_inputs
from embedscope.cli._progress import Progress
from embedscope.explorer import Explorer
from embedscope.samples import CropRecipe, NotLearned, Samples
from embedscope.training import Status, TrainingParameters

_TITLES = {
    "preparing": "Finding neighbours",
    "layout": "Laying out the map",
    "fitting": "Training the networks",
    "refining": "Refining the map",
}


def train(
    inputs: list[Path],
    out: Path,
    *,
    parameters: TrainingParameters,
    cutting: Cutting,
    learn_from: Sequence[str] = (),
    include_images: bool,
    overwrite: bool,
    progress: Progress,
) -> tuple[tuple[str, ...], bool]:
    """Train a map of the samples in some files, and save a session.

    Parameters
    ----------
    inputs : list of Path
        A table, an array, or a manifest; or an image and its labels.
    out : Path
        Folder of the session.
    parameters : TrainingParameters
    cutting : Cutting
        For images.
    learn_from : sequence of str
        Features that the map learns from, instead of what the samples show.
    include_images : bool
        Store the pictures of the samples in the session.
    overwrite : bool
        Replace a session that is there.
    progress : Progress

    Returns
    -------
    left_out : tuple of str
        What was left out, each with the reason.
    is_whole : bool
        False if training was stopped by Ctrl-C; the best map so far is saved.
    """
    if out.exists() and not overwrite:
        raise InvalidInputError(
            f"out must not exist; got {str(out)!r}. Give another name, or --overwrite."
        )
    with progress.step(f"Reading {' '.join(map(str, inputs))}"):
        samples = read_inputs(inputs, cutting)
        if learn_from:
            samples = samples.learning_from(list(learn_from))
    what = "crops" if samples.is_image else "features"
    shape = " x ".join(map(str, samples.sample_shape))
    progress.say(f"{counted(len(samples), 'sample')}, {what} of {shape}")
    if samples.learned is not None:
        progress.say(f"The map learns from {samples.learned.text}")
    if isinstance(samples.recipe, CropRecipe) and samples.recipe.is_resampled:
        progress.say(samples.recipe.crops_told.capitalize())
    for reason, columns in _columns_not_learned(samples).items():
        progress.say(f"Not learned from: {', '.join(columns)} ({reason})")
    explorer = Explorer(samples, parameters=parameters)
    with progress.step("Loading TensorFlow"):
        import embedscope.core.fitting  # noqa: F401 - imported here so that its time shows
    status = _trained(explorer, progress)
    with progress.step(f"Saving the session {out}"):
        explorer.save(out, include_images=include_images)
    if explorer.explained is not None:
        progress.say(f"The decoder {explorer.explained.text}.")
    if explorer.source_told is not None:
        progress.say(explorer.source_told.text)
    return _reasons(samples), status.phase.value == "done"


def _columns_not_learned(samples: Samples) -> dict[str, list[str]]:
    """Columns and channels that are not learned from, by reason."""
    names: dict[str, list[str]] = {}
    for each in samples.left_out:
        if isinstance(each, NotLearned):
            names.setdefault(each.reason, []).append(each.name)
    return names


def _reasons(samples: Samples) -> tuple[str, ...]:
    """Rows and objects that are left out, each with the reason."""
    return tuple(
        f"{each.name}: {each.reason}"
        for each in samples.left_out
        if not isinstance(each, NotLearned)
    )


def _trained(explorer: Explorer, progress: Progress) -> Status:
    """Train to the end, or until Ctrl-C."""
    shown = ""

    def show(status: Status) -> None:
        nonlocal shown
        title = _TITLES.get(status.phase.value)
        if title is None:
            return
        if title != shown:
            shown = title
            progress.say(title)
        left = status.seconds_left
        progress.show(title, status.fraction, "" if left is None else f"about {left:.0f} s left")

    explorer.events.status_changed.connect(show)
    with progress.step("Training"), _stopped_by_interrupt(explorer):
        explorer.train()
        status = explorer.wait()
    if status.error is not None:
        raise status.error
    if explorer.model is None:
        raise StoppedError("Stopped before anything was learned. Nothing was saved.")
    return status


@contextmanager
def _stopped_by_interrupt(explorer: Explorer) -> Iterator[None]:
    """Let Ctrl-C stop the run, which keeps the best map so far."""

    def stop(number: int, frame: FrameType | None) -> None:
        explorer.stop()

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def parse_parameters(settings: Sequence[str]) -> TrainingParameters:
    """Read ``name=value`` pairs.

    Raises
    ------
    InvalidInputError
        If a pair has no "=", there is no parameter of a name, or a value is out of bounds.
    """
    names = {each.name for each in fields(TrainingParameters)}
    changes: dict[str, Any] = {}
    for setting in settings:
        name, equals, text = setting.partition("=")
        if not equals or name not in names:
            raise InvalidInputError(
                f"--set must be name=value with a name of {', '.join(sorted(names))}; got "
                f"{setting!r}. Correct it."
            )
        changes[name] = _value(text)
    return TrainingParameters().replace(**changes)


def _value(text: str) -> Any:
    """A number or a yes/no as Python writes it; else the text itself."""
    try:
        return ast.literal_eval(text.capitalize() if text in ("true", "false") else text)
    except (ValueError, SyntaxError):
        return text
