"""Passes: each makes a model of a model."""
