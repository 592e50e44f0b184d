"""Kills the master of Redis again and again under load, and closes the books."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from dropaudit_chaos.chaos import SETTINGS, Asker, await_the_end, together
from dropaudit_chaos.crowd import Crowd
from dropaudit_chaos.failover.group import RedisGroup, redis_group
from dropaudit_chaos.ledger import Ledger, close_books
from dropaudit_chaos.parts import serving

_WORKERS = 2


@dataclass(frozen=True, slots=True)
class FailoverPlan:
    """How much is to happen: `audits` are submitted at least, of so many `kinds`."""

    failovers: int
    audits: int
    clients: int
    seed: int
    pause: float
    kinds: int = 40


@dataclass(slots=True)
class Outcome:
    """The outcome of a run.

    Attributes:
        ledger: the books of everything that was answered.
        promoted: seconds from each kill until the Sentinels named another master.
        served: seconds from each kill until an audit that was asked for then had ended.
        repeated: calls that clients had to make again.
    """

    ledger: Ledger
    promoted: list[float] = field(default_factory=list)
    served: list[float] = field(default_factory=list)
    repeated: int = 0
    seconds: float = 0.0


def run(asked: FailoverPlan, folder: Path, note: Callable[[str], None] = print) -> Outcome:
    """Make a calm run, then kill masters while clients submit and workers audit, and close the books."""
    rng = random.Random(asked.seed)
    with redis_group(folder / "redis-group") as group:
        settings = {**SETTINGS, "redis_url": group.url, "redis_replicas": 1}
        with serving(folder, _WORKERS, **settings) as service:
            asker = Asker(service, asked.kinds)
            expected = [asker.calm_run()]
            asker.forget()
            began = time.monotonic()
            crowd = Crowd(service.address, asker.kinds, clients=asked.clients, least=asked.audits, pause=asked.pause)
            crowd.start()
            promoted, served = _kill_masters(group, asker, rng, asked, note)
            crowd.finish()
            await_the_end(service)
            accepted = together(crowd.accepted, asker.accepted)
            ledger = close_books(service.client, accepted, expected)
            asker.close()
            repeated = accepted.repeated + asker.repeated
            return Outcome(ledger, promoted, served, repeated, time.monotonic() - began)


def _kill_masters(
    group: RedisGroup, asker: Asker, rng: random.Random, asked: FailoverPlan, note: Callable[[str], None]
) -> tuple[list[float], list[float]]:
    promoted, served = [], []
    for number in range(asked.failovers):
        time.sleep(rng.uniform(0.5, 2.0))
        killed_at = time.monotonic()
        killed = group.fail_over()
        promoted.append(time.monotonic() - killed_at)
        asker.ask(rng.randrange(len(asker.kinds)))
        served.append(time.monotonic() - killed_at)
        note(f"failover {number + 1}: another master after {promoted[-1]:.1f} s, served after {served[-1]:.1f} s")
        if number + 1 < asked.failovers:
            group.bring_back(killed)
    return promoted, served
