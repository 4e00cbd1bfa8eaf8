"""Samples cut from images: crops of labelled objects, and patches."""

from embedscope.samples.images._locating import known_objects, locate_objects, objects_of

__all__ = ["known_objects", "locate_objects", "objects_of"]
