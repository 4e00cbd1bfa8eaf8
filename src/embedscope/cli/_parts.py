"""An output that is made in parts: a run that was killed goes on after the last whole part.

The parts lie in a folder beside the output, named after it, until all are there. Then they are
joined, and the output appears under its own name at one instant.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import filelock
import numpy as np

from embedscope._errors import InvalidInputError
from embedscope.core.storage import replace_file
from embedscope.samples.reading import needed

if TYPE_CHECKING:
    from embedscope.cli._placing import Placed

KINDS = (".npy", ".csv", ".parquet")
_STATE, _LOCK = "state.json", "lock"


class Parts:
    """The parts of one output.

    Parameters
    ----------
    out : Path
        The output, which ends in one of `KINDS`.
    state : dict
        What the parts belong to: model, input and options. Parts of another state are refused.
    """

    def __init__(self, out: Path, state: dict[str, Any]) -> None:
        self._out, self._state = out, state
        self._is_joined = False
        self.folder = out.with_name(f"{out.name}.parts")

    @contextmanager
    def opened(self) -> Iterator[None]:
        """Make the folder, or take over what an earlier run left in it.

        Raises
        ------
        InvalidInputError
            If the parts there belong to something else, or another process makes them now.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        lock = filelock.FileLock(self.folder / _LOCK)
        try:
            lock.acquire(timeout=0)
        except filelock.Timeout as error:
            raise InvalidInputError(
                f"out must be written by one process at a time; got {str(self._out)!r}, which "
                "another one is making. Wait for it, or give another name."
            ) from error
        try:
            self._check_state()
            yield
        finally:
            # Without a first part there is nothing to go on with.
            is_over = self._is_joined or self.reasons(0) is None
            lock.release()
            if is_over:  # after the lock: Windows removes no file that is open
                shutil.rmtree(self.folder)

    def _check_state(self) -> None:
        file = self.folder / _STATE
        if not file.exists():
            with replace_file(file) as written:
                written.write_text(json.dumps(self._state, indent=1), encoding="utf-8")
        elif json.loads(file.read_text(encoding="utf-8")) != self._state:
            raise InvalidInputError(
                f"out must go on with the same model, input and options; got {str(self._out)!r}, "
                f"whose parts in {str(self.folder)!r} are of others. Delete that folder to begin "
                "anew."
            )

    def reasons(self, number: int) -> tuple[str, ...] | None:
        """What a part leaves out, each with the reason; None if the part is not there yet."""
        note = self._file(number).with_suffix(".json")
        if not (self._file(number).exists() and note.exists()):
            return None
        return tuple(json.loads(note.read_text(encoding="utf-8"))["left_out"])

    def write(self, number: int, placed: Placed) -> None:
        """Write a part whole, or not at all."""
        file = self._file(number)
        with replace_file(file.with_suffix(".json")) as note:
            note.write_text(json.dumps({"left_out": placed.left_out}), encoding="utf-8")
        with replace_file(file) as written:
            if file.suffix == ".npy":
                np.save(written, placed.positions)
            elif file.suffix == ".csv":
                placed.to_frame().to_csv(written, index=False)
            else:
                placed.to_frame().to_parquet(written, index=False)

    def join(self, n_parts: int) -> None:
        """Join the parts to the output; they are removed when `opened` ends."""
        files = [self._file(number) for number in range(n_parts)]
        with replace_file(self._out) as written:
            _JOIN[self._out.suffix.lower()](files, written)
        self._is_joined = True

    def _file(self, number: int) -> Path:
        return self.folder / f"{number:06d}{self._out.suffix.lower()}"


def check_out(out: Path, *, overwrite: bool) -> None:
    """Raise unless an output may be written.

    Raises
    ------
    InvalidInputError
        If its name ends in no known kind, or it is there already.
    MissingDependencyError
        If its kind needs a package that is not installed.
    """
    if out.suffix.lower() not in KINDS:
        raise InvalidInputError(
            f"out must end in one of {', '.join(KINDS)}; got {str(out)!r}. Choose one."
        )
    if out.suffix.lower() == ".parquet":
        needed("pyarrow", "export")
    if out.exists() and not overwrite:
        raise InvalidInputError(
            f"out must not exist; got {str(out)!r}. Give another name, or --overwrite."
        )


def fingerprint(paths: Sequence[Path]) -> list[list[Any]]:
    """Path, size and time of change of each file, to tell another input from the same one."""
    told = []
    for path in paths:
        inner = sorted(path.glob("*.json")) if path.is_dir() else []
        for file in inner or [path]:
            status = os.stat(file)
            told.append([str(file.resolve()), status.st_size, status.st_mtime_ns])
    return told


def _join_arrays(files: list[Path], written: Path) -> None:
    parts = [np.load(file, mmap_mode="r") for file in files]
    shape = (sum(map(len, parts)), parts[0].shape[1])
    joined = np.lib.format.open_memmap(written, mode="w+", dtype=np.float32, shape=shape)
    start = 0
    for part in parts:
        joined[start : start + len(part)] = part
        start += len(part)
    joined.flush()


def _join_texts(files: list[Path], written: Path) -> None:
    with written.open("wb") as joined:
        for number, file in enumerate(files):
            with file.open("rb") as part:
                if number:
                    part.readline()  # the names of the columns
                shutil.copyfileobj(part, joined)


def _join_parquet(files: list[Path], written: Path) -> None:
    pq = needed("pyarrow.parquet", "export")
    schema = pq.read_schema(files[0])
    with pq.ParquetWriter(written, schema) as joined:
        for file in files:
            joined.write_table(pq.read_table(file, schema=schema))


_JOIN = {".npy": _join_arrays, ".csv": _join_texts, ".parquet": _join_parquet}
