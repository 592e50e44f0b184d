"""Totals over all workers since the first audit, counted in the steps that end audits, and so each audit once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

import redis

from dropaudit_store.errors import redis_errors
from dropaudit_store.records import AuditState
from dropaudit_store.redis.connection import key
from dropaudit_store.redis.scripts import BOUNDS


@dataclass(frozen=True, slots=True)
class Times:
    """How many times were at most as long as each bound, in seconds, and their sum; the last bound is infinity."""

    counts: tuple[tuple[str, float], ...]
    sum: float


@dataclass(frozen=True, slots=True)
class Totals:
    """Totals of the work done.

    Attributes:
        finished: audits by state, and by verdict or the failure's reason.
        replicates: train-mode executions behind all reports.
        lost: times that a worker was lost in the middle of an audit.
        waits: from an audit's creation until a worker took it first.
        runs: from when a worker took an audit until it ended.
    """

    finished: Mapping[tuple[AuditState, str], float]
    replicates: float
    lost: float
    waits: Times
    runs: Times


def read_totals(client: redis.Redis) -> Totals:
    """Return the totals."""
    with redis_errors():
        fields = cast(dict[str, str], client.hgetall(key("totals")))
    ends = (name.split(":", 2) for name in fields if name.startswith("finished:"))
    return Totals(
        finished={(AuditState(state), how): float(fields[f"{kind}:{state}:{how}"]) for kind, state, how in ends},
        replicates=float(fields.get("replicates", 0)),
        lost=float(fields.get("lost", 0)),
        waits=_times(fields, "wait"),
        runs=_times(fields, "run"),
    )


def _times(fields: Mapping[str, str], name: str) -> Times:
    counts, so_far = [], 0.0
    for bound in (*(f"{each:g}" for each in BOUNDS), "inf"):
        so_far += float(fields.get(f"{name}:class:{bound}", 0))
        counts.append((bound, so_far))
    return Times(tuple(counts), float(fields.get(f"{name}:sum", 0)))
