"""The solvers: how the networks of a map are trained, and who watches."""

from embedscope.core.solvers._monitor import Report

__all__ = ["Report"]
