"""The identity of a sample, and the source that it comes from."""

from embedscope.samples.identity._arrays import finest_level, read
from embedscope.samples.identity._source import source_from_dict, source_to_dict

__all__ = ["finest_level", "read", "source_from_dict", "source_to_dict"]
