"""Samples cut from images: crops of labelled objects, and patches."""

from embedscope.samples.images._crop_geometry import zoom_of
from embedscope.samples.images._locating import known_objects, locate_objects, objects_of
from embedscope.samples.images._object_masks import object_masks
from embedscope.samples.images._rgb import RGB_NAMES

__all__ = ["RGB_NAMES", "known_objects", "locate_objects", "object_masks", "objects_of", "zoom_of"]
