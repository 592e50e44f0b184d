"""Numerics of the audit: pure functions and running statistics; numpy and scipy only."""
