"""The messages between kernel and page, and how they are checked."""
