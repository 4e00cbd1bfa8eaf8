"""The widget in real kernels, whose versions call handlers on different threads."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from jupyter_client import BlockingKernelClient, KernelManager
from jupyter_client.kernelspec import KernelSpecManager

_INSTALLED = "installed"
_SETUP = """
import threading, time
import numpy as np
from embedscope import Explorer
from embedscope.jupyter_widget import ExplorerWidget
explorer = Explorer(np.random.default_rng(0).normal(size=(40, 3)).astype(np.float32))
explorer.place(np.stack([np.arange(40.0), np.zeros(40)], axis=1))
widget = ExplorerWidget(explorer)
"""
_BUSY = """
def move():
    for step in range(8):  # over two seconds, so that the rate of maps shows
        explorer.place(explorer.embedding.positions + np.float32(1))
        time.sleep(0.25)
mover = threading.Thread(target=move)
mover.start()
end = time.monotonic() + 3
while time.monotonic() < end:
    sum(range(1000))
mover.join()
"""
_SHOW_AND_CLOSE = """
import gc, weakref
from embedscope._notebook import _shown, show_in_notebook
def show_and_close():
    explorer = Explorer(np.random.default_rng(0).normal(size=(40, 3)))
    show_in_notebook(explorer)
    shown = _shown[explorer]()
    show_in_notebook(explorer)
    assert _shown[explorer]() is shown
    shown.close()
    return weakref.ref(explorer)
gone = [show_and_close() for _ in range(3)]
gc.collect()
"""


class Kernel:
    """A kernel with one widget; the test takes the place of the page."""

    def __init__(self, client: BlockingKernelClient) -> None:
        self.client = client
        self.heads: list[tuple[float, dict[str, Any], list[bytes]]] = []
        self.run(_SETUP)
        self.comm_id = self.value("widget.model_id")

    def run(self, code: str, expression: str | None = None) -> Any:
        """Run a cell; all messages that arrive meanwhile are stored, of any cell."""
        asked = {} if expression is None else {"value": f"__import__('json').dumps({expression})"}
        request = self.client.execute(code, user_expressions=asked)
        while not self._ends(message := self.client.get_iopub_msg(timeout=120), request):
            self._take(message)
        answer = self.client.get_shell_msg(timeout=60)
        while answer["parent_header"].get("msg_id") != request:
            answer = self.client.get_shell_msg(timeout=60)
        reply = answer["content"]
        assert reply["status"] == "ok", "\n".join(reply["traceback"])
        return reply["user_expressions"]

    def value(self, expression: str) -> Any:
        said = self.run("", expression)["value"]
        assert said["status"] == "ok", said
        return json.loads(said["data"]["text/plain"][1:-1])

    @staticmethod
    def _ends(message: dict[str, Any], request: str) -> bool:
        is_idle = message["content"].get("execution_state") == "idle"
        return is_idle and message["parent_header"].get("msg_id") == request

    def send(self, content: dict[str, Any], *buffers: bytes) -> None:
        data = {"comm_id": self.comm_id, "data": {"method": "custom", "content": content}}
        message = self.client.session.msg("comm_msg", data)
        self.client.session.send(
            self.client.shell_channel.socket, message, buffers=list(buffers) or None
        )

    def listen(self, kind: str, timeout_s: float = 20) -> tuple[dict[str, Any], list[bytes]]:
        """The next message of a kind."""
        end = time.monotonic() + timeout_s
        while time.monotonic() < end:
            for place, (_, head, buffers) in enumerate(self.heads):
                if head["t"] == kind:
                    del self.heads[: place + 1]
                    return head, buffers
            try:
                self._take(self.client.get_iopub_msg(timeout=0.5))
            except Exception as error:
                if type(error).__name__ != "Empty":
                    raise
        raise AssertionError(f"no {kind} within {timeout_s} s")

    def _take(self, message: dict[str, Any]) -> None:
        assert message["msg_type"] != "error", message["content"]
        data = message["content"].get("data", {})
        if message["msg_type"] == "comm_msg" and data.get("method") == "custom":
            buffers = [bytes(buffer) for buffer in message["buffers"]]
            self.heads.append((time.monotonic(), data["content"], buffers))


@pytest.fixture
def kernel(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Kernel]:
    manager = KernelManager(kernel_name=_kernel(request.param, tmp_path))
    manager.kernel_spec_manager = KernelSpecManager(
        kernel_dirs=[str(tmp_path), *KernelSpecManager().kernel_dirs]
    )
    manager.start_kernel(stderr=subprocess.DEVNULL)
    client = manager.blocking_client()
    client.start_channels()
    client.wait_for_ready(timeout=60)
    yield Kernel(client)
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def _kernel(version: str, folder: Path) -> str:
    """Name of a kernel of this version, which is installed into `folder`."""
    if version == _INSTALLED:
        return "python3"
    place = folder / "site"
    pip = [uv, "pip"] if (uv := shutil.which("uv")) else [sys.executable, "-m", "pip"]
    install = [*pip, "install", "--quiet", "--no-deps", "--target", str(place)]
    made = subprocess.run([*install, f"ipykernel=={version}"], capture_output=True, text=True)
    if made.returncode:
        pytest.skip(f"ipykernel {version} cannot be installed: {made.stderr[-200:]}")
    launch = (
        f"import sys; sys.path.insert(0, {str(place)!r}); "
        "from ipykernel.kernelapp import launch_new_instance; launch_new_instance()"
    )
    spec = {
        "argv": [sys.executable, "-c", launch, "-f", "{connection_file}"],
        "display_name": version,
        "language": "python",
    }
    (folder / "old").mkdir()
    (folder / "old" / "kernel.json").write_text(json.dumps(spec))
    return "old"


@pytest.mark.parametrize(
    "kernel",
    [
        _INSTALLED,
        pytest.param("6.30.1", marks=pytest.mark.long),
        pytest.param("7.0.1", marks=pytest.mark.long),
        pytest.param("7.1.0", marks=pytest.mark.long),
    ],
    indirect=True,
)
def test_a_page_is_served_idle_and_busy(kernel: Kernel):
    kernel.send({"t": "hello", "have": {}, "webgl": True})
    head, (xy,) = kernel.listen("emb")
    assert np.frombuffer(xy, "<f4").reshape(-1, 2)[:, 0].tolist() == list(range(40))
    kernel.send({"t": "ack", "rev": head["rev"], "ms": 1})
    # A selection is answered.
    bits = np.packbits(np.arange(40) % 10 == 3, bitorder="little").tobytes()
    kernel.send({"t": "select", "rev": 77, "origin": "map", "mode": "replace"}, bits)
    while (answer := kernel.listen("sel"))[0]["rev"] < 77:
        pass
    assert answer[1] == [bits]
    assert kernel.value("[one.label for one in widget.selection]") == [3, 13, 23, 33]
    # A malformed intent is answered.
    kernel.send({"t": "decode", "req": 5})
    assert kernel.listen("err")[0]["req"] == 5
    # Maps arrive while a cell runs, two seconds apart, since none is acknowledged.
    kernel.heads.clear()
    kernel.run(_BUSY)
    ended = time.monotonic()
    arrived = [when for when, head, _ in kernel.heads if head["t"] == "emb"]
    assert arrived
    assert arrived[0] < ended - 1  # of three seconds
    # A poll during the cell is answered after it at the latest.
    kernel.send({"t": "poll", "have": {}})
    assert kernel.listen("sync")[0]["revs"]["sel"] >= 77
    # A closed widget leaves no thread.
    kernel.run("widget.close()")
    names = "[t.name for t in threading.enumerate() if t.name.startswith('embedscope')]"
    assert kernel.value(names) == []


@pytest.mark.parametrize("kernel", [_INSTALLED], indirect=True)
def test_closed_widgets_reference_no_explorer(kernel: Kernel):
    """Neither the bundle nor the registry of shown explorers keeps them alive."""
    kernel.run(_SHOW_AND_CLOSE)
    assert kernel.value("[explorer() is None for explorer in gone]") == [True, True, True]
    assert kernel.value("widget.comm is not None") is True  # an open widget stays
