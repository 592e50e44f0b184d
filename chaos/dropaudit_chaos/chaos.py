"""`make chaos`: audits while everything that can break does, and the books afterwards."""

from __future__ import annotations

import random
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from dropaudit_chaos.crowd import Accepted, Caller, Crowd
from dropaudit_chaos.faults import FAULTS, needs_disks, possible
from dropaudit_chaos.ledger import Ledger, close_books, without_times
from dropaudit_chaos.parts import Service, serving
from dropaudit_chaos.special_faults.disks import own_disks
from dropaudit_chaos.special_faults.versions import all_of_another_version
from dropaudit_chaos.work import AuditKind, kinds
from dropaudit_client.resources import Priority
from dropaudit_store.audits.lifecycle import AuditStore
from dropaudit_store.redis.connection import key

# What is lost is found soon, so that recovery is seen; nobody is lost so often that an audit fails for it.
SETTINGS: Mapping[str, object] = {
    "lease_seconds": 2,
    "reconcile_seconds": 0.5,
    "announce_seconds": 2,
    "max_attempts": 1000,
    "health_seconds": 0.5,
    "concurrency": 1,
}
_WORKERS = 2
_LONGEST_RECOVERY_SECONDS = 120.0
_LOOK_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class ChaosPlan:
    """How much is to happen."""

    audits: int
    faults_of_each: int
    clients: int
    seed: int
    pause: float
    kinds: int = 100


@dataclass(slots=True)
class Outcome:
    """What happened: the books, and how long it took after each fault until an audit asked for then was made.

    Attributes:
        impossible: faults that were asked for and cannot be made here.
    """

    ledger: Ledger
    recovery: dict[str, list[float]] = field(default_factory=dict)
    calm: list[float] = field(default_factory=list)
    repeated: int = 0
    seconds: float = 0.0
    impossible: tuple[str, ...] = ()


def run(asked: ChaosPlan, folder: Path, chosen: Sequence[str] = tuple(FAULTS)) -> Outcome:
    """Make a calm run, then break things while clients submit, and close the books."""
    rng = random.Random(asked.seed)
    with _disks(folder, chosen) as own, serving(folder, _WORKERS, **SETTINGS) as service:
        possible_here = possible(chosen, own_disks=own)
        asker = Asker(service, asked.kinds)
        expected = [asker.calm_run()]
        if "other version" in possible_here:
            with all_of_another_version(service):
                expected.append(asker.calm_run())
        # The books are of what is submitted while things break.
        calm = asker.forget()
        began = time.monotonic()
        crowd = Crowd(service.address, asker.kinds, clients=asked.clients, least=asked.audits, pause=asked.pause)
        crowd.start()
        recovery = _break_things(
            service, asker, rng, [name for name in possible_here for _ in range(asked.faults_of_each)]
        )
        crowd.finish()
        accepted = together(crowd.accepted, asker.accepted)
        await_the_end(service)
        ledger = close_books(service.client, accepted, expected)
        asker.close()
        repeated, impossible = accepted.repeated + asker.repeated, tuple(sorted(set(chosen) - set(possible_here)))
        return Outcome(ledger, recovery, calm, repeated, time.monotonic() - began, impossible)


def _disks(folder: Path, chosen: Sequence[str]) -> AbstractContextManager[bool]:
    return own_disks(folder) if needs_disks(chosen) else nullcontext(False)


class Asker:
    """Who asks for an audit right after a fault, and waits for its end."""

    def __init__(self, service: Service, count: int) -> None:
        self._service = service
        self._caller = Caller(service.address)
        self.kinds: list[AuditKind] = self._caller.insist(lambda client: kinds(client, count))
        self.accepted = Accepted()
        self.waits: list[float] = []

    @property
    def repeated(self) -> int:
        """How often a call had to be made again."""
        return self._caller.repeated

    def close(self) -> None:
        self._caller.close()

    def calm_run(self) -> dict[int, object]:
        """Make each kind of audit once while nothing breaks; returns the reports."""
        names = {number: self.ask(number) for number in range(len(self.kinds))}
        audits = AuditStore(self._service.client)
        return {number: without_times(audits.get(_id(name)).report) for number, name in names.items()}

    def forget(self) -> list[float]:
        """Delete what was asked for so far, and return how long each audit took."""
        for name in self.accepted.kinds:
            AuditStore(self._service.client).delete(_id(name))
        waits, self.waits, self.accepted = self.waits, [], Accepted()
        return waits

    def ask(self, number: int) -> str:
        """Ask for an audit, and wait until it has ended."""
        began = time.monotonic()
        request_id, name = self._caller.submit(self.kinds[number], Priority.INTERACTIVE)
        self.accepted.names[request_id], self.accepted.kinds[name] = name, number
        while not self._caller.is_final(name):
            if time.monotonic() - began > _LONGEST_RECOVERY_SECONDS:
                raise TimeoutError(f"{name} has not ended within {_LONGEST_RECOVERY_SECONDS:g} s")
            time.sleep(_LOOK_SECONDS)
        self.waits.append(time.monotonic() - began)
        return name


def _break_things(service: Service, asker: Asker, rng: random.Random, faults: list[str]) -> dict[str, list[float]]:
    rng.shuffle(faults)
    recovery: dict[str, list[float]] = {}
    for done, name in enumerate(faults):
        # While the fault lasts: who asks then waits until it is over.
        with ThreadPoolExecutor(1) as pool:
            fault = pool.submit(FAULTS[name], service, random.Random(rng.random()))
            asker.ask(rng.randrange(len(asker.kinds)))
        fault.result()
        recovery.setdefault(name, []).append(asker.waits[-1])
        if done % 50 == 49:
            print(f"{done + 1} of {len(faults)} faults", flush=True)
    return recovery


def _id(name: str) -> str:
    return name.removeprefix("audits/")


def together(first: Accepted, second: Accepted) -> Accepted:
    """Return what either of two lists of accepted audits holds."""
    return Accepted({**first.names, **second.names}, {**first.kinds, **second.kinds}, first.repeated + second.repeated)


def await_the_end(service: Service) -> None:
    """Wait until no audit waits or runs."""
    end = time.monotonic() + _LONGEST_RECOVERY_SECONDS
    while service.client.zcard(key("queued")) + service.client.zcard(key("running")) and time.monotonic() < end:
        time.sleep(_LOOK_SECONDS)
