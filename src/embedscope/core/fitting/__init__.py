"""From what a fit is asked for to a fitted map."""
