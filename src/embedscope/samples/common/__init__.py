"""What samples of every kind have in common."""
