"""What decides between the branches of a model."""
