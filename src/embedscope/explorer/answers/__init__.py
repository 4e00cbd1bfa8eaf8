"""What can be asked of a map: what is near, what is drawn there, how sure, and why."""
