"""The time limit of an audit."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol

from dropaudit.errors import AuditCancelled, AuditError
from dropaudit.plan import IsCancelled, OnProgress, Plan
from dropaudit.report import Report
from dropaudit.subjects import Subject

MakeAudit = Callable[[Subject, Plan, OnProgress, IsCancelled], Report]


class TimeLimitExceeded(AuditError):
    """An audit took longer than this worker lets one take."""

    reason = "TIME_LIMIT_EXCEEDED"


class Interrupter(Protocol):
    """Ends what the runtime does; `dropaudit.runtime.interruption.Interrupter` is one."""

    def running(self) -> AbstractContextManager[None]: ...

    def end(self) -> None: ...


class Limited:
    """An audit that ends once it is over its time, or is told to: between two chunks, and inside the runtime.

    Celery's soft limit would raise inside the runtime, which takes any error for its own.
    """

    def __init__(
        self,
        audit: MakeAudit,
        seconds: float,
        interrupter: Interrupter,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._audit = audit
        self._seconds = seconds
        self._interrupter = interrupter
        self._clock = clock
        self._end = math.inf

    def __call__(self, subject: Subject, plan: Plan, progress: OnProgress, cancelled: IsCancelled, /) -> Report:
        """Make an audit.

        Raises:
            TimeLimitExceeded: it was over its time.
            AuditCancelled: it was told to end.
        """
        self._end = self._clock() + self._seconds
        try:
            with self._interrupter.running():
                return self._audit(subject, plan, progress, lambda: cancelled() or self._is_over())
        except AuditCancelled as error:
            if cancelled() or not self._is_over():
                raise
            raise TimeLimitExceeded(
                f"the audit took longer than {self._seconds:g} s; lower max_replicates, or raise "
                "DROPAUDIT_TIME_LIMIT_SECONDS of the workers"
            ) from error
        finally:
            self._end = math.inf

    def tell(self, stop: bool) -> None:
        """End the audit when it is to stop, or is over its time; from any thread."""
        if stop or self._is_over():
            self._interrupter.end()

    def _is_over(self) -> bool:
        return self._clock() > self._end
