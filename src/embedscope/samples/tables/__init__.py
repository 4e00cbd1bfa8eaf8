"""Samples that come as rows: tables and arrays."""
