"""TensorFlow and Keras, imported once and in silence: the other modules take both from here.

TensorFlow greets every process with lines on file descriptor 2 (oneDNN, CUDA, processor features),
some of them whatever ``TF_CPP_MIN_LOG_LEVEL`` says. So descriptor 2 is held back while TensorFlow
is imported and finds its devices, and all that is not such a greeting is written afterwards. The
log level that TensorFlow reads then stays; the environment variable goes back to what it was.

TensorFlow brings its own LLVM, and so does the OpenGL of Mesa (software rendering, AMD cards).
Where the other one is there first, as in napari, TensorFlow would be bound to its symbols and crash
the process. So its libraries are told to look into themselves first (``RTLD_DEEPBIND``).

A process that is forked later has TensorFlow, but not its threads: what it runs there waits for
them for ever. So whatever is about to run asks first (`check_process`).
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from embedscope._errors import ForkedError, MissingDependencyError

__all__ = ["check_process", "keras", "tf"]

_LOG_LEVEL = "TF_CPP_MIN_LOG_LEVEL"
_SILENT = "3"  # real errors are raised, and what TensorFlow logs as errors is often none
_GREETING = re.compile(
    rb"WARNING: All log messages before absl::InitializeLog\(\)"
    rb"|[IWE]\d{4} [\d:.]+ +\d+ \S+:\d+\]"  # absl's log lines
    rb"|\d{4}-\d\d-\d\d [\d:.]+: [IWE] (tensorflow|external)/"  # TensorFlow's own
    rb"|To enable the following instructions:"
)


@contextmanager
def _without_greetings() -> Iterator[None]:
    """Hold file descriptor 2 back, and write to it at the end what is no greeting."""
    try:
        stderr = os.dup(2)
    except OSError:  # a process without a standard error, such as a window application
        yield
        return
    if sys.stderr is not None:
        sys.stderr.flush()
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        finally:
            if sys.stderr is not None:
                sys.stderr.flush()
            os.dup2(stderr, 2)
            os.close(stderr)
            held.seek(0)
            _write_to_stderr([line for line in held if not _GREETING.match(line)])


def _write_to_stderr(lines: list[bytes]) -> None:
    rest = b"".join(lines)
    while rest:
        rest = rest[os.write(2, rest) :]


@contextmanager
def _silent_log() -> Iterator[None]:
    """The log level for the time of the import, unless the user has set one."""
    given = os.environ.get(_LOG_LEVEL)
    os.environ.setdefault(_LOG_LEVEL, _SILENT)
    try:
        yield
    finally:
        if given is None:
            del os.environ[_LOG_LEVEL]


@contextmanager
def _own_symbols_first() -> Iterator[None]:
    """Libraries that are loaded meanwhile prefer their own symbols, where the system knows how."""
    deep = getattr(os, "RTLD_DEEPBIND", 0)  # of Linux alone
    if not deep:
        yield
        return
    flags = sys.getdlopenflags()
    sys.setdlopenflags(flags | deep)
    try:
        yield
    finally:
        sys.setdlopenflags(flags)


def check_process() -> None:
    """Raise where TensorFlow would wait for ever.

    Raises
    ------
    ForkedError
        If this process was forked from the one that loaded TensorFlow.
    """
    if os.getpid() != _LOADED_BY:
        raise ForkedError(
            "A process must load TensorFlow itself to run a network; got one that was forked from "
            "a process that had loaded it. Start processes by multiprocessing.get_context('spawn') "
            "or joblib's backend 'loky', its default."
        )


def _require_tensorflow(backend: str) -> None:
    if backend != "tensorflow":
        raise MissingDependencyError(
            f"Keras must run on TensorFlow; got the backend {backend!r}. Set "
            "KERAS_BACKEND=tensorflow in the environment before Keras is imported."
        )


if "keras" not in sys.modules:  # to ask Keras itself would import what it is told to run on
    _require_tensorflow(os.environ.get("KERAS_BACKEND") or "tensorflow")

with _without_greetings(), _silent_log(), _own_symbols_first():
    import keras
    import tensorflow as tf

    tf.config.list_logical_devices()  # makes the devices, which has a greeting of its own

_LOADED_BY = os.getpid()

_require_tensorflow(keras.config.backend())
