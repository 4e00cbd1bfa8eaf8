"""What counts as alike: one module for each choice of `TrainingParameters.alike`."""
