"""Sessions on disk: an explorer saved whole, and opened again."""
