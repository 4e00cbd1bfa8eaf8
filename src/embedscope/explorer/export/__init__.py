"""Exports of an explorer: tables, pictures, annotated matrices and label images."""

from embedscope.explorer.export._annotated_files import element_names, write_h5ad, write_zarr
from embedscope.explorer.export._cytometry_files import cytometry_files
from embedscope.explorer.export._gate_image import sources_without_pixels
from embedscope.explorer.export._label_files import gate_label_files

__all__ = [
    "cytometry_files",
    "element_names",
    "gate_label_files",
    "sources_without_pixels",
    "write_h5ad",
    "write_zarr",
]
