"""The view contract, for a page that knows only what messages and traits tell it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from fake_page import PageAndView
from view_contract import Shown, ViewContract


class TestWidget(ViewContract):
    @pytest.fixture(autouse=True)
    def _views(self) -> Iterator[None]:
        self.views: list[PageAndView] = []
        yield
        for view in self.views:
            view.close()

    def make_view(self) -> Any:
        self.views.append(PageAndView())
        return self.views[-1]

    def settle(self, view: Any) -> None:
        view.settle()

    def read(self, view: Any) -> Shown:
        page = view.page
        return Shown(
            n_points=len(page.positions),
            selected=np.flatnonzero(page.mask).tolist(),
            hovered=None if page.hovered < 0 else page.hovered,
            gates=dict(page.gates),
            parameters=page.traits.get("parameters", {}),
            phase=page.traits.get("status", {}).get("phase", ""),
            positions=page.positions,
            loss_names=list(page.losses),
            error=page.errors[-1]["message"] if page.errors else "",
            novel=page.novel.tolist(),
        )

    def lasso(self, view: Any, polygon: np.ndarray, mode: str) -> None:
        view.page.lasso(polygon, mode)
