"""What people mark on a map: selection, regions and gates, with undo."""
