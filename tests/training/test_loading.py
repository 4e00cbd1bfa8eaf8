"""TensorFlow is loaded in a thread of its own; a run reports this and can be stopped."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import sys, threading, time
import numpy as np
from embedscope.samples import samples_from_array
from embedscope.training import TrainingRun, start_loading

start_loading()
start_loading()
run = TrainingRun(samples_from_array(np.random.default_rng(0).random((60, 8), np.float32)))
run.start()
assert run.status.message == "Loading TensorFlow.", run.status
assert "embedscope.core.fitting._trained_networks" not in sys.modules
began = time.perf_counter()
run.stop()
status = run.wait(60)
took = time.perf_counter() - began
assert status.phase.name == "STOPPED", status
is_loading = "embedscope.training._live_decoder" not in sys.modules
assert is_loading, "it was loaded by then: nothing is proved"
assert took < 2, took
again = TrainingRun(run.samples)
messages = []
is_loaded = threading.Event()

def note(status):
    if status.message != "Loading TensorFlow.":
        messages.append(status.message)
        is_loaded.set()

again.status_changed.connect(note)
again.start()
assert is_loaded.wait(250), again.status
assert messages[0].startswith("Finding"), messages
again.stop()
assert again.wait(60).phase.name == "STOPPED"
print("well")
"""


def test_a_run_says_that_it_loads_and_is_stopped_at_once():
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "well"


def test_the_end_of_the_process_in_the_middle_of_loading_is_no_crash():
    done = subprocess.run(
        [sys.executable, "-c", "from embedscope.training import start_loading; start_loading()"],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
