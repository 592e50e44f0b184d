"""Throughput and endurance under load."""
