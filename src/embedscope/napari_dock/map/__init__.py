"""The map in the dock: its scene, its gestures and its legend."""
