"""What the samples are coloured by, and the colours that they get."""
