"""The commands of an explorer, grouped by what they change."""
