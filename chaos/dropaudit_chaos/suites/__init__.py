"""Scheduled suites of a whole service over minutes: what changed, each due time once, and runs of thousands."""
