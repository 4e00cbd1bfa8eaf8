#!/usr/bin/env bash
# napari-ome-zarr 0.10.0: the translation of an OME-Zarr image or labels is ignored.
#
# Versions: napari-ome-zarr 0.10.0 and 0.8.2, napari 0.9.2, zarr 3.1.6, Python 3.11.
#
# Expected: OME-Zarr 0.5 (and 0.4) gives each level a scale, and may add a translation after it. Labels
# with scale (0.5, 0.25) and translation (10, 20) have their first pixel at (10, 20) of the world.
# Seen: with 0.8.2 they do. Since 0.9.0 it reads only the first of the two transformations, so the layer
# begins at (0, 0): two fields that were stored at their places on a slide lie above each other.
# Nothing is said. Image layers and layers of labels behave alike.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat >place.py <<'PYTHON'
import warnings

warnings.simplefilter("ignore")
import numpy as np
import zarr
from napari.layers import Layer
from napari_ome_zarr._reader import napari_get_reader

group = zarr.create_group("field.zarr", zarr_format=3, overwrite=True)
group.create_array("0", data=np.ones((8, 8), np.uint8))
steps = [
    {"type": "scale", "scale": [0.5, 0.25]},
    {"type": "translation", "translation": [10.0, 20.0]},
]
axes = [{"name": name, "type": "space", "unit": "micrometer"} for name in "yx"]
image = {"axes": axes, "datasets": [{"path": "0", "coordinateTransformations": steps}]}
group.attrs["ome"] = {"version": "0.5", "multiscales": [image]}
data, options, kind = napari_get_reader("field.zarr")("field.zarr")[0]
layer = Layer.create(data, options, kind)
first, second = (layer.data_to_world(place) for place in ((0, 0), (1, 1)))
print(*map(float, first), *map(float, second))
PYTHON
declare -A seen
for version in 0.8.2 0.10.0; do
    python3 -m venv "venv-$version"
    "venv-$version/bin/pip" install --quiet "napari-ome-zarr==$version" napari==0.9.2 zarr==3.1.6 \
        2>/dev/null
    seen[$version]=$("venv-$version/bin/python" place.py 2>/dev/null | tail -n 1)
    echo "napari-ome-zarr $version: pixels (0, 0) and (1, 1) are at ${seen[$version]}"
done
[ "${seen[0.8.2]}" = "10.0 20.0 10.5 20.25" ]
[ "${seen[0.10.0]}" = "0.0 0.0 0.5 0.25" ]
