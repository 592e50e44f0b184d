"""Judgement: from evidence to findings and the summary."""
