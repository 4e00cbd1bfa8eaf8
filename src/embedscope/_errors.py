"""The errors embedscope raises on purpose.

Every message gives the rule, the value and the remedy:
``<parameter> must be <rule>; got <value>. <Remedy>.`` Each class also derives from the built-in
that callers already catch, so ``except ValueError`` keeps working in a scikit-learn pipeline.
"""

from __future__ import annotations


class EmbedscopeError(Exception):
    """Base of every error that embedscope raises on purpose."""


class InvalidInputError(EmbedscopeError, ValueError):
    """A parameter or an array breaks a stated rule."""


class InvalidTypeError(InvalidInputError, TypeError):
    """An array holds something that cannot be a number: a TypeError too, as in scikit-learn."""


class InvalidModelError(EmbedscopeError, ValueError):
    """A model on disk is broken, unsafe, or written in a format this version cannot read."""


class NotWrittenError(EmbedscopeError, OSError):
    """A file or directory could not be written: no room, no permission, no such place."""


class StoppedError(EmbedscopeError, RuntimeError):
    """Training was stopped before anything was learned, so there is no result to keep."""


class ForkedError(EmbedscopeError, RuntimeError):
    """A process was forked from one that had loaded TensorFlow, which cannot run in both."""


class MissingDependencyError(EmbedscopeError, ImportError):
    """An optional dependency is missing or of a version that does not work."""
