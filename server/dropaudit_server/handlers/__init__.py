"""Handlers of the calls, in records."""
