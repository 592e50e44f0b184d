"""Claims about the time limit of an audit."""

from __future__ import annotations

import pytest

from dropaudit.errors import AuditCancelled
from dropaudit.plan import IsCancelled, OnProgress, Plan
from dropaudit.report import Execution, Report, Verdict
from dropaudit.runtime.interruption import Interrupter
from dropaudit.subjects import ArtifactSubject, Subject
from dropaudit_worker.limits import Limited, TimeLimitExceeded
from support.clock import Clock

MADE = Report(verdict=Verdict.PASS, summary="s", execution=Execution(provider="cpu"))


class Chunks:
    """An audit of chunks that take ten seconds each, and that asks after each whether it is cancelled."""

    def __init__(self, clock: Clock, number: int) -> None:
        self.clock = clock
        self.number = number

    def __call__(self, subject: Subject, plan: Plan, progress: OnProgress, cancelled: IsCancelled) -> Report:
        for _ in range(self.number):
            self.clock.now += 10.0
            if cancelled():
                raise AuditCancelled("cancelled")
        return MADE


def made(clock: Clock, chunks: int, *, cancelled: bool = False) -> Report:
    audit = Limited(Chunks(clock, chunks), 60.0, Interrupter(), clock)
    return audit(ArtifactSubject(b""), Plan(), lambda _: None, lambda: cancelled)


def test_an_audit_within_its_time_is_made(clock: Clock) -> None:
    assert made(clock, 6) == MADE


def test_an_audit_over_its_time_ends_at_the_next_chunk_and_says_what_to_do(clock: Clock) -> None:
    with pytest.raises(TimeLimitExceeded, match="longer than 60 s; lower max_replicates, or raise DROPAUDIT_TIME"):
        made(clock, 1000)
    assert clock.now == 1070.0


def test_an_audit_cancelled_in_time_is_cancelled(clock: Clock) -> None:
    with pytest.raises(AuditCancelled):
        made(clock, 1000, cancelled=True)
