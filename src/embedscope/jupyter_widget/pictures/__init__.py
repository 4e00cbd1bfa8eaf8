"""Pictures that the page asks for: images, planes and drawings."""
