"""The errors embedscope raises on purpose.

Every message gives the rule, the value and the remedy:
``<parameter> must be <rule>; got <value>. <Remedy>.`` Each class also derives from the built-in
error that callers catch, so ``except ValueError`` works in a scikit-learn pipeline.
"""

from __future__ import annotations


class EmbedscopeError(Exception):
    """Base of every error that embedscope raises on purpose."""


class InvalidInputError(EmbedscopeError, ValueError):
    """A parameter or an array breaks a stated rule."""


class InvalidTypeError(InvalidInputError, TypeError):
    """A value is of the wrong type. Also a TypeError, as in scikit-learn."""


class InvalidModelError(EmbedscopeError, ValueError):
    """A model on disk is damaged, unsafe, or in a format that this version cannot read."""


class NotWrittenError(EmbedscopeError, OSError):
    """A file or folder cannot be written: no space, no permission, or no such path."""


class StoppedError(EmbedscopeError, RuntimeError):
    """Training was stopped before there was a result."""


class ForkedError(EmbedscopeError, RuntimeError):
    """A process was forked after TensorFlow was loaded, which cannot run in both."""


class MissingDependencyError(EmbedscopeError, ImportError):
    """An optional dependency is missing, or its version does not work."""
