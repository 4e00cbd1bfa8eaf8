"""The bundled sample images as napari layers, with features of each object."""

from __future__ import annotations

from typing import Any

import numpy as np

from embedscope.samples import jurkat_cells, nuclei

LayerData = tuple[Any, dict[str, Any], str]
_COLORMAPS = {"brightfield": "gray", "DNA": "magenta", "darkfield": "cyan"}


def jurkat_layers() -> list[LayerData]:
    """Read 1,600 Jurkat cells: three channels, labels, cell-cycle phase and DNA content.

    Returns
    -------
    list of layer data tuples
        Brightfield, DNA and darkfield of shape (1600, 1600), uint8, and the labels, whose features
        have an ``index`` column, so that napari knows which row belongs to which label.
    """
    import pandas as pd

    cells = jurkat_cells()
    known = pd.DataFrame(
        {
            "index": cells.label_ids.astype(np.int64),
            "phase": pd.Categorical.from_codes(
                cells.phase.astype(np.intp), pd.Index(cells.phase_names)
            ),
            "total DNA": cells.total_dna,
        }
    )
    about = {"source": cells.source, "licence": cells.licence, "citation": cells.citation}
    images: list[LayerData] = [
        (
            cells.image[..., channel],
            {
                "name": name,
                "colormap": _COLORMAPS[name],
                "blending": "translucent" if channel == 0 else "additive",
                "metadata": about,
            },
            "image",
        )
        for channel, name in enumerate(cells.channel_names)
    ]
    labels = {"name": "Jurkat cells", "features": known, "opacity": 0.1, "metadata": about}
    return [*images, (cells.labels.astype(np.int32), labels, "labels")]


def nuclei_layers() -> list[LayerData]:
    """Read six fields with 311 fluorescent nuclei and their outlines.

    Returns
    -------
    list of layer data tuples
        The fields of shape (6, 256, 256), uint8, and their labels. The fields lie along the first
        axis, like time points: the ids start again in each.
    """
    fields = nuclei()
    about = {"source": fields.source, "licence": fields.licence, "citation": fields.citation}
    shared = {"metadata": about, "axis_labels": ("t", "y", "x")}
    return [
        (fields.images, {"name": "nuclear stain", **shared}, "image"),
        (
            fields.labels.astype(np.int32),
            {"name": "Nuclei", "opacity": 0.4, **shared},
            "labels",
        ),
    ]
