"""The audit: a subject and a plan in, a report out."""

from __future__ import annotations

from dropaudit.errors import model_errors
from dropaudit.plan import IsCancelled, OnProgress, Plan
from dropaudit.report import Report
from dropaudit.subjects import RecordedSubject, Subject


def ignore_progress(_: object) -> None:
    """Take no notice of progress."""


def never_cancelled() -> bool:
    """Let the audit run to its end."""
    return False


def audit(
    subject: Subject,
    plan: Plan | None = None,
    *,
    progress: OnProgress = ignore_progress,
    cancelled: IsCancelled = never_cancelled,
) -> Report:
    """Audit a subject.

    Args:
        subject: an artifact, a pair of artifacts, or recorded outputs.
        plan: how to measure and decide; the defaults when None.
        progress: called after each phase and each chunk of replicates.
        cancelled: asked between chunks; True ends the audit with AuditCancelled.

    Returns:
        The report; the same seed, provider and machine give the same one, but for its times.

    Raises:
        AuditError: the audit could not be made; the subclass says why.
    """
    plan = plan or Plan()
    if isinstance(subject, RecordedSubject):
        from dropaudit.audit_recorded import audit_recorded

        return audit_recorded(subject, plan)
    from dropaudit.audit_artifacts import audit_artifacts

    with model_errors():
        return audit_artifacts(subject, plan, progress, cancelled)
