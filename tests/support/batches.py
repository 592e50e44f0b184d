"""Suites and runs over a real Redis, put together as server and workers do it; the test is the worker."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import redis

from dropaudit.plan import Plan
from dropaudit.report import Artifact, Finding, Report, to_json
from dropaudit_store.audits.lifecycle import AuditStore
from dropaudit_store.members.outside import Outside
from dropaudit_store.members.resolving import Resolver
from dropaudit_store.models import ModelStore
from dropaudit_store.naming.names import ModelNames
from dropaudit_store.records import AuditRecord, Failure, Member, Run, RunPhase, RunTrigger, Suite
from dropaudit_store.runs.concluding import Concluder
from dropaudit_store.runs.making import RunMaker
from dropaudit_store.runs.records import RunCounts, RunResult
from dropaudit_store.runs.store import Begin, RunStore
from dropaudit_store.runs.work import Works
from dropaudit_store.suites import SuiteStore
from support.clock import Clock
from support.reports import report_with

TOOL = "dropaudit 1, onnxruntime 1"


@dataclass
class Batches:
    """Everything that runs need."""

    client: redis.Redis
    clock: Clock
    outside: Outside | None = None
    run_seconds: float = 0.0
    retention_seconds: float = 0.0
    woken: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        from dropaudit_store.audits.lifecycle import Limits

        limits = Limits(retention_seconds=self.retention_seconds)
        self.audits = AuditStore(self.client, self.clock, limits, instants=self.clock, tool=TOOL)
        self.models = ModelStore(self.client, self.clock)
        self.names = ModelNames(self.client, self.models, self.clock)
        self.suites = SuiteStore(self.client, self.clock)
        self.runs = RunStore(self.client, self.clock, self.run_seconds)
        self.works = Works(self.client, self.clock, self.retention_seconds)
        self.resolver = Resolver(self.models, self.names, self.outside)
        self.maker = RunMaker(self.runs, self.audits, self.works, self.resolver, self.suites.get, self._wake)
        self.concluder = Concluder(self.client, self.runs, self.suites.get, self.clock)

    def _wake(self, records: Sequence[AuditRecord]) -> None:
        self.woken += [each.id for each in records]

    def suite(self, *members: Member, id: str = "nightly", **fields: Any) -> Suite:
        """Store a suite."""
        fields = {"plan": Plan(seed=3), "labels": {"team": "x"}, **fields}
        return self.suites.create(Suite(id=id, members=members, create_time=1.0, update_time=1.0, **fields))

    def begin(self, run_id: str = "r", suite_id: str = "nightly", due: float | None = None, **fields: Any) -> Run:
        """Begin a run and make it; one with a due time is the schedule's."""
        trigger = RunTrigger.MANUAL if due is None else RunTrigger.SCHEDULE
        self.clock.now += 1
        run = self.runs.begin(self.suites.get(suite_id), Begin(run_id, trigger, due, **fields))
        if run.phase in (RunPhase.RESOLVING, RunPhase.WAITING):
            self.maker.make(suite_id, run_id)
        return self.runs.read.get(suite_id, run_id)

    def requests(self, run: Run) -> list[AuditRecord]:
        """Return the audits of a run, in the order of its members."""
        assigned = self.runs.read.assigned(run.name)
        return self.audits.get_many(assigned[index].audit for index in sorted(assigned) if assigned[index].audit)

    def counts(self, run: Run) -> RunCounts:
        """Return a run's counts."""
        (found,) = self.runs.read.counts([run.name])
        assert found is not None
        return found

    def names_in(self, run: Run) -> list[str]:
        """Return the names of a run's members."""
        return [each.display_name for each in self.runs.read.members(run.name)]

    def finish(self, run: Run, reports: dict[str, Report | Failure] | None = None) -> None:
        """End the audits of a run that wait, by the names of members: those that are not named pass."""
        members, assigned = self.runs.read.members(run.name), self.runs.read.assigned(run.name)
        for index, each in enumerate(members):
            lease = self.audits.claim(assigned[index].audit, 30.0)
            if lease is None:
                continue
            outcome = (reports or {}).get(each.display_name, report_with())
            if isinstance(outcome, Failure):
                self.audits.fail(lease, outcome)
            else:
                digests = tuple(Artifact(sha256=file.sha256, bytes=1) for file in each.files)
                self.audits.succeed(lease, to_json(with_artifacts(outcome, digests)))

    def conclude(self, run: Run) -> RunResult:
        """Conclude a run that has ended."""
        self.concluder.conclude(run.suite, run.id)
        result = self.runs.read.result(run.name)
        assert result is not None
        return result

    def whole(self, run_id: str, reports: dict[str, Report | Failure] | None = None, **fields: Any) -> RunResult:
        """Make, finish and conclude a run."""
        run = self.begin(run_id, **fields)
        self.finish(run, reports)
        return self.conclude(run)


def with_artifacts(report: Report, artifacts: tuple[Artifact, ...]) -> Report:
    """Return a report of other files."""
    import msgspec

    execution = msgspec.structs.replace(report.execution, artifacts=artifacts)
    return msgspec.structs.replace(report, execution=execution)


def failing(*findings: Finding) -> Report:
    """Return a report with findings."""
    return report_with(*findings)
