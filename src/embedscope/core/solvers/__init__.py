"""The solvers, which train the networks of a map, and the monitor of their progress."""

from embedscope.core.solvers._monitor import Report

__all__ = ["Report"]
