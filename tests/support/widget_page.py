"""The bundle of the widget on a page with a fake kernel, with real mouse and keyboard events."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from browser_mouse import MouseOnMap

ROOT = Path(__file__).resolve().parents[2]
STATIC = ROOT / "src" / "embedscope" / "jupyter_widget" / "static"
BUNDLE = ROOT / "tests" / "jupyter_widget" / "bundle"
HOST = "http://widget.test"
_TYPES = {".html": "text/html", ".js": "text/javascript", ".css": "text/css"}
_CHROMIUM = Path("/usr/bin/chromium")
_PATIENCE_MS = 10_000
_OF_THE_TESTS = ("GPU stall", "willReadFrequently")  # reading pixels back makes Chromium warn
_SOFTWARE_GL = ["--no-sandbox", "--use-angle=swiftshader-webgl", "--enable-unsafe-swiftshader"]


@contextmanager
def open_browser(*flags: str) -> Iterator[Any]:
    """Headless Chromium with WebGL in software; skips where there is none."""
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as running:
        path = str(_CHROMIUM) if _CHROMIUM.exists() else None
        if path is None and not Path(running.chromium.executable_path).exists():
            pytest.skip("Chromium is not installed")
        browser = running.chromium.launch(executable_path=path, args=[*_SOFTWARE_GL, *flags])
        yield browser
        browser.close()


class WidgetPage(MouseOnMap):
    """A page; errors of its console and its requests to other hosts are recorded."""

    def __init__(self, browser: Any, query: str = "", width: int = 1200) -> None:
        super().__init__(browser.new_page(viewport={"width": width, "height": 1000}))
        self.page.set_default_timeout(_PATIENCE_MS)
        self.complaints: list[str] = []
        self.strangers: list[str] = []
        self.page.on("console", self._note)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.route("**/*", self._serve)
        if "clock" in query:
            self.page.clock.install()  # time runs as before, and can be moved forward
        self.page.goto(f"{HOST}/page.html?{query}")
        self.page.wait_for_selector(".es-map[data-camera]")

    def _note(self, message: Any) -> None:
        is_own = any(known in message.text for known in _OF_THE_TESTS)
        if message.type in ("error", "warning") and not is_own:
            self.complaints.append(message.text)

    def _serve(self, route: Any) -> None:
        url = route.request.url.split("?")[0]
        if not url.startswith(HOST):
            self.strangers.append(url)
            route.abort()
            return
        folder, name = (STATIC if "/static/" in url else BUNDLE), url.rsplit("/", 1)[-1]
        path = folder / name
        if path.exists():
            route.fulfill(body=path.read_bytes(), content_type=_TYPES[path.suffix])
        else:
            route.fulfill(status=204)  # the browser asks for an icon

    def settle(self, milliseconds: float) -> None:
        """Wait, then until the browser has drawn the changes: a busy machine draws late."""
        self.page.wait_for_timeout(milliseconds)
        self.page.evaluate(
            "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
        )

    # Actions of the user

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).first.click()

    def choose(self, label: str, option: str) -> None:
        self.page.get_by_label(label, exact=True).first.select_option(option)

    # State of the page

    def kernel(self, expression: str) -> Any:
        """The value of an expression of the fake kernel ``k``."""
        return self.page.evaluate(f"() => {{ const k = test.kernel; return {expression}; }}")

    def wait_for(self, expression: str) -> None:
        """Until an expression of the fake kernel ``k`` is true."""
        self.page.wait_for_function(f"() => {{ const k = test.kernel; return {expression}; }}")

    def text(self, selector: str) -> str:
        return self.page.locator(selector).first.inner_text()

    def close(self) -> None:
        self.page.close()
