"""Findings that somebody accepts for a while: they stay in the report, and do not move the verdict."""

from dropaudit.acceptance.accepted import AcceptedFinding, Range, end_of_day
from dropaudit.acceptance.apply import accept

__all__ = ["AcceptedFinding", "Range", "accept", "end_of_day"]
