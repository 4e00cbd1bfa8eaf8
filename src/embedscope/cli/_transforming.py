"""`embedscope transform`: place the samples of a file on a trained map, in parts."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from embedscope._errors import InvalidInputError
from embedscope._wording import counted
from embedscope.cli._blocks import open_rows
from embedscope.cli._inputs import manifest_of, read_pair_like
from embedscope.cli._parts import Parts, check_out, fingerprint
from embedscope.cli._placing import (
    MODEL_FILE,
    SESSION_FILE,
    ModelPlacer,
    Placed,
    SessionPlacer,
    open_placer,
)
from embedscope.cli._progress import Progress
from embedscope.samples.reading import FAILURES, existing, group_of_row, manifest_rows

Job = Callable[[], Placed]


def transform(
    model: Path,
    inputs: list[Path],
    out: Path,
    *,
    chunk_rows: int,
    overwrite: bool,
    progress: Progress,
    pixel_size: float | None = None,
) -> tuple[str, ...]:
    """Place samples on the map of a model, and write their positions.

    Parameters
    ----------
    model : Path
        Folder of a session, or of a saved model.
    inputs : list of Path
        A table, an array, or a manifest; or an image and its labels.
    out : Path
        Ends in .npy, .csv or .parquet.
    chunk_rows : int
        Rows in a part, at least 1.
    overwrite : bool
        Replace an output that is there.
    progress : Progress
    pixel_size : float, optional
        Micrometres a pixel of the images.

    Returns
    -------
    tuple of str
        What has no position, each with the reason.
    """
    check_out(out, overwrite=overwrite)
    for path in inputs:
        existing(path, "data")
    with progress.step(f"Opening {model}"):
        placer = open_placer(model)
    header = model / (SESSION_FILE if isinstance(placer, SessionPlacer) else MODEL_FILE)
    state = {
        "model": hashlib.sha256(header.read_bytes()).hexdigest(),
        "input": fingerprint(inputs),
        "chunk_rows": chunk_rows,
    }
    if pixel_size is not None:
        state["pixel_size"] = pixel_size
    parts = Parts(out, state)
    left_out: list[str] = []
    with parts.opened():
        number, n_found = -1, 0
        for number, (name, job) in enumerate(
            _jobs(placer, inputs, chunk_rows, progress, pixel_size)
        ):
            reasons = parts.reasons(number)
            if reasons is None:
                with progress.step(f"Placing {name}"):
                    placed = job()
                    parts.write(number, placed)
                reasons = placed.left_out
            else:
                n_found += 1
            left_out += [f"chunk {number}, {reason}" for reason in reasons]
        if number < 0:
            raise InvalidInputError(
                f"data must hold at least one sample; got none in {inputs[0]}. Give another file."
            )
        if n_found:
            progress.say(f"{counted(n_found, 'chunk')} found, placed by an earlier run")
        with progress.step(f"Writing {out}"):
            parts.join(number + 1)
    return tuple(left_out)


def _jobs(
    placer: ModelPlacer | SessionPlacer,
    inputs: list[Path],
    chunk_rows: int,
    progress: Progress,
    pixel_size: float | None,
) -> Iterator[tuple[str, Job]]:
    """Each part by what a message calls it, with what makes it."""
    if len(inputs) == 2:
        session = _need_session(placer)
        yield from _jobs_of_pair(
            session, inputs[0], inputs[1], None, chunk_rows, progress, pixel_size=pixel_size
        )
        return
    (path,) = inputs
    if (table := manifest_of(path)) is not None:
        session = _need_session(placer)
        for row in manifest_rows(table, path.parent):
            name = row.source
            try:
                group = group_of_row(session.known, row.features)
                jobs = _jobs_of_pair(
                    session,
                    row.image,
                    row.labels,
                    name,
                    chunk_rows,
                    progress,
                    group,
                    pixel_size,
                    row.table,
                )
            except FAILURES as error:
                reason = f"{name}: {error}"
                jobs = [(name, lambda reason=reason: session.none_placed((reason,)))]  # type: ignore[misc]
            for called, job in jobs:
                yield called, _job_that_may_fail(job, name, session)
        return
    for number, read in enumerate(open_rows(path).blocks(chunk_rows)):
        start = number * chunk_rows
        yield (
            f"chunk {number} of {path}",
            lambda read=read, start=start: placer.place(read(), start),  # type: ignore[misc]
        )


def _need_session(placer: ModelPlacer | SessionPlacer) -> SessionPlacer:
    if not isinstance(placer, SessionPlacer):
        raise InvalidInputError(
            "model must be a session for images and labels; got a model alone, which does not say "
            "how samples are cut and scaled. Make a session with `embedscope train`."
        )
    return placer


def _jobs_of_pair(
    placer: SessionPlacer,
    image: Path,
    labels: Path,
    name: str | None,
    n_rows: int,
    progress: Progress,
    group: Any = None,
    pixel_size: float | None = None,
    table: Path | None = None,
) -> list[tuple[str, Job]]:
    """A job for each part of the objects of an image, which are found now."""
    called = name or str(image)
    with progress.step(f"Finding the objects of {called}"):
        made = read_pair_like(placer.known, image, labels, n_rows, name, group, pixel_size, table)
        parts = list(made)
    return [
        (
            called if len(parts) == 1 else f"part {number} of the objects of {called}",
            lambda part=part: placer.place_part(part()),  # type: ignore[misc]
        )
        for number, part in enumerate(parts)
    ]


def _job_that_may_fail(job: Job, name: str, placer: SessionPlacer) -> Job:
    """Leave one pair of images of many out, with the reason, rather than all."""

    def run() -> Placed:
        try:
            return job()
        except FAILURES as error:
            return placer.none_placed((f"{name}: {error}",))

    return run
