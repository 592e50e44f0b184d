"""Shared by every process: logs, spans, task names and limits in bytes."""
