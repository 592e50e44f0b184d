"""Suites that run, and their runs, as plain values."""
