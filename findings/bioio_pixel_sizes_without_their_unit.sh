#!/usr/bin/env bash
# bioio: the pixel size of one image is 0.5, 0.5 or 500, by the kind of file that it is stored in.
#
# Versions: bioio 3.6.0 with bioio-ome-tiff 1.4.0, bioio-ome-zarr 3.8.1, bioio-tifffile 1.3.1,
# tifffile 2026.3.3, zarr 3.1.6, Python 3.11.
#
# Expected: an image of 0.5 mm per pixel, as a mesoscope or a scanner of plates has, is opened as
# OME-TIFF, OME-Zarr and ImageJ TIFF. `BioImage.physical_pixel_sizes` is the same of all three,
# or `dimension_properties`, which has a unit for each axis, tells how they differ.
# Seen: ImageJ's size is converted to micrometres: 500. Those of OME-TIFF and OME-Zarr are the number in
# the file: 0.5. Only OME-Zarr has a unit in `dimension_properties`, millimeter; that of the others is
# None, though OME-TIFF states PhysicalSizeXUnit and 500 is in micrometres. So a program that takes
# the number for micrometres is wrong by 1000 in two of three files, and one that asks for the unit is
# told that there is none. For OME-TIFF it is in `ome_metadata`.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet bioio==3.6.0 bioio-ome-tiff==1.4.0 bioio-ome-zarr==3.8.1 \
    bioio-tifffile==1.3.1 tifffile==2026.3.3 zarr==3.1.6 2>/dev/null
cd "$folder"
cat >probe.py <<'PYTHON'
import warnings

warnings.simplefilter("ignore")
import bioio_ome_tiff
import bioio_ome_zarr
import bioio_tifffile
import numpy as np
import tifffile
import zarr
from bioio import BioImage

plane = np.zeros((16, 16), np.uint16)
sizes = {f"PhysicalSize{axis}": 0.5 for axis in "XY"}
units = {f"PhysicalSize{axis}Unit": "mm" for axis in "XY"}
tifffile.imwrite("a.ome.tif", plane, ome=True, metadata={"axes": "YX", **sizes, **units})
tifffile.imwrite(
    "a.tif", plane, imagej=True, resolution=(2, 2), metadata={"axes": "YX", "unit": "mm"}
)
group = zarr.create_group("a.ome.zarr", zarr_format=3)
group.create_array("0", data=plane)
axes = [{"name": axis, "type": "space", "unit": "millimeter"} for axis in "yx"]
scale = [{"type": "scale", "scale": [0.5, 0.5]}]
image = {"axes": axes, "datasets": [{"path": "0", "coordinateTransformations": scale}]}
group.attrs["ome"] = {"version": "0.5", "multiscales": [image]}

seen = {}
for file, reader in (
    ("a.ome.tif", bioio_ome_tiff), ("a.ome.zarr", bioio_ome_zarr), ("a.tif", bioio_tifffile)
):
    opened = BioImage(file, reader=reader.Reader)
    unit = opened.dimension_properties.X.unit
    seen[file] = (opened.physical_pixel_sizes.X, unit and str(unit))
    print(f"{file}: {seen[file][0]} of unit {seen[file][1]}")
stated = BioImage("a.ome.tif", reader=bioio_ome_tiff.Reader).ome_metadata.images[0].pixels
assert stated.physical_size_x_unit.value == "mm"
assert seen == {"a.ome.tif": (0.5, None), "a.ome.zarr": (0.5, "millimeter"), "a.tif": (500.0, None)}
PYTHON
"$folder/venv/bin/python" probe.py 2>/dev/null
