"""What can be asked of a map: what is near, what is drawn there, how sure, and why."""

from embedscope.explorer.answers._places import PlaceIndex

__all__ = ["PlaceIndex"]
