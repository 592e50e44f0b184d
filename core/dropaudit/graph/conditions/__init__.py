"""Inputs and nodes that choose between the branches of a model."""
