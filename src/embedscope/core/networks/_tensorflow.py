"""Import TensorFlow and Keras once, without their start messages; other modules import them here.

In every process TensorFlow writes start messages to file descriptor 2 (oneDNN, CUDA, processor
features), some of them for any ``TF_CPP_MIN_LOG_LEVEL``. So descriptor 2 is redirected while
TensorFlow is imported and finds its devices, and everything except these messages is written
afterwards. TensorFlow keeps the log level that it reads then; the environment variable is restored.

TensorFlow contains LLVM, and so does Mesa's OpenGL (software rendering, AMD cards). If Mesa is
loaded first, as in napari, TensorFlow would be bound to Mesa's symbols and crash the process. So
its libraries are loaded such that they prefer their own symbols (``RTLD_DEEPBIND``).

A process that is forked after the import has TensorFlow without its threads, and would wait for
them for ever. So `check_process` is called before a network runs.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec

from embedscope._errors import ForkedError, MissingDependencyError

__all__ = ["check_process", "keras", "tf"]

_LOG_LEVEL = "TF_CPP_MIN_LOG_LEVEL"
_SILENT = "3"  # real errors are raised as exceptions; what TensorFlow logs as errors often is none
_START_MESSAGE = re.compile(
    rb"WARNING: All log messages before absl::InitializeLog\(\)"
    rb"|[IWE]\d{4} [\d:.]+ +\d+ \S+:\d+\]"  # absl's log lines
    rb"|\d{4}-\d\d-\d\d [\d:.]+: [IWE] (tensorflow|external)/"  # TensorFlow's own
    rb"|To enable the following instructions:"
)


@contextmanager
def _without_start_messages() -> Iterator[None]:
    """Redirect file descriptor 2; write to it at the end all but TensorFlow's start messages."""
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
            _write_to_stderr([line for line in held if not _START_MESSAGE.match(line)])


def _write_to_stderr(lines: list[bytes]) -> None:
    rest = b"".join(lines)
    while rest:
        rest = rest[os.write(2, rest) :]


@contextmanager
def _silent_log() -> Iterator[None]:
    """Set the log level during the import, unless the user has set one."""
    given = os.environ.get(_LOG_LEVEL)
    os.environ.setdefault(_LOG_LEVEL, _SILENT)
    try:
        yield
    finally:
        if given is None:
            del os.environ[_LOG_LEVEL]


@contextmanager
def _own_symbols_first() -> Iterator[None]:
    """Let libraries that are loaded meanwhile prefer their own symbols, if the system can do so."""
    deep = getattr(os, "RTLD_DEEPBIND", 0)  # Linux only
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
    """Raise if TensorFlow would wait for ever in this process.

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


def _require_installed() -> None:
    try:
        is_installed = find_spec("tensorflow") is not None and find_spec("keras") is not None
    except ImportError:
        is_installed = False
    if not is_installed:
        raise MissingDependencyError(
            "networks must run on TensorFlow and Keras, which are not installed. Run: pip install "
            "tensorflow"
        )


def _require_tensorflow(backend: str) -> None:
    if backend != "tensorflow":
        raise MissingDependencyError(
            f"Keras must run on TensorFlow; got the backend {backend!r}. Set "
            "KERAS_BACKEND=tensorflow in the environment before Keras is imported."
        )


if "keras" not in sys.modules:  # importing Keras to ask it would import its backend
    _require_tensorflow(os.environ.get("KERAS_BACKEND") or "tensorflow")

if "tensorflow" not in sys.modules:
    _require_installed()

with _without_start_messages(), _silent_log(), _own_symbols_first():
    import keras
    import tensorflow as tf

    tf.config.list_logical_devices()  # makes the devices, which writes more start messages

_LOADED_BY = os.getpid()

_require_tensorflow(keras.config.backend())
