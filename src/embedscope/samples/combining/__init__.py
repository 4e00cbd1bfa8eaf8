"""Samples of several sources put together, and new ones made the way others were."""

from embedscope.samples.combining._joining import of_source

__all__ = ["of_source"]
