"""From images and labels to samples: crops of objects, and the sample images that ship along."""

from embedscope.samples._bundled import JurkatCells, Nuclei, jurkat_cells, nuclei
from embedscope.samples._crops import Crops, crops_from_labels
from embedscope.samples._scaling import ChannelScale, normalise_channels

__all__ = [
    "ChannelScale",
    "Crops",
    "JurkatCells",
    "Nuclei",
    "crops_from_labels",
    "jurkat_cells",
    "normalise_channels",
    "nuclei",
]
