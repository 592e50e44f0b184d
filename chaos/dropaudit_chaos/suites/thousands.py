"""A run of thousands of audits: watched, with a server that is started again in its middle, and made again by reuse."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dropaudit.plan import Plan, Role
from dropaudit_chaos.parts import Service, serving
from dropaudit_chaos.work import many_models
from dropaudit_client import AuditClient
from dropaudit_client.resources import Glob, Run
from dropaudit_client.runs.resources import RunCounts

_SUITE = "thousands"
_CONTENTS = 50
_REPLICATES = 128


@dataclass(frozen=True, slots=True)
class Thousands:
    """How the two runs went.

    Attributes:
        seen: the counts that were watched, one after the other.
        seconds, reuse_seconds: from the call to the end of the first run, and of the second.
        restarted_at: audits that had ended when the server was started again.
    """

    first: Run
    second: Run
    seen: tuple[RunCounts, ...]
    seconds: float
    reuse_seconds: float
    restarted_at: int

    def faults(self) -> Iterator[str]:
        """Yield what is not as it must be, in sentences."""
        total = self.first.counts.total
        if self.first.counts.succeeded != total:
            yield f"{self.first.counts.succeeded} of {total} audits succeeded"
        if self.second.counts.reused != total:
            yield f"{self.second.counts.reused} of {total} were reused"
        ended = [each.ended for each in self.seen]
        if ended != sorted(ended):
            yield "progress went back"
        if any(each.queued + each.running + each.ended != each.total for each in self.seen):
            yield "counts do not add up"


def thousands(count: int, folder: Path) -> Thousands:
    """Audit `count` models in one run, and again."""
    with serving(folder, 2, concurrency=1) as service, AuditClient(service.address) as client:
        contents = many_models(_CONTENTS)
        for number in range(count):
            client.upload_model(contents[number % _CONTENTS], display_name=f"model-{number:05}.onnx")
        plan = Plan(max_replicates=_REPLICATES)
        suite = client.create_suite(_SUITE, [Glob("*.onnx", role=Role.TRAIN)], plan).name
        began = time.monotonic()
        run = client.run_suite(suite)
        seen: list[RunCounts] = []
        restarted_at = _restart_in_the_middle(service, client, run.name, count, seen)
        first = client.wait_run(run.name, lambda each: seen.append(each.counts))
        seconds = time.monotonic() - began
        began = time.monotonic()
        second = client.wait_run(client.run_suite(suite).name)
        return Thousands(first, second, tuple(seen), seconds, time.monotonic() - began, restarted_at)


def _restart_in_the_middle(service: Service, client: AuditClient, name: str, count: int, seen: list[RunCounts]) -> int:
    for run in client.watch_run(name):
        seen.append(run.counts)
        if run.counts.ended >= count // 3:
            service.server.restart()
            return run.counts.ended
    raise RuntimeError(f"{name} ended before a third of it had")
