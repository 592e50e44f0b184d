"""Traces of audits: a span of each attempt, below the span of the call that asked for it, and below it its phases."""

from __future__ import annotations

from collections.abc import Callable

import structlog

from dropaudit_store.audits.lifecycle import AuditStore
from dropaudit_store.errors import StoreError
from dropaudit_store.records import AuditRecord, AuditState
from dropaudit_store.shared.spans import Tracer, trace_id
from dropaudit_worker.making.course_recorder import CourseRecorder

Make = Callable[[str, str], None]

_FLUSH_SECONDS = 2.0


class TracedMaker:
    """Makes audits as another does, and tells how each attempt went. What it cannot learn it leaves out.

    Args:
        recorder: notes the phases of the audit that is made.
    """

    def __init__(self, make: Make, store: AuditStore, tracer: Tracer, recorder: CourseRecorder) -> None:
        self._make = make
        self._store = store
        self._tracer = tracer
        self._recorder = recorder

    def make(self, audit_id: str, holder: str = "") -> None:
        """Make an audit in a span."""
        before = self._found(audit_id)
        if before is None or before.state is not AuditState.QUEUED:
            self._make(audit_id, holder)
            return
        span = self._tracer.start_below("dropaudit audit", "CONSUMER", before.trace)
        span.set_attributes({"dropaudit.audit": audit_id, "dropaudit.priority": before.request.priority.value})
        self._recorder.begin()
        own = self._tracer.traceparent(span)
        try:
            with structlog.contextvars.bound_contextvars(trace_id=trace_id(own)):
                self._make(audit_id, holder)
        finally:
            for each in self._recorder.spans:
                self._tracer.record(f"dropaudit {each.phase.lower()}", each.start, each.end, own)
            self._tell(span, self._found(audit_id))
            span.end()

    def flush(self) -> None:
        """Send what waits, before this process ends."""
        self._tracer.flush(_FLUSH_SECONDS)

    def _found(self, audit_id: str) -> AuditRecord | None:
        try:
            return self._store.find_many([audit_id]).get(audit_id)
        except StoreError:
            return None

    def _tell(self, span: object, after: AuditRecord | None) -> None:
        if after is None:
            return
        told: dict[str, str | int | float] = {"dropaudit.state": after.state.value, "dropaudit.attempt": after.attempts}
        if after.start_time is not None:
            told["dropaudit.waited_seconds"] = after.start_time - after.create_time
        if after.report is not None:
            told["dropaudit.verdict"] = str(after.report["verdict"])
            told["dropaudit.replicates"] = int(after.report["execution"]["replicates"])
        span.set_attributes(told)  # type: ignore[attr-defined]  # OpenTelemetry's, which may not be installed
        if after.failure is not None:
            self._tracer.fail(span, after.failure.reason)
