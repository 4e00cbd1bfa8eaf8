"""Make samples with identities from images, labels, tables and arrays.

The sample images of the package are here too.
"""

from embedscope.samples._bundled import JurkatCells, Nuclei, jurkat_cells, nuclei
from embedscope.samples.combining._joining import join_samples
from embedscope.samples.combining._repeating import as_samples, samples_like
from embedscope.samples.common._display import Display
from embedscope.samples.common._groups import GroupScales
from embedscope.samples.common._learned import Learned
from embedscope.samples.common._recipe import Recipe
from embedscope.samples.common._samples import LeftOut, NotLearned, Samples, SamplesPart
from embedscope.samples.common._scaling import ChannelScale, normalise_channels
from embedscope.samples.identity._identity import Identities, SampleId
from embedscope.samples.identity._patch_grid import PatchGrid
from embedscope.samples.identity._source import Source
from embedscope.samples.images._crop_recipe import CropRecipe
from embedscope.samples.images._crops import Crops, crops_from_labels
from embedscope.samples.images._features import measure_features
from embedscope.samples.images._labels import samples_from_labels
from embedscope.samples.images._patches import PatchRecipe, samples_from_patches
from embedscope.samples.reading._annotated_files import samples_from_anndata
from embedscope.samples.reading._cellprofiler import samples_from_cellprofiler
from embedscope.samples.reading._files import samples_from_files
from embedscope.samples.reading._manifest import samples_from_manifest
from embedscope.samples.reading._ome_zarr import samples_from_ome_zarr
from embedscope.samples.reading._qupath import samples_from_qupath
from embedscope.samples.reading._read import read
from embedscope.samples.reading._spatial import samples_from_spatialdata
from embedscope.samples.reading._trackmate import samples_from_trackmate
from embedscope.samples.reading._tracks import samples_from_tracks
from embedscope.samples.tables._array_samples import ArrayRecipe, samples_from_array
from embedscope.samples.tables._table import TableRecipe, samples_from_table

__all__ = [
    "ArrayRecipe",
    "ChannelScale",
    "CropRecipe",
    "Crops",
    "Display",
    "GroupScales",
    "Identities",
    "JurkatCells",
    "Learned",
    "LeftOut",
    "NotLearned",
    "Nuclei",
    "PatchGrid",
    "PatchRecipe",
    "Recipe",
    "SampleId",
    "Samples",
    "SamplesPart",
    "Source",
    "TableRecipe",
    "as_samples",
    "crops_from_labels",
    "join_samples",
    "jurkat_cells",
    "measure_features",
    "normalise_channels",
    "nuclei",
    "read",
    "samples_from_anndata",
    "samples_from_array",
    "samples_from_cellprofiler",
    "samples_from_files",
    "samples_from_labels",
    "samples_from_manifest",
    "samples_from_ome_zarr",
    "samples_from_patches",
    "samples_from_qupath",
    "samples_from_spatialdata",
    "samples_from_table",
    "samples_from_trackmate",
    "samples_from_tracks",
    "samples_like",
]
