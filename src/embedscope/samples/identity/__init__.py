"""Who a sample is, and the source that it comes from."""

from embedscope.samples.identity._arrays import finest_level, read

__all__ = ["finest_level", "read"]
