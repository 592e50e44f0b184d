"""Passes that make of a valid model one that the runtime can run."""
