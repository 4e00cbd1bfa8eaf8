"""How messages travel: what waits, how often it is sent, and by which thread."""
