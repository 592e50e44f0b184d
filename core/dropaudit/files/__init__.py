"""Models in several files: a graph, and the data that its weights lie in."""
