"""A page that shows the explorer without a kernel: the widget and a recording of its messages."""

from __future__ import annotations

import dataclasses
import html
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from embedscope.explorer import ColorBy, Explorer
from embedscope.explorer.coloring import color_samples
from embedscope.jupyter_widget._catalog import (
    Abilities,
    describe_form,
    describe_history,
    describe_samples,
    describe_status,
)
from embedscope.jupyter_widget.pictures._atlas import draw_atlas
from embedscope.jupyter_widget.pictures._images import PictureReader
from embedscope.jupyter_widget.protocol._intents import WantPicture
from embedscope.jupyter_widget.protocol._message_base import Message
from embedscope.jupyter_widget.protocol._messages import PROTOCOL
from embedscope.jupyter_widget.protocol._state import Traits
from embedscope.jupyter_widget.wire._encoding import (
    encode_colors,
    encode_gates,
    encode_losses,
    encode_novel,
    encode_positions,
    encode_reconstructions,
    encode_selection,
    encode_thumbnails,
)
from embedscope.jupyter_widget.wire._outbox import Buffers
from embedscope.jupyter_widget.wire._packing import pack_message
from embedscope.samples import Samples

STATIC = Path(__file__).parent / "static"
_SHEET = 256  # pictures in one message
_MOST_SNAPSHOTS = 24
_MOST_POSITIONS = 2**19  # in all snapshots together: 4 MB, and positions hardly compress
_MOST_COLORINGS = 40
_IMAGE_SIDE_PX = 1024
_MOST_LEVELS = 2**22  # pixels of one image, over its channels and time points

Recorded = tuple[Message, Buffers]

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>html {{ color-scheme: light dark; }}
body {{ margin: 1rem; font-family: system-ui, sans-serif; }}
{css}</style>
</head>
<body>
<main id="explorer"></main>
<noscript>This page draws the map by JavaScript, which is switched off.</noscript>
<script type="application/json" id="recording">{recording}</script>
<script type="application/json" id="bundle">{bundle}</script>
<script type="module">
const read = (id) => JSON.parse(document.getElementById(id).textContent);
const url = URL.createObjectURL(new Blob([read("bundle")], {{ type: "text/javascript" }}));
const {{ openRecording }} = await import(url);
openRecording(document.getElementById("explorer"), read("recording"));
</script>
</body>
</html>
"""


def write_page(
    path: Path, explorer: Explorer, *, title: str, height: int, most_thumbnails: int
) -> None:
    """Write a page that opens in any browser, without a kernel and without a network.

    Parameters
    ----------
    path : Path
    explorer : Explorer
    title : str
        Of the page.
    height : int
        Of the map, in pixels.
    most_thumbnails : int
        Number of samples whose pictures are included, evenly over the rows.
    """
    abilities = Abilities.of(explorer)
    kept = _snapshots(explorer)
    traits = Traits(
        protocol=PROTOCOL,
        status=describe_status(explorer.status),  # type: ignore[arg-type]
        catalog=describe_samples(
            explorer.samples,
            dataclasses.replace(abilities, epochs=tuple(epoch for _, epoch in kept)),
        ),  # type: ignore[arg-type]
        history=describe_history(explorer.history),  # type: ignore[arg-type]
        form=describe_form(),  # type: ignore[arg-type]
        parameters=explorer.parameters.to_dict(),
        height=height,
        is_static=True,
        selected={"count": len(explorer.selection), "revision": 0},
    )
    recorded = [*_state(explorer), *_replay(explorer, kept), *_pictures(explorer, most_thumbnails)]
    recording = {
        "traits": dataclasses.asdict(traits),
        "messages": [pack_message(head, buffers) for head, buffers in recorded],
    }
    page = _PAGE.format(
        title=html.escape(title),
        css=(STATIC / "widget.css").read_text(encoding="utf-8"),
        recording=_in_script(recording),
        bundle=_in_script((STATIC / "widget.js").read_text(encoding="utf-8")),
    )
    path.write_text(page, encoding="utf-8")


def _in_script(value: Any) -> str:
    """JSON without `<`: an HTML parser could take ``</script`` for the end of the script."""
    return json.dumps(value, allow_nan=False).replace("<", "\\u003c")


def _state(explorer: Explorer) -> Iterator[Recorded]:
    """The present state; the page shows the first message of each kind when it opens."""
    n_samples = len(explorer.embedding.positions)
    yield encode_positions(explorer.embedding, -1, 1)
    yield encode_colors(explorer.coloring, explorer.color_by, 1)
    yield encode_novel(explorer.novel, 1)
    yield from _other_colors(explorer)
    if explorer.losses:
        yield encode_losses(explorer.losses, 1, 0, 1)
    yield encode_selection(explorer.selection, n_samples, 1)
    yield encode_gates(explorer.gates, explorer.gate_counts(), n_samples, 1), ()


def _other_colors(explorer: Explorer) -> Iterator[Recorded]:
    samples = explorer.samples
    if samples is None:
        return
    names = [str(name) for name in samples.features.columns][:_MOST_COLORINGS]
    others = [ColorBy(), *(ColorBy("feature", name) for name in names)]
    shown = explorer.color_by
    for color_by in others:
        if (color_by.kind, color_by.name) != (shown.kind, shown.name):
            yield encode_colors(color_samples(color_by, samples), color_by, 1)
        elif shown.hidden:  # so that hidden classes can be shown again
            whole = dataclasses.replace(shown, hidden=frozenset())
            yield encode_colors(color_samples(whole, samples), whole, 1)


def _snapshots(explorer: Explorer) -> list[tuple[int, int]]:
    """Number and epoch of the snapshots to include, evenly over all."""
    epochs = () if explorer.replay is None else explorer.replay.epochs
    affordable = _MOST_POSITIONS // max(1, len(explorer.embedding.positions))
    count = min(len(epochs), _MOST_SNAPSHOTS, max(2, affordable))
    chosen = np.unique(np.linspace(0, len(epochs) - 1, count).astype(int))
    return [(int(number), epochs[number]) for number in chosen]


def _replay(explorer: Explorer, kept: list[tuple[int, int]]) -> Iterator[Recorded]:
    replay = explorer.replay
    if replay is None or not kept:
        return
    for place, (number, epoch) in enumerate(kept):
        embedding = dataclasses.replace(
            explorer.embedding, positions=replay.positions(number), epoch=epoch
        )
        yield encode_positions(embedding, place, 1)


def _pictures(explorer: Explorer, most_thumbnails: int) -> Iterator[Recorded]:
    samples = explorer.samples
    if samples is None:
        return
    count = min(len(samples), most_thumbnails)
    rows = np.unique(np.linspace(0, len(samples) - 1, count).astype(int)).tolist()
    for start in range(0, len(rows), _SHEET):
        yield encode_thumbnails(samples, rows[start : start + _SHEET], explorer.color_by)
    if explorer.sample_reconstructions:
        yield encode_reconstructions(explorer.sample_reconstructions, samples, 0)
    yield from _planes(samples)
    if explorer.model is not None:
        atlas = draw_atlas(explorer)
        if atlas is not None:
            yield atlas[0](rev=1), atlas[1]


def _planes(samples: Samples) -> Iterator[Recorded]:
    """The middle plane of each image at some or all time points; many channels make it smaller."""
    reader = PictureReader(samples)
    for image in describe_samples(samples, Abilities())["images"]:
        width, height = image["width"], image["height"]
        n_channels = max(1, len(image["channels"]))
        affordable = math.sqrt(width * height * n_channels / _MOST_LEVELS)
        scale = max(1.0, max(width, height) / _IMAGE_SIDE_PX, affordable)
        w, h = max(1, round(width / scale)), max(1, round(height / scale))
        n_times = int(np.clip(_MOST_LEVELS // (w * h * n_channels), 1, image["n_t"]))
        for t_index in range(n_times):
            yield reader.read(
                WantPicture(
                    req=0,
                    source=image["name"],
                    t_index=t_index,
                    z_index=image["n_z"] // 2,
                    x0=0,
                    y0=0,
                    x1=width,
                    y1=height,
                    w=w,
                    h=h,
                )
            )
