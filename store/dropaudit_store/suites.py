"""Suites and their runs."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable

import msgspec
import redis

from dropaudit_store.audits import AuditStore
from dropaudit_store.connection import key, texts
from dropaudit_store.errors import RunNotFound, SuiteExists, SuiteNotFound, redis_errors
from dropaudit_store.models import ModelStore
from dropaudit_store.records import (
    ArtifactRef,
    AuditRequest,
    Glob,
    Member,
    Priority,
    Run,
    RunTrigger,
    Spec,
    SubjectRef,
    Suite,
)

_SUITES = key("suites")
_MINUTE_FORMAT = "%Y%m%dt%H%Mz"


class SuiteStore:
    """Suites in Redis, and the one piece of code that turns a suite into audits."""

    def __init__(
        self, client: redis.Redis, audits: AuditStore, models: ModelStore, clock: Callable[[], float] = time.time
    ) -> None:
        self._redis = client
        self._audits = audits
        self._models = models
        self._clock = clock

    def now(self) -> float:
        """Return the store's time, in seconds since the epoch."""
        return self._clock()

    def create(self, suite: Suite) -> Suite:
        """Store a suite. Raises SuiteExists."""
        with redis_errors():
            stored = self._redis.set(key("suite", suite.id), msgspec.json.encode(suite), nx=True)
            if not stored:
                raise SuiteExists(suite.id)
            self._redis.zadd(_SUITES, {suite.id: suite.create_time})
        return suite

    def get(self, suite_id: str) -> Suite:
        """Return a suite. Raises SuiteNotFound."""
        with redis_errors():
            found = self._redis.get(key("suite", suite_id))
        if found is None:
            raise SuiteNotFound(f"suites/{suite_id}")
        return msgspec.json.decode(found, type=Suite)

    def every(self) -> list[Suite]:
        """Return all suites, oldest first."""
        with redis_errors():
            ids = texts(self._redis.zrange(_SUITES, 0, -1))
        return [self.get(suite_id) for suite_id in ids]

    def run_now(self, suite_id: str, request_id: str = "") -> Run:
        """Turn a suite into audits; the same `request_id` returns the same run. Raises SuiteNotFound."""
        seed = f"{suite_id}/{request_id}" if request_id else uuid.uuid4().hex
        run_id = uuid.uuid5(uuid.NAMESPACE_OID, seed).hex
        return self._run(self.get(suite_id), run_id, RunTrigger.MANUAL, None)

    def run_due(self, suite_id: str, due: float) -> Run:
        """Turn a suite into audits for a due instant; however often it is called, there is one run for it."""
        run_id = time.strftime(_MINUTE_FORMAT, time.gmtime(due))
        return self._run(self.get(suite_id), run_id, RunTrigger.SCHEDULE, due)

    def get_run(self, suite_id: str, run_id: str) -> Run:
        """Return a run. Raises RunNotFound."""
        with redis_errors():
            found = self._redis.get(key("run", suite_id, run_id))
        if found is None:
            raise RunNotFound(f"suites/{suite_id}/runs/{run_id}")
        return msgspec.json.decode(found, type=Run)

    def runs(self, suite_id: str) -> list[Run]:
        """Return the runs of a suite, newest first. Raises SuiteNotFound."""
        self.get(suite_id)
        with redis_errors():
            ids = texts(self._redis.zrange(key("runs", suite_id), 0, -1, desc=True))
        return [self.get_run(suite_id, run_id) for run_id in ids]

    def _run(self, suite: Suite, run_id: str, trigger: RunTrigger, due: float | None) -> Run:
        """Make the audits first and the run last: a repeated call finds its audits by their request ids."""
        name = f"suites/{suite.id}/runs/{run_id}"
        with redis_errors():
            known = self._redis.get(key("run", suite.id, run_id))
        if known is not None:
            return msgspec.json.decode(known, type=Run)
        subjects = [subject for member in suite.members for subject in self._subjects(member)]
        audits = [
            self._audits.create(_request(suite, subject, name), f"{name}/{position}").id
            for position, subject in enumerate(subjects)
        ]
        run = Run(
            suite=suite.id,
            id=run_id,
            trigger=trigger,
            audits=tuple(audits),
            create_time=self._clock(),
            due_time=due,
        )
        with redis_errors(), self._redis.pipeline(transaction=True) as pipe:
            pipe.set(key("run", suite.id, run_id), msgspec.json.encode(run), nx=True)
            pipe.zadd(key("runs", suite.id), {run_id: run.create_time}, nx=True)
            pipe.execute()
        return self.get_run(suite.id, run_id)

    def _subjects(self, member: Member) -> list[SubjectRef]:
        if isinstance(member, Glob):
            found = self._models.matching(member.pattern)
            return [ArtifactRef(model=model.sha256, role=member.role) for model in found]
        return [member]


def _request(suite: Suite, subject: SubjectRef, run: str) -> AuditRequest:
    spec = Spec(subject=subject, plan=suite.plan)
    return AuditRequest(spec=spec, labels=suite.labels, priority=Priority.BATCH, run=run)
