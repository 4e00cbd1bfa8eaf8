#!/usr/bin/env bash
# ome-zarr: labels above 2**53, as the neurons of connectomes have, are other labels from the second
# level of the pyramid on.
#
# Versions: ome-zarr 0.18.0 with scikit-image 0.26.0 and scipy 1.17.1, spatialdata 0.7.3 in an
# environment of its own, Python 3.11.
#
# Expected: `write_labels` of ids of uint64 makes coarser levels by nearest neighbours, a copy of some
# pixels: each level has the dtype uint64 and a subset of the ids.
# Seen: the dtype is uint64 in all levels, but below the first each id is the nearest one that double
# precision holds, here a multiple of 128: two neurons of neighbouring ids become one, under an id that
# may belong to a third. scikit-image's `resize` computes in double precision with order=0 too.
# spatialdata's levels are the same, its `rasterize` at another resolution, and its `transform` to the
# same pixels. A viewer that shows a coarse level and looks up the id under the pointer finds nobody,
# or somebody else. No float was asked for, and nothing is said.
# What helps: make coarser levels by slices, labels[::2, ::2], and take ids from the finest level.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv pyramid
pyramid/bin/pip install --quiet ome-zarr==0.18.0 scikit-image==0.26.0 scipy==1.17.1 2>/dev/null
python3 -m venv spatial
spatial/bin/pip install --quiet spatialdata==0.7.3 2>/dev/null
cat >neurons.py <<'PYTHON'
import warnings

warnings.simplefilter("ignore")
import numpy as np

IDS = [720575940621039145, 720575940621039146, 720575940621039300, 720575940621040000]
ROUNDED = [720575940621039104, 720575940621039360, 720575940621040000]
labels = np.zeros((600, 600), np.uint64)
for number, each in enumerate(IDS, start=1):
    labels[100 * number : 100 * (number + 1)] = each


def ids(level):
    level = np.asarray(level)
    assert level.dtype == np.uint64
    found = np.unique(level).tolist()
    assert found[0] == 0  # the background
    return found[1:]


PYTHON
cat >pyramid.py <<'PYTHON'
import zarr
from neurons import IDS, ROUNDED, ids, labels
from ome_zarr.writer import write_image, write_labels
from skimage.transform import resize

group = zarr.open_group("neurons.zarr", mode="w")
write_image(labels.astype("uint8"), group, axes="yx")
write_labels(labels, group, name="neurons", axes="yx")
held = group["labels/neurons"]
levels = [ids(held[name][:]) for name in sorted(held.array_keys())]
print("ids of the first two levels:", *levels[:2])
assert levels[0] == IDS and len(levels) > 1
assert all(level == ROUNDED for level in levels[1:])
resized = resize(labels, (300, 300), order=0, preserve_range=True, anti_aliasing=False)
assert ids(resized) == ROUNDED
PYTHON
cat >spatial.py <<'PYTHON'
import spatialdata
from neurons import IDS, ROUNDED, ids, labels
from spatialdata.models import Labels2DModel

tree = Labels2DModel.parse(labels, dims=("y", "x"), scale_factors=[2])
levels = [ids(next(iter(level.data_vars.values())).data) for level in tree.children.values()]
flat = Labels2DModel.parse(labels, dims=("y", "x"))
drawn = spatialdata.rasterize(
    flat, ["x", "y"], min_coordinate=[0, 0], max_coordinate=[600, 600],
    target_coordinate_system="global", target_unit_to_pixels=0.5,
)
moved = spatialdata.transform(flat, to_coordinate_system="global")
print("spatialdata: levels", *levels, "rasterize", ids(drawn.data), "transform", ids(moved.data))
assert levels == [IDS, ROUNDED]
assert ids(drawn.data) == ROUNDED and ids(moved.data) == ROUNDED
PYTHON
OMP_NUM_THREADS=1 pyramid/bin/python pyramid.py 2>/dev/null
OMP_NUM_THREADS=1 spatial/bin/python spatial.py 2>/dev/null
