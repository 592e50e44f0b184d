"""Changes between two audits of one subject, and between two runs of many subjects. Pure functions of reports."""

from dropaudit.changes.members import Kind, MemberChange, Standing, Status, compare_members
from dropaudit.changes.outcomes import NotMade, Outcome
from dropaudit.changes.runs import RunChange, Trigger, combined, compare_runs, triggers_of
from dropaudit.changes.trends import Point, Sample, Series, trends

__all__ = [
    "Kind",
    "MemberChange",
    "NotMade",
    "Outcome",
    "Point",
    "RunChange",
    "Sample",
    "Series",
    "Standing",
    "Status",
    "Trigger",
    "combined",
    "compare_members",
    "compare_runs",
    "trends",
    "triggers_of",
]
