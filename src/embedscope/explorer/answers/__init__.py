"""Answers about a map: nearest samples, decoding, uncertainty, explanations."""

from embedscope.explorer.answers._places import PlaceIndex

__all__ = ["PlaceIndex"]
