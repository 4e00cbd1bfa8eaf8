"""Samples of several sources joined, and new ones made in the same way as others."""

from embedscope.samples.combining._joining import of_source

__all__ = ["of_source"]
