"""Runs of suites, in calls."""
