"""The time limit of an audit."""

from __future__ import annotations

import time
from collections.abc import Callable

from dropaudit.errors import AuditCancelled, AuditError
from dropaudit.plan import IsCancelled, OnProgress, Plan
from dropaudit.report import Report
from dropaudit.subjects import Subject
from dropaudit_worker.maker import Audit


class TimeLimitExceeded(AuditError):
    """An audit took longer than this worker lets one take."""

    reason = "TIME_LIMIT_EXCEEDED"


def limited(audit: Audit, seconds: float, clock: Callable[[], float] = time.monotonic) -> Audit:
    """Return an audit that cancels itself between two chunks once it is over its time.

    Celery's soft limit would raise inside the runtime, which takes any error for its own.

    Raises:
        TimeLimitExceeded: from the returned audit.
    """

    def in_time(subject: Subject, plan: Plan, progress: OnProgress, cancelled: IsCancelled) -> Report:
        end = clock() + seconds
        try:
            return audit(subject, plan, progress, lambda: cancelled() or clock() > end)
        except AuditCancelled as error:
            if clock() <= end:
                raise
            raise TimeLimitExceeded(
                f"the audit took longer than {seconds:g} s; lower max_replicates, or raise "
                "DROPAUDIT_TIME_LIMIT_SECONDS of the workers"
            ) from error

    return in_time
