"""Run with `[images]`: cells cut out of images in memory and on disk."""

import tifffile
import zarr

from embedscope import Explorer
from embedscope.samples import nuclei, read, samples_from_labels

fields = nuclei()
cells = samples_from_labels(fields.images[0], fields.labels[0], size=16)
assert "area" in cells.features
tifffile.imwrite("field.tif", fields.images[0])
tifffile.imwrite("masks.tif", fields.labels[0])
zarr.save_array("field.zarr", fields.images[0])
zarr.save_array("masks.zarr", fields.labels[0])
for kind in ("tif", "zarr"):
    again = read(f"field.{kind}", f"masks.{kind}", size=16)
    assert (again.X == cells.X).all()
explorer = Explorer(again)
explorer.set_parameters(n_neighbors=5, encoder="dense", quality="fast")
explorer.train()
assert explorer.wait().error is None
explorer.select_rows(range(9))
explorer.save_montage("montage.png")
explorer.save("session")
assert Explorer.open("session").decode((0, 0)).picture is not None
