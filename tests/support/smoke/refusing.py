"""What is said where a package is missing."""

from collections.abc import Callable
from typing import Any

from embedscope._errors import MissingDependencyError


def refused(function: Callable[..., Any], *arguments: Any) -> str:
    """The message of the error that a missing package raises."""
    try:
        function(*arguments)
    except MissingDependencyError as error:
        return str(error)
    raise AssertionError(f"{function} needs a package that is not installed")
