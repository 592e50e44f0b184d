"""Masks that keep each feature with a probability of its own, as concrete dropout does."""
