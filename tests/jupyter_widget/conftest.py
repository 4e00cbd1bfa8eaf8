"""Pages with the committed bundle and a fake kernel; each module has its own browser."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from widget_page import WidgetPage, open_browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with open_browser() as browser:
        yield browser


@pytest.fixture
def open_page(browser: Any) -> Iterator[Callable[..., WidgetPage]]:
    """Opens pages; at the end none may have logged an error or called another host."""
    pages: list[WidgetPage] = []

    def open_page(query: str = "", **size: int) -> WidgetPage:
        pages.append(WidgetPage(browser, query, **size))
        return pages[-1]

    yield open_page
    for page in pages:
        complaints, strangers = page.complaints, page.strangers
        page.close()
        assert complaints == []
        assert strangers == []
