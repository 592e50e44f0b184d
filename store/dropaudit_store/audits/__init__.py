"""Audits as records: their state machine, lists, events and watchers."""
