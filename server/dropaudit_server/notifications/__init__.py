"""Notifications of runs, in calls."""
