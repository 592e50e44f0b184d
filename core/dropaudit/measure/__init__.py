"""From a subject to numbers: models and feeds, reference outputs, meters, and the sequential loop."""
