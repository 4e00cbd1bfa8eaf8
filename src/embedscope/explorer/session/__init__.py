"""Sessions on disk: the whole state of an explorer, saved and opened again."""

from embedscope.explorer.session._image_files import open_file
from embedscope.explorer.session._session_images import ImageReference
from embedscope.explorer.session._session_state import SessionState

__all__ = ["ImageReference", "SessionState", "open_file"]
