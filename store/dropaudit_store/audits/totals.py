"""Totals over all workers since the first audit, counted in the steps that end audits, and so each audit once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import redis

from dropaudit_store.errors import redis_errors
from dropaudit_store.records import AuditState
from dropaudit_store.redis.connection import key

# Upper ends of the classes that waits and runs are counted in, in seconds.
BOUNDS = (0.1, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0)
# A phase may be much shorter than its audit.
PHASE_BOUNDS = (0.005, 0.02, *BOUNDS)


@dataclass(frozen=True, slots=True)
class Times:
    """How many times were at most as long as each bound, in seconds, and their sum; the last bound is infinity."""

    counts: tuple[tuple[str, float], ...]
    sum: float


@dataclass(frozen=True, slots=True)
class Totals:
    """Totals of the work done.

    Attributes:
        finished: audits by state, by verdict or the failure's reason, and by where they ran, if that is known.
        replicates: train-mode executions behind all reports.
        lost: times that a worker was lost in the middle of an audit.
        expired: times that a lease ran out before its holder had finished.
        prepared: artifacts that were prepared already, `hit`, or had to be, `miss`.
        waits: from an audit's creation until a worker took it first.
        runs: from when a worker took an audit until it ended.
        phases: how long audits with a report were in each phase.
    """

    finished: Mapping[tuple[AuditState, str, str], float]
    replicates: float
    lost: float
    expired: float
    prepared: Mapping[str, float]
    waits: Times
    runs: Times
    phases: Mapping[str, Times]


def read_totals(client: redis.Redis) -> Totals:
    """Return the totals."""
    with redis_errors():
        fields = cast(dict[str, str], client.hgetall(key("totals")))
    return Totals(
        finished=_finished(fields),
        replicates=float(fields.get("replicates", 0)),
        lost=float(fields.get("lost", 0)),
        expired=float(fields.get("expired", 0)),
        prepared={result: float(fields.get(f"prepared:{result}", 0)) for result in ("hit", "miss")},
        waits=_times(fields, "wait", BOUNDS),
        runs=_times(fields, "run", BOUNDS),
        phases={phase: _times(fields, f"phase:{phase}", PHASE_BOUNDS) for phase in _phases(fields)},
    )


def _finished(fields: Mapping[str, str]) -> dict[tuple[AuditState, str, str], float]:
    """Return how audits ended. An earlier version counted them without where they ran."""
    found = dict[tuple[AuditState, str, str], float]()
    for name, count in fields.items():
        if name.startswith("finished:"):
            state, how, provider = (*name.split(":")[1:], "")[:3]
            each = (AuditState(state), how, provider)
            found[each] = found.get(each, 0.0) + float(count)
    return found


def _phases(fields: Mapping[str, str]) -> list[str]:
    return sorted(name.split(":")[1] for name in fields if name.startswith("phase:") and name.endswith(":sum"))


def _times(fields: Mapping[str, str], name: str, bounds: Sequence[float]) -> Times:
    counts, so_far = [], 0.0
    for bound in (*(f"{each:g}" for each in bounds), "inf"):
        so_far += float(fields.get(f"{name}:class:{bound}", 0))
        counts.append((bound, so_far))
    return Times(tuple(counts), float(fields.get(f"{name}:sum", 0)))
