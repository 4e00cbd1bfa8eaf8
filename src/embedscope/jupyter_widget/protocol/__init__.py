"""The messages between kernel and page, and their checks."""
