"""From the explorer's values to messages with their buffers."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from embedscope._wording import counted
from embedscope.explorer import (
    ColorBy,
    Coloring,
    Embedding,
    Explained,
    Explanation,
    GateSet,
    Reconstruction,
    SampleReconstruction,
    Selection,
    describe_row,
    name_of,
    names_of_rows,
)
from embedscope.jupyter_widget.protocol._decoder_messages import (
    Decoded,
    DecodedPath,
    Reconstructed,
    ReconstructionItem,
)
from embedscope.jupyter_widget.protocol._messages import (
    Colors,
    ExplainedMessage,
    GateItem,
    Gates,
    LegendItem,
    Losses,
    Novel,
    Positions,
    RankItem,
    Selected,
    Thumbnails,
)
from embedscope.jupyter_widget.wire._outbox import Buffers
from embedscope.samples import SampleId, Samples

if TYPE_CHECKING:
    import pandas as pd

THUMBNAIL_PX = 64  # the longer side of larger pictures
MOST_LINES = 3  # of the hover text, as in the napari dock


def encode_positions(
    embedding: Embedding, snapshot: int, revision: int
) -> tuple[Positions, Buffers]:
    """The map; `snapshot` is -1 for the present."""
    xy = np.ascontiguousarray(embedding.positions, dtype="<f4")
    return Positions(revision, embedding.epoch, len(xy), snapshot), (_bytes(xy),)


def encode_colors(
    coloring: Coloring, color_by: ColorBy, revision: int, request: int = 0
) -> tuple[Colors, Buffers]:
    """The colours, and the feature that they show; they include the requests up to this one."""
    legend = [LegendItem(e.label, e.color, e.count, e.visible) for e in coloring.legend]
    limits = None if coloring.limits is None else [float(limit) for limit in coloring.limits]
    head = Colors(
        rev=revision,
        req=request,
        title=coloring.title,
        by=color_by.kind,
        name=color_by.name,
        limits=limits,
        has_own_limits=color_by.limits is not None,
        colormap=coloring.colormap,
        palette=color_by.palette,
        palettes=list(coloring.palettes),
        note=coloring.note,
        legend=legend,
    )
    return head, (_bytes(coloring.levels), _bytes(coloring.palette))


def encode_losses(
    losses: Mapping[str, Sequence[float]], run: int, start: int, revision: int
) -> tuple[Losses, Buffers]:
    """Rows of the history from `start` on: the epoch, counted from 1, and each loss."""
    columns = list(losses.values())
    length = max((len(column) for column in columns), default=0)
    rows = np.full((max(0, length - start), 1 + len(columns)), np.nan, dtype="<f4")
    rows[:, 0] = np.arange(start + 1, start + 1 + len(rows))
    for number, column in enumerate(columns, start=1):
        rows[: len(column) - start, number] = column[start:]
    explained = Explained.of_losses(losses)
    said = "" if explained is None else explained.text
    return Losses(revision, run, start, list(losses), said), (_bytes(rows),)


def encode_selection(
    selection: Selection, n_samples: int, revision: int
) -> tuple[Selected, Buffers]:
    """The selection as bits, least significant first."""
    bits = np.packbits(selection.mask(n_samples), bitorder="little")
    return Selected(revision, selection.origin, len(selection), n_samples), (_bytes(bits),)


def encode_novel(novel: npt.NDArray[np.bool_], revision: int) -> tuple[Novel, Buffers]:
    """The rows of the samples that are unlike the training samples."""
    return Novel(revision), (_bytes(np.flatnonzero(novel).astype("<u4")),)


def encode_gates(gates: GateSet, counts: pd.DataFrame, n_samples: int, revision: int) -> Gates:
    """The gates, with their counts over all sources and frames."""
    total = counts.groupby("gate")["count"].sum().to_dict()
    items = []
    for gate in gates:
        count = int(total.get(gate.name, 0))
        items.append(
            GateItem(
                name=gate.name,
                color=gate.color,
                polygon=None if gate.polygon is None else gate.polygon.tolist(),
                operation=gate.operation,
                members=list(gate.members),
                count=count,
                share=count / n_samples if n_samples else 0.0,
            )
        )
    return Gates(revision, items)


def encode_reconstruction(
    drawn: Reconstruction, samples: Samples, request: int
) -> tuple[Decoded, Buffers]:
    """The decoded sample at one point."""
    picture, spread = drawn.picture, drawn.spread_picture
    height, width = (0, 0) if picture is None else picture.shape[:2]
    head = Decoded(
        req=request,
        x=float(drawn.point[0]),
        y=float(drawn.point[1]),
        w=width,
        h=height,
        support=float(drawn.support),
        decoded=drawn.decoded,
        rows=drawn.neighbor_rows.tolist(),
        names=names_of_rows(samples, drawn.neighbor_rows),
        distances=drawn.neighbor_distances.tolist(),
        values=list(zip(samples.feature_names, _values(drawn.sample, samples), strict=True)),
        deviations=[] if drawn.spread is None else _spreads(drawn.spread, samples),
        style=drawn.style,  # type: ignore[arg-type]
        style_name=_name_of(drawn.style_of, samples),
        style_row=_row_of(drawn.style_of, samples),
    )
    shown = (picture, spread)
    return head, tuple(b"" if each is None else _bytes(each) for each in shown)


def _row_of(identity: SampleId | None, samples: Samples) -> int:
    if identity is None:
        return -1
    return int(samples.identities.rows(identity.source, [identity.label], identity.frame)[0])


def encode_path(
    drawn: Sequence[Reconstruction], samples: Samples, request: int
) -> tuple[DecodedPath, Buffers]:
    """The decoded samples along a line."""
    pictures = [each.picture for each in drawn if each.picture is not None]
    height, width = pictures[0].shape[:2] if pictures else (0, 0)
    values = np.array([_values(each.sample, samples) for each in drawn], dtype="<f4")
    head = DecodedPath(
        req=request,
        n=len(drawn),
        w=width,
        h=height,
        support=[float(each.support) for each in drawn],
        features=list(samples.feature_names),
        style_name=_name_of(drawn[0].style_of, samples),
    )
    places = np.array([each.point for each in drawn], dtype="<f4")
    sheet = _bytes(np.stack(pictures)) if pictures else b""
    return head, (sheet, _bytes(places), _bytes(values))


def encode_reconstructions(
    drawn: Sequence[SampleReconstruction], samples: Samples, request: int
) -> tuple[Reconstructed, Buffers]:
    """Samples and their reconstructions."""
    items = [
        ReconstructionItem(
            row=-1 if each.row is None else each.row,
            name=name_of(samples, each.id),
            error=_finite(each.error),
            typical_error=_finite(each.typical_error),
            is_held_out=None if each.is_held_out is None else bool(each.is_held_out),
        )
        for each in drawn
    ]
    pictures = [
        picture
        for each in drawn
        for picture in (each.original, each.picture, each.typical, each.difference)
        if picture is not None
    ]
    height, width = pictures[0].shape[:2] if pictures else (0, 0)
    sheet = _bytes(np.stack(pictures)) if pictures else b""
    both = [[_values(of, samples) for of in (each.sample, each.reconstruction)] for each in drawn]
    head = Reconstructed(request, items, width, height, list(samples.feature_names))
    return head, (sheet, _bytes(np.array(both, dtype="<f4")))


def encode_explanation(explanation: Explanation, request: int) -> tuple[ExplainedMessage, Buffers]:
    """What drives the position of samples; saliency in 3D becomes its maximum over depth."""
    ranking = explanation.ranking
    columns = ranking.iloc[:, 0], ranking["effect"], ranking["share"]
    items = [RankItem(str(name), float(e), float(s)) for name, e, s in zip(*columns, strict=True)]
    count = len(explanation.rows)
    title = f"What drives the position of {counted(count, 'sample')}"
    saliency = explanation.saliency
    if saliency is None:
        return ExplainedMessage(request, title, items, 0, 0), (b"",)
    flat = saliency.max(axis=0) if saliency.ndim == 3 else saliency
    levels = np.rint(255 * flat / max(float(flat.max()), 1e-30)).astype(np.uint8)
    height, width = flat.shape
    return ExplainedMessage(request, title, items, width, height), (_bytes(levels),)


def encode_thumbnails(
    samples: Samples, rows: Sequence[int], color_by: ColorBy
) -> tuple[Thumbnails, Buffers]:
    """Pictures, names and feature values of some samples; tables have no pictures."""
    names = names_of_rows(samples, rows)
    values = _hover_values(samples, rows, color_by.name if color_by.kind == "feature" else "")
    if not samples.is_image or not rows:
        return Thumbnails(list(rows), names, values, 0, 0), (b"",)
    largest = max(samples.sample_shape[-3:-1])
    size_px = THUMBNAIL_PX if largest > THUMBNAIL_PX else None
    sheet = np.stack([samples.thumbnail(row, size_px) for row in rows])
    return Thumbnails(list(rows), names, values, sheet.shape[2], sheet.shape[1]), (_bytes(sheet),)


def _hover_values(
    samples: Samples, rows: Sequence[int], colored_by: str
) -> list[list[tuple[str, str]]]:
    """The first features of each row, and the one that the map is coloured by.

    The page chooses and orders the lines, so they are right under each of these colourings.
    """
    columns = samples.features.columns
    shown = [*columns[:MOST_LINES], *(n for n in columns[MOST_LINES:] if str(n) == colored_by)]
    if not shown or not rows:
        return [[] for _ in rows]
    # Of these rows and few columns only: `describe_row` is slow for many samples or features.
    distinct, places = np.unique(rows, return_inverse=True)
    few = samples.subset(distinct)
    few = dataclasses.replace(few, features=few.features[shown])
    described = [list(describe_row(few, row).values) for row in range(len(distinct))]
    return [described[place] for place in places]


def _finite(error: float) -> float | None:
    return float(error) if math.isfinite(error) else None


def _name_of(identity: SampleId | None, samples: Samples) -> str:
    return "" if identity is None else name_of(samples, identity)


def _values(sample: npt.NDArray[Any], samples: Samples) -> list[float]:
    """The values of a row in the units of the table."""
    if samples.is_image:
        return []
    means, deviations = _units(samples)
    return (sample.astype(np.float64) * deviations + means).tolist()


def _spreads(spread: npt.NDArray[Any], samples: Samples) -> list[float]:
    """Standard deviations of the features in the units of the table."""
    if samples.is_image:
        return []
    return (spread.astype(np.float64) * _units(samples)[1]).tolist()


def _units(samples: Samples) -> tuple[Any, Any]:
    """Mean and standard deviation of each feature if the table was standardised, else 0 and 1."""
    means, deviations = (getattr(samples.recipe, name, None) for name in ("means", "deviations"))
    if means is None or deviations is None:
        return 0.0, 1.0
    return np.array(means), np.array(deviations)


def _bytes(array: npt.NDArray[Any]) -> bytes:
    return np.ascontiguousarray(array).tobytes()
