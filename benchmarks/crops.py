"""The time to cut crops, and the peak memory for an image on disk.

    python benchmarks/crops.py            # from memory: crops per second on one core
    python benchmarks/crops.py --zarr     # 20,000 x 20,000 pixels, 100,000 objects: peak memory

The value of a pixel is the number of its object, so that every crop is checked.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

SIZE = 32
FROM_MEMORY = {"n_side": 142, "spacing": 36}  # 20,164 objects, 5,112 x 5,112 pixels
ON_DISK = {"n_side": 316, "spacing": 63}  # 99,856 objects, 19,908 x 19,908 pixels
RADIUS = 12
CHUNK = 1024


def band(first: int, n_rows: int, n_side: int, spacing: int) -> np.ndarray:
    """Labels of some rows of pixels: discs on a grid, numbered along rows with gaps of 7."""
    rows, columns = np.ogrid[first : first + n_rows, : n_side * spacing]
    inside = (rows % spacing - spacing // 2) ** 2 + (columns % spacing - spacing // 2) ** 2
    numbers = 7 * ((rows // spacing) * n_side + columns // spacing) + 5
    return np.where(inside <= RADIUS**2, numbers, 0).astype(np.uint32)


def pixels_of(labels: np.ndarray, n_channels: int) -> np.ndarray:
    """Channel c of an object's pixels is its number, shifted by c; the background is 0."""
    shifted = labels[..., np.newaxis] + 3 * np.arange(n_channels)
    return np.where(labels[..., np.newaxis] > 0, shifted % 251 + 1, 0).astype(np.uint8)


def check(samples, n_side: int) -> None:
    """Check that every object is there, and is in the middle of its crop."""
    label = samples.identities.label
    np.testing.assert_array_equal(label, 7 * np.arange(n_side**2) + 5)
    middle = samples.images[:, SIZE // 2, SIZE // 2]
    np.testing.assert_array_equal(middle, pixels_of(label, middle.shape[1]))


def measure_from_memory() -> dict[str, float]:
    from embedscope.samples import samples_from_labels

    n_side, spacing = FROM_MEMORY.values()
    labels = band(0, n_side * spacing, n_side, spacing)
    image = pixels_of(labels, 3)
    times = []
    for _ in range(4):  # the first one imports
        start = time.perf_counter()
        samples = samples_from_labels(image, labels, SIZE, features=False)
        times.append(time.perf_counter() - start)
        check(samples, n_side)
    rows = np.random.default_rng(0).integers(0, len(samples), 200)
    start = time.perf_counter()
    for row in rows:
        samples.thumbnail(int(row))
    thumbnail_ms = 1e3 * (time.perf_counter() - start) / len(rows)
    return {
        "n_crops": len(samples),
        "crops_per_s_with_finding_objects": round(len(samples) / min(times)),
        "thumbnail_ms": round(thumbnail_ms, 3),
    }


def write_zarr(folder: Path) -> None:
    import zarr

    n_side, spacing = ON_DISK.values()
    side = n_side * spacing
    chunks = (CHUNK, CHUNK)
    labels = zarr.create_array(folder / "labels", shape=(side, side), chunks=chunks, dtype="u4")
    image = zarr.create_array(
        folder / "image", shape=(side, side, 3), chunks=(*chunks, 3), dtype="u1"
    )
    for first in range(0, side, CHUNK):
        rows = band(first, min(CHUNK, side - first), n_side, spacing)
        labels[first : first + CHUNK] = rows
        image[first : first + CHUNK] = pixels_of(rows, 3)


def cut_zarr(folder: Path, *, features: bool) -> dict[str, float]:
    import zarr

    from embedscope.samples import samples_from_labels

    image, labels = (zarr.open_array(folder / name, mode="r") for name in ("image", "labels"))
    start = time.perf_counter()
    samples = samples_from_labels(image, labels, SIZE, features=features)
    taken = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # before the check, in kB on Linux
    check(samples, ON_DISK["n_side"])
    return {
        "n_crops": len(samples),
        "features": features,
        "seconds": round(taken, 1),
        "peak_memory_mb": round(peak / 1024),
    }


def measure_zarr() -> list[dict[str, float]]:
    # Each step in a process of its own: a process's peak is never below that of its parent, so
    # this one stays small.
    with tempfile.TemporaryDirectory() as folder:
        run("write", folder)
        return [json.loads(run(step, folder)) for step in ("cut", "cut-and-measure")]


def run(step: str, folder: str) -> str:
    command = [sys.executable, __file__, "--step", step, "--folder", folder]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--zarr", action="store_true", help="measure from disk instead")
    parser.add_argument("--step", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.step == "write":
        write_zarr(options.folder)
    elif options.step:
        features = options.step == "cut-and-measure"
        print(json.dumps(cut_zarr(options.folder, features=features)))
    elif options.zarr:
        print(json.dumps(measure_zarr(), indent=2))
    else:
        print(json.dumps(measure_from_memory(), indent=2))


if __name__ == "__main__":
    main()
