"""Parts that all panels of the dock share."""
