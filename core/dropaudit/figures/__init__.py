"""Figures of a report: small summaries that pictures are drawn from, kept beside its numbers."""
