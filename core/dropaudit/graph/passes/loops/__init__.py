"""Passes that let one run of a model do what many do."""
