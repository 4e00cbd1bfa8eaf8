"""Arrays of any kind as rows of numbers: checked, read in blocks, and their principal axes."""
