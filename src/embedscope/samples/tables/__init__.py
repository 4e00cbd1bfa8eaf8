"""Samples that are rows of tables and items of arrays."""
