"""Feeds every kind of hostile model to a real service, a healthy audit between any two, and tells how each ended."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dropaudit.plan import Plan, Provider, Role
from dropaudit_chaos.crowd import Caller
from dropaudit_chaos.parts import serving
from dropaudit_chaos.siege.hostile import base
from dropaudit_client import AuditClient
from dropaudit_client.errors import ServiceError
from dropaudit_client.resources import ArtifactRef, Audit

LIMIT_SECONDS = 3
SETTINGS = {
    "time_limit_seconds": LIMIT_SECONDS,
    "memory_limit_mebibytes": 2000,
    "max_attempts": 1,
    # Longer than any audit here: a busy machine alone must not lose one.
    "lease_seconds": 60,
    "reconcile_seconds": 0.5,
    "concurrency": 1,
}
_PLAN = Plan(provider=Provider.CPU, max_replicates=64)


@dataclass(frozen=True, slots=True)
class Ended:
    """How an audit of a hostile model ended: a verdict or a reason, and in how many seconds."""

    outcome: str
    message: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Siege:
    """How each kind ended, and how many of the healthy audits in between went wrong.

    Attributes:
        restarted: whether server or worker had to be started again.
    """

    ended: Mapping[str, Ended]
    neighbours: int
    harmed: int
    restarted: bool


def besiege(models: Mapping[str, bytes], folder: Path) -> Siege:
    """Audit each model in a real worker, and a healthy one beside it."""
    with serving(folder, 1, **SETTINGS) as service, AuditClient(service.address) as client:
        pids = [service.server.pid, service.workers[0].pid]
        # The first call may find a connection that was tried before the server listened.
        caller = Caller(service.address)
        healthy = ArtifactRef(
            caller.insist(lambda each: each.upload_model(base().SerializeToString())).name, Role.TRAIN
        )
        caller.close()
        ended, neighbours = {}, []
        for number, (name, content) in enumerate(models.items()):
            role = list(Role)[number % len(Role)]
            began = time.monotonic()
            audit = _asked(client, content, role)
            neighbours.append(client.create_audit(healthy, _PLAN).name)
            ended[name] = _ended(client, audit, began)
        harmed = sum(client.wait(name).report is None for name in neighbours)
        alive = service.server.runs and service.workers[0].runs
        return Siege(ended, len(models), harmed, not alive or pids != [service.server.pid, service.workers[0].pid])


def _asked(client: AuditClient, content: bytes, role: Role) -> Audit | ServiceError:
    try:
        return client.create_audit(ArtifactRef(client.upload_model(content).name, role), _PLAN)
    except ServiceError as error:
        return error


def _ended(client: AuditClient, audit: Audit | ServiceError, began: float) -> Ended:
    if isinstance(audit, ServiceError):
        return Ended(audit.reason, audit.message, time.monotonic() - began)
    final = client.wait(audit.name)
    seconds = time.monotonic() - began
    if final.report is not None:
        return Ended(final.report.verdict.value, final.report.summary, seconds)
    if final.failure is None:
        return Ended(final.state.value, "", seconds)
    return Ended(final.failure.reason, final.failure.message, seconds)
