"""Exports of an explorer: tables, pictures and annotated matrices."""

from embedscope.explorer.export._annotated_files import element_names, write_h5ad, write_zarr

__all__ = ["element_names", "write_h5ad", "write_zarr"]
