"""The sample images of the package, each with its source and licence.

`data/README.md` says how they were chosen and changed. A file is read when its function is called,
never on import.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from typing import Any

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.integer[Any]]


@dataclass(frozen=True, eq=False)
class JurkatCells:
    """A montage of Jurkat cells from imaging flow cytometry, with measurements of each cell.

    Attributes
    ----------
    image : ndarray of shape (1600, 1600, 3), uint8
        Brightfield, DNA (propidium iodide) and darkfield (side scatter), in grey levels 0..255.
    labels : ndarray of shape (1600, 1600), uint16
        The cells; 0 is background. Ids have gaps.
    channel_names : tuple of str
        The name of each channel of `image`.
    label_ids : ndarray of shape (1600,), uint16
        The id of each cell; `phase` and `total_dna` have the same order.
    phase : ndarray of shape (1600,), uint8
        Cell-cycle phase, an index into `phase_names`.
    total_dna : ndarray of shape (1600,), float32
        DNA fluorescence summed over the cell, in counts of the instrument.
    phase_names : tuple of str
        The phases, in the order of the cell cycle.
    source, licence, citation : str
        Where the images come from, their licence, and the paper to cite.
    """

    image: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.uint16]
    channel_names: tuple[str, ...]
    label_ids: npt.NDArray[np.uint16]
    phase: npt.NDArray[np.uint8]
    total_dna: npt.NDArray[np.float32]
    phase_names: tuple[str, ...]
    source: str = "https://github.com/minh-doan/MLCP"
    licence: str = "BSD-3-Clause, copyright (c) 2017, minh-doan"
    citation: str = "Blasi et al. 2016, Nature Communications 7:10256, doi:10.1038/ncomms10256"


@dataclass(frozen=True, eq=False)
class Nuclei:
    """Fields of fluorescent nuclei, outlined by experts.

    Ids start again at 1 in every field, so field and id together identify a nucleus.

    Attributes
    ----------
    images : ndarray of shape (6, 256, 256), uint8
        Nuclear stain, in grey levels 0..255.
    labels : ndarray of shape (6, 256, 256), uint16
        The nuclei of each field; 0 is background.
    image_ids : tuple of str
        The id of each field in the collection.
    fields, label_ids : ndarray of shape (311,), intp and uint16
        The field of each nucleus and its id there; `area_px` and `mean_intensity` have the same
        order.
    area_px : ndarray of shape (311,), int64
        Number of pixels.
    mean_intensity : ndarray of shape (311,), float64
        Mean grey level, 0..255.
    source, licence, citation : str
        Where the images come from, their licence, and the paper to cite.
    """

    images: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.uint16]
    image_ids: tuple[str, ...]
    fields: npt.NDArray[np.intp]
    label_ids: npt.NDArray[np.uint16]
    area_px: npt.NDArray[np.int64]
    mean_intensity: npt.NDArray[np.float64]
    source: str = "https://bbbc.broadinstitute.org/BBBC038"
    licence: str = "CC0-1.0"
    citation: str = "Caicedo et al. 2019, Nature Methods 16:1247, doi:10.1038/s41592-019-0612-7"


def jurkat_cells() -> JurkatCells:
    """Load 1,600 real Jurkat cells: three channels, labels, cell-cycle phase and DNA content.

    Returns
    -------
    JurkatCells
        A new copy, which may be changed.

    Notes
    -----
    The phases were gated on the DNA channel, so a score that uses this channel is partly circular.
    Brightfield and darkfield alone make a fair, label-free test. All 110 cells of the published
    collection in metaphase, anaphase and telophase are included.

    References
    ----------
    T. Blasi et al., "Label-free cell cycle analysis for high-throughput imaging flow cytometry",
    Nature Communications 7:10256 (2016), doi:10.1038/ncomms10256.
    """
    stored = _read("jurkat_cells.npz")
    return JurkatCells(
        image=np.ascontiguousarray(np.moveaxis(stored["image"], 0, -1)),
        labels=stored["labels"],
        channel_names=("brightfield", "DNA", "darkfield"),
        label_ids=stored["label_ids"],
        phase=stored["phase"],
        total_dna=stored["total_dna"],
        phase_names=tuple(str(name) for name in stored["phase_names"]),
    )


def nuclei() -> Nuclei:
    """Load six fields with 311 fluorescent nuclei and their outlines.

    Returns
    -------
    Nuclei
        A new copy, which may be changed.

    References
    ----------
    J. C. Caicedo et al., "Nucleus segmentation across imaging experiments: the 2018 Data Science
    Bowl", Nature Methods 16:1247 (2019), doi:10.1038/s41592-019-0612-7.
    """
    stored = _read("nuclei.npz")
    images, labels = stored["images"], stored["labels"]
    field_of_pixel = np.nonzero(labels)[0]
    # The key is field and id together, since ids are used again in every field.
    keys = np.stack([field_of_pixel, labels[labels > 0]], axis=1)
    nuclei_keys, nucleus_of_pixel, area = np.unique(
        keys, axis=0, return_inverse=True, return_counts=True
    )
    total = np.bincount(nucleus_of_pixel.ravel(), weights=images[labels > 0])
    return Nuclei(
        images=images,
        labels=labels,
        image_ids=tuple(str(name) for name in stored["image_ids"]),
        fields=nuclei_keys[:, 0].astype(np.intp),
        label_ids=nuclei_keys[:, 1].astype(np.uint16),
        area_px=area.astype(np.int64),
        mean_intensity=total / area,
    )


def _read(name: str) -> dict[str, npt.NDArray[Any]]:
    """Read every array of a bundled npz archive."""
    path = resources.files("embedscope.samples") / "data" / name
    with path.open("rb") as stream, np.load(stream, allow_pickle=False) as archive:
        return {key: archive[key] for key in archive.files}
