"""Members of a suite, resolved to models when a run begins."""
