"""A real JupyterLab, a notebook in it, and a client of the notebook's kernel."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import nbformat
import pytest
from browser_mouse import MouseOnMap

_START_S = 60
_SETTINGS = {
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    # Cells out of view stay in the page, where the tests find them.
    "notebook-extension/tracker": {"windowingMode": "none"},
}
_ANSWER_S = 240  # a cell may be waiting for a training run


@contextmanager
def open_lab(folder: Path, kernels: Path | None = None) -> Iterator[str]:
    """Start a JupyterLab for a folder; gives its address.

    The settings of the user are neither read nor written, and the system chooses the port.
    """
    pytest.importorskip("jupyterlab")
    own = folder / ".jupyter"
    places = {
        "JUPYTER_CONFIG_DIR": own / "config",
        "JUPYTER_RUNTIME_DIR": own / "runtime",
        "JUPYTERLAB_SETTINGS_DIR": own / "settings",
        "JUPYTERLAB_WORKSPACES_DIR": own / "workspaces",
        "IPYTHONDIR": own / "ipython",
    }
    if kernels is not None:
        places["JUPYTER_PATH"] = kernels
    for place in places.values():
        place.mkdir(parents=True, exist_ok=True)
    _write_settings(places["JUPYTERLAB_SETTINGS_DIR"])
    options = [
        "--no-browser",
        "--allow-root",
        "--ip=127.0.0.1",
        "--port=0",
        "--IdentityProvider.token=",
        "--ServerApp.disable_check_xsrf=True",
        f"--ServerApp.root_dir={folder}",
    ]
    environment = os.environ | {name: str(place) for name, place in places.items()}
    with (folder / "lab.log").open("w") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", *options],
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            yield _address(server, places["JUPYTER_RUNTIME_DIR"])
        finally:
            server.terminate()
            try:
                server.wait(20)
            except subprocess.TimeoutExpired:
                server.kill()


def _write_settings(settings: Path) -> None:
    for plugin, values in _SETTINGS.items():
        written = settings / "@jupyterlab" / f"{plugin}.jupyterlab-settings"
        written.parent.mkdir(parents=True)
        written.write_text(json.dumps(values))


def _address(server: subprocess.Popen[bytes], runtime: Path) -> str:
    end = time.monotonic() + _START_S
    while time.monotonic() < end and server.poll() is None:
        for written in runtime.glob("jpserver-*.json"):
            said = written.read_text()
            if said and json.loads(said)["port"]:
                return f"http://127.0.0.1:{json.loads(said)['port']}"
        with suppress(subprocess.TimeoutExpired):  # until the file is written, or the server ends
            server.wait(0.1)
    raise AssertionError("JupyterLab did not start")


def write_notebook(path: Path, cells: Sequence[str], kernel: str = "python3") -> None:
    """A notebook of code cells."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    notebook.metadata["kernelspec"] = {"name": kernel, "display_name": kernel, "language": "python"}
    nbformat.write(notebook, path)


class LabNotebook(MouseOnMap):
    """A notebook that is open in a browser.

    `complaints` has the errors of the browser's console.
    """

    def __init__(self, browser: Any, address: str, name: str, folder: Path) -> None:
        self.address = address
        self.name = name
        self.folder = folder
        self.complaints: list[str] = []
        super().__init__(browser.new_page(viewport={"width": 1500, "height": 1100}))
        self.page.set_default_timeout(60_000)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", self._note)
        self.page.goto(f"{address}/lab/workspaces/{name.split('.')[0]}/tree/{name}")
        self.page.wait_for_selector(".jp-Notebook .jp-CodeCell")
        self.wait_for_kernel()
        self._client: Any = None

    def _note(self, message: Any) -> None:
        if message.type == "error":
            self.complaints.append(message.text)

    def run_cells(self, first: int = 0, last: int | None = None) -> None:
        """Run the code cells from number `first` to before `last`, by the keyboard."""
        cells = self.page.locator(".jp-Notebook .jp-CodeCell")
        for number in range(first, cells.count() if last is None else last):
            self._run_cell(cells.nth(number))

    def _run_cell(self, cell: Any) -> None:
        """Press the keys until the cell runs: JupyterLab drops keys that are too early."""
        for _ in range(5):
            cell.locator(".cm-content").click()
            self.page.keyboard.press("Shift+Enter")
            for _ in range(20):
                if cell.locator(".jp-InputArea-prompt").inner_text().strip() != "[ ]:":
                    return
                self.page.wait_for_timeout(100)
        raise AssertionError("the cell does not run")

    def wait_for_widget(self) -> None:
        """Until the first widget is shown and in view."""
        wrong = self.page.locator("[data-mime-type$=stderr]").get_by_text("Traceback").first
        self.page.locator(".es-map").first.or_(wrong).wait_for()
        if wrong.count():
            raise AssertionError(wrong.inner_text())
        self.page.locator(".es-map").first.scroll_into_view_if_needed()
        self.page.wait_for_selector(".es-map[data-camera]")  # drawn once it is in view

    def wait_for_map(self) -> None:
        """Until the whole map of the kernel is shown: its last positions may arrive late."""
        expression = (
            "[(float(axis[axis == axis].min()) + float(axis[axis == axis].max())) / 2"
            " for axis in explorer.embedding.positions.T]"
        )
        self.page.locator(".es-map").first.scroll_into_view_if_needed()
        end = time.monotonic() + 60
        while self.camera()[:2] != pytest.approx(self.ask(expression), rel=1e-4, abs=1e-3):
            if time.monotonic() > end:
                raise AssertionError(f"the page shows another map, around {self.camera()[:2]}")
            self.page.wait_for_timeout(100)

    def choose(self, menu: str, command: str) -> None:
        """Choose a command of JupyterLab's menu, and accept its dialog."""
        self.page.get_by_role("menuitem", name=menu, exact=True).click()
        self.page.locator(".lm-Menu-item").get_by_text(command, exact=True).click()
        if command.endswith("…"):
            self.page.locator(".jp-Dialog .jp-mod-accept").click()

    def restart_kernel(self) -> None:
        """Restart the kernel by the menu, and connect to the new one at the next question."""
        self._drop_client()
        self.choose("Kernel", "Restart Kernel…")

    def use_dark_theme(self) -> None:
        self.page.get_by_role("menuitem", name="Settings", exact=True).click()
        self.page.locator(".lm-Menu-item").get_by_text("Theme", exact=True).hover()
        self.page.locator(".lm-Menu-item").get_by_text("JupyterLab Dark", exact=True).click()
        self.page.wait_for_timeout(1500)

    def select_cell(self, number: int) -> None:
        """Select a cell, for commands of the menu."""
        self.page.locator(".jp-Notebook .jp-CodeCell .jp-InputPrompt").nth(number).click()

    def wait_for_kernel(self) -> None:
        """Until the kernel is idle: a cell that runs earlier opens a dialog."""
        self.page.get_by_text("| Idle").wait_for()

    def ask(self, expression: str) -> Any:
        """The value of an expression in the kernel, which must be a literal."""
        # Only the reply is waited for: a client that has just connected may miss what the kernel
        # publishes.
        try:
            reply = self.client.execute(
                "",
                silent=True,
                user_expressions={"value": expression},
                reply=True,
                timeout=_ANSWER_S,
            )
        except TimeoutError as error:
            log = (self.folder / "lab.log").read_text()[-2000:]
            raise AssertionError(
                f"no answer to {expression} from {self._kernel()}\n{log}"
            ) from error
        value = reply["content"]["user_expressions"]["value"]
        if value["status"] != "ok":
            raise AssertionError("\n".join(value["traceback"]))
        return ast.literal_eval(value["data"]["text/plain"])

    def wait_until(self, expression: str, timeout_s: float = 120) -> None:
        """Until an expression is true in the kernel."""
        end = time.monotonic() + timeout_s
        while not self.ask(f"bool({expression})"):
            if time.monotonic() > end:
                raise AssertionError(f"not within {timeout_s} s: {expression}")
            self.page.wait_for_timeout(100)  # handles events of the page meanwhile

    @property
    def client(self) -> Any:
        """A second client of the notebook's kernel."""
        if self._client is None:
            from jupyter_client import BlockingKernelClient

            connection = (
                self.folder / ".jupyter" / "runtime" / f"kernel-{self._kernel()['id']}.json"
            )
            self._client = BlockingKernelClient(connection_file=str(connection))
            self._client.load_connection_file()
            self._client.start_channels()
        return self._client

    def _kernel(self) -> dict[str, Any]:
        """What the server knows of the kernel: its id, and whether it is idle or busy."""
        with urlopen(f"{self.address}/api/sessions") as answer:
            sessions = json.load(answer)
        return next(each["kernel"] for each in sessions if each["path"] == self.name)

    def _drop_client(self) -> None:
        if self._client is not None:
            self._client.stop_channels()
        self._client = None

    def close(self) -> None:
        """Close the page; the kernel ends with JupyterLab."""
        self._drop_client()
        self.page.close()
