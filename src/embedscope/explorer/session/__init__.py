"""Sessions on disk: the whole state of an explorer, saved and opened again."""

from embedscope.explorer.session._session_images import ImageReference
from embedscope.explorer.session._session_state import SessionState

__all__ = ["ImageReference", "SessionState"]
