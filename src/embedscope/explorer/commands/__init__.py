"""What can be done with an explorer, by what it changes."""
