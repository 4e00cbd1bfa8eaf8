"""Many images of a manifest beside the plain loop of tifffile and scikit-image, in one run.

Writes images of 2,048 x 2,048 pixels with 500 objects each into a folder, reads them by
`samples_from_manifest`, and measures and cuts the same objects in a loop. Each is a process of its
own, so that the peak of memory is its own.

    python benchmarks/manifest.py [--files 200]
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import tifffile

SIDE, N_OBJECTS, CROP = 2048, 500, 40


def write(folder: Path, n_files: int) -> None:
    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[-14:15, -14:15]
    disk = rows**2 + columns**2 <= 14**2
    places = [(64 + 84 * (k // 23), 64 + 84 * (k % 23)) for k in range(N_OBJECTS)]
    names = []
    for number in range(n_files):
        labels = np.zeros((SIDE, SIDE), np.uint16)
        image = rng.integers(90, 110, labels.shape, np.uint16)
        for label, (row, column) in enumerate(places, start=1):
            box = np.s_[row - 14 : row + 15, column - 14 : column + 15]
            labels[box][disk] = label
            image[box][disk] += rng.integers(100, 2000, dtype=np.uint16)
        tifffile.imwrite(folder / f"{number:03}.tif", image)
        tifffile.imwrite(folder / f"{number:03}_masks.tif", labels)
        names.append((f"{number:03}.tif", f"{number:03}_masks.tif", f"plate {number % 4}"))
    frame = pd.DataFrame(names, columns=["image", "labels", "plate"])
    frame.to_csv(folder / "manifest.csv", index=False)


def by_embedscope(folder: Path) -> int:
    from embedscope.samples import samples_from_manifest

    return len(samples_from_manifest(folder / "manifest.csv", CROP))


def by_loop(folder: Path) -> int:
    from skimage.measure import regionprops_table

    from embedscope.samples.images._features import CHANNEL_PROPERTIES, SHAPE_PROPERTIES

    wanted = ("label", "centroid", *SHAPE_PROPERTIES[2], *CHANNEL_PROPERTIES)
    crops, tables = [], []
    for image_path, labels_path, plate in pd.read_csv(folder / "manifest.csv").to_numpy():
        image, labels = tifffile.imread(folder / image_path), tifffile.imread(folder / labels_path)
        table = pd.DataFrame(regionprops_table(labels, image, properties=wanted))
        padded = np.pad(image, CROP // 2, mode="reflect")
        middles = np.rint(table[["centroid-0", "centroid-1"]].to_numpy()).astype(int)
        crops += [padded[row : row + CROP, column : column + CROP] for row, column in middles]
        tables.append(table.assign(plate=plate))
    pictures = np.stack(crops)
    low, high = np.percentile(pictures, (0.1, 99.9))
    assert len(pd.concat(tables)) == len(pictures)
    assert high > low
    return len(pictures)


def measure(name: str, folder: Path) -> None:
    start = time.perf_counter()
    number = {"embedscope": by_embedscope, "loop": by_loop}[name](folder)
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"{name:<12} {number:>8,} objects {seconds:6.1f} s  peak {peak:.2f} GiB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=200)
    parser.add_argument("--measure", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        measure(arguments.measure[0], Path(arguments.measure[1]))
        return
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder), arguments.files)
        for name in ("loop", "embedscope", "loop", "embedscope"):
            command = [sys.executable, __file__, "--measure", name, folder]
            subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
