"""Make the bundled sample data from the published collections.

    python scripts/make_sample_data.py SOURCE_FOLDER [--out FOLDER]

SOURCE_FOLDER holds `jurkat_cell_cycle.npz` and `nuclei_dsb2018.npz`. The files are npz
archives whose members are compressed with LZMA (a third smaller than deflate for these images);
`numpy.load` reads them directly, without pickle.
"""

from __future__ import annotations

import argparse
import zipfile
from pathlib import Path

import numpy as np

BUNDLED = Path(__file__).parents[1] / "src" / "embedscope" / "samples" / "data"

# Jurkat: 40 x 40 tiles of 40 x 40 pixels, as the instrument's software lays out a montage.
TILES_PER_SIDE = 40
TILE = 40
RARE_PHASES = (4, 5, 6)  # Metaphase, Anaphase, Telophase: 112 of 3,418 cells, all are kept
# Rounding steps no wider than twice the camera noise (standard deviation 2.1, 1.0 and 2.1 grey
# levels in brightfield, DNA and darkfield), so that only noise is lost. They halve the file.
GREY_STEP = np.array([4, 2, 4])
SAME_CELL = 0.97  # correlation of two brightfield tiles above which they show one cell twice
SEED = 0

# Nuclei: six fields of different cell types, densities and brightness, chosen by eye.
NUCLEI_FIELDS = (143, 195, 48, 207, 147, 279)


def write_npz(path: Path, **arrays: np.ndarray) -> None:
    """Write `arrays` as an npz archive with LZMA-compressed members."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as archive:
        for name, array in arrays.items():
            # A fixed date keeps the archive the same, byte for byte, when it is made again.
            member = zipfile.ZipInfo(f"{name}.npy", date_time=(2024, 1, 1, 0, 0, 0))
            member.compress_type = zipfile.ZIP_LZMA
            with archive.open(member, "w", force_zip64=True) as stream:
                np.lib.format.write_array(stream, np.ascontiguousarray(array), allow_pickle=False)


def second_images(brightfield: np.ndarray) -> np.ndarray:
    """Rows that show the same cell as an earlier row: one of them in a test set would be a leak."""
    flat = brightfield.reshape(len(brightfield), -1).astype(np.float32)
    flat -= flat.mean(axis=1, keepdims=True)
    flat /= np.linalg.norm(flat, axis=1, keepdims=True)
    later = np.triu(flat @ flat.T > SAME_CELL, k=1)
    return np.flatnonzero(later.any(axis=0))


def choose_cells(phase: np.ndarray, excluded: np.ndarray) -> np.ndarray:
    """All cells of the rare phases, and the others in their natural proportions, shuffled."""
    rng = np.random.default_rng(SEED)
    usable = np.setdiff1d(np.arange(len(phase)), excluded)
    is_rare = np.isin(phase[usable], RARE_PHASES)
    rare, common = usable[is_rare], usable[~is_rare]
    n_common = TILES_PER_SIDE**2 - len(rare)
    shares = np.bincount(phase[common], minlength=4)[:4] * n_common / len(common)
    counts = np.floor(shares).astype(int)
    counts[np.argsort(counts - shares)[: n_common - counts.sum()]] += 1  # largest remainders
    drawn = [rng.choice(common[phase[common] == k], n, replace=False) for k, n in enumerate(counts)]
    return rng.permutation(np.concatenate([rare, *drawn]))


def montage(tiles: np.ndarray) -> np.ndarray:
    """Tiles (n, 40, 40) as one image (1600, 1600), row by row."""
    grid = tiles.reshape(TILES_PER_SIDE, TILES_PER_SIDE, TILE, TILE)
    return grid.transpose(0, 2, 1, 3).reshape(TILES_PER_SIDE * TILE, TILES_PER_SIDE * TILE)


def make_jurkat(source: Path, out: Path) -> None:
    """Write `jurkat_cells.npz`; a cell's label is its row in the published file plus one."""
    with np.load(source / "jurkat_cell_cycle.npz", allow_pickle=False) as published:
        tiles, phase = published["tiles"], published["phase"]
        rows = choose_cells(phase, second_images(tiles[..., 0]))
        grey = (tiles[rows].astype(np.int32) + GREY_STEP // 2) // GREY_STEP * GREY_STEP
        grey = np.minimum(grey, 255).astype(np.uint8)
        masks = np.unpackbits(published["cell_mask"][rows], axis=1)[:, : TILE * TILE]
        label_ids = (rows + 1).astype(np.uint16)
        write_npz(
            out / "jurkat_cells.npz",
            image=np.stack([montage(grey[..., c]) for c in range(3)]),
            labels=montage(masks.reshape(-1, TILE, TILE) * label_ids[:, None, None]),
            label_ids=label_ids,
            phase=phase[rows],
            phase_names=published["phase_names"],
            total_dna=published["total_dna"][rows],
        )


def make_nuclei(source: Path, out: Path) -> None:
    """Write `nuclei.npz`: fields and instance labels, numbered from one in each field."""
    fields = list(NUCLEI_FIELDS)
    with np.load(source / "nuclei_dsb2018.npz", allow_pickle=False) as published:
        write_npz(
            out / "nuclei.npz",
            images=published["images_256x256"][fields],
            labels=published["labels_256x256"][fields],
            image_ids=published["ids_256x256"][fields],
        )


def main() -> None:
    """Read the source folder from the command line and write both files."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", type=Path, help="folder with the published npz files")
    parser.add_argument("--out", type=Path, default=BUNDLED)
    arguments = parser.parse_args()
    make_jurkat(arguments.source, arguments.out)
    make_nuclei(arguments.source, arguments.out)


if __name__ == "__main__":
    main()
