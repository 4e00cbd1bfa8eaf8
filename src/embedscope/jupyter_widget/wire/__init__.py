"""How messages are sent: the queue, the rate, and the thread."""
