"""Facts about a graph that do not need a run."""
