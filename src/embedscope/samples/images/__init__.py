"""Samples cut from images: crops of labelled objects, and patches."""
