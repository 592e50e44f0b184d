"""What each call does, in records; blocking, so that it runs in a thread."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from dropaudit_server.requests import AskedAudit
from dropaudit_server.suite_requests import AskedSuite
from dropaudit_server.wakeups import WakeUps
from dropaudit_store.audits import AuditStore
from dropaudit_store.blobs import BlobStore
from dropaudit_store.models import ModelStore
from dropaudit_store.records import AuditRecord, AuditRequest, AuditState, ModelRecord, Run, Suite
from dropaudit_store.suites import SuiteStore


@dataclass(frozen=True, slots=True)
class RunStatus:
    """A run with its audits as they stand."""

    run: Run
    audits: list[AuditRecord]


class Handlers:
    """The service's work, over the store. Raises the store's errors."""

    def __init__(
        self,
        audits: AuditStore,
        models: ModelStore,
        suites: SuiteStore,
        blobs: BlobStore,
        wake_ups: WakeUps,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._audits = audits
        self._models = models
        self._suites = suites
        self._blobs = blobs
        self._wake_ups = wake_ups
        self._clock = clock

    def add_model(self, sha256: str, size: int, display_name: str) -> ModelRecord:
        """Note a model whose content is stored."""
        return self._models.add(sha256, size, display_name)

    def get_model(self, sha256: str) -> ModelRecord:
        """Return a model. Raises ModelNotFound."""
        return self._models.get(sha256)

    def create_audit(self, asked: AskedAudit) -> AuditRecord:
        """Accept an audit: first its record, then the wake-up call, which may get lost. Raises ModelNotFound."""
        self._require_models(asked.asked.models)
        if asked.validate_only:
            return self._unsaved(asked)
        request = AuditRequest(spec=asked.spec(self._blobs.put_tensors), labels=asked.labels, priority=asked.priority)
        record = self._audits.create(request, asked.request_id)
        self._wake_ups.audits([record.id])
        return record

    def _unsaved(self, asked: AskedAudit) -> AuditRecord:
        spec = asked.spec(self._blobs.describe_tensors)
        request = AuditRequest(spec=spec, labels=asked.labels, priority=asked.priority)
        return AuditRecord(id="", request=request, state=AuditState.QUEUED, create_time=self._clock())

    def get_audit(self, audit_id: str) -> AuditRecord:
        """Return an audit. Raises AuditNotFound."""
        return self._audits.get(audit_id)

    def create_suite(self, asked: AskedSuite) -> Suite:
        """Store a suite; a worker takes up its schedule. Raises SuiteExists and ModelNotFound."""
        self._require_models(asked.models)
        suite = self._suites.create(asked.stored(self._blobs.put_tensors, self._clock()))
        if suite.cron:
            self._wake_ups.suite(suite.id)
        return suite

    def get_suite(self, suite_id: str) -> Suite:
        """Return a suite. Raises SuiteNotFound."""
        return self._suites.get(suite_id)

    def run_suite(self, suite_id: str, request_id: str) -> RunStatus:
        """Turn a suite into audits. Raises SuiteNotFound."""
        run = self._suites.run_now(suite_id, request_id)
        self._wake_ups.audits(run.audits)
        return self._status(run)

    def get_run(self, suite_id: str, run_id: str) -> RunStatus:
        """Return a run. Raises RunNotFound."""
        return self._status(self._suites.get_run(suite_id, run_id))

    def list_runs(self, suite_id: str, start: int, count: int) -> tuple[list[RunStatus], int | None]:
        """Return a page of runs, newest first, and where the next begins. Raises SuiteNotFound."""
        runs = self._suites.runs(suite_id)
        page = [self._status(run) for run in runs[start : start + count]]
        return page, start + count if start + count < len(runs) else None

    def _status(self, run: Run) -> RunStatus:
        return RunStatus(run, self._audits.get_many(run.audits))

    def _require_models(self, digests: Iterable[str]) -> None:
        for digest in digests:
            self._models.get(digest)
