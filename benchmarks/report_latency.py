"""How long a client waits for a report, against the same audit in this process, one at a time and queued at once."""

from __future__ import annotations

import asyncio
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import grpc

from cases import Case
from dropaudit import ArtifactSubject, Plan, Role, audit
from dropaudit.plan import Provider
from dropaudit_client import AuditClient
from dropaudit_client.resources import ArtifactRef, NewAudit
from dropaudit_proto.v1 import audit_pb2 as pb
from dropaudit_proto.v1.audit_pb2_grpc import AuditServiceStub

CASE = Case(hidden=10)
_WARM = 10


def report_latency(address: str, idle: list[str], rounds: int, watchers: int, queued: int) -> dict[str, Any]:
    """Return milliseconds to the report in process and by the service, in turn, and how fast what is queued is made.

    Args:
        address: of a server with a worker.
        idle: names of audits that never end, to be watched meanwhile.
    """
    content = CASE.content()
    with AuditClient(address) as client:
        name = client.upload_model(content).name
        alone = _in_turn(client, name, content, rounds)
        with _watched(address, idle, watchers):
            crowded = _in_turn(client, name, content, rounds)
        seconds = _queued(client, name, queued)
    in_process = statistics.median(alone["in process"])
    return {
        "rounds": rounds,
        "alone": alone,
        "watchers": watchers,
        "crowded": crowded,
        "queued": queued,
        "queued_rate": queued / seconds,
        "in_process_rate": 1000 / in_process,
    }


def _plan(seed: int) -> Plan:
    return Plan(provider=Provider.CPU, seed=seed)


def _in_turn(client: AuditClient, name: str, content: bytes, rounds: int) -> dict[str, list[float]]:
    """Time both in turn: what else the machine does meets both alike."""
    times: dict[str, list[float]] = {"in process": [], "service": []}
    for number in range(rounds + _WARM):
        plan = _plan(number)

        def here() -> object:
            return audit(ArtifactSubject(content, Role.TRAIN), plan)  # noqa: B023

        def there() -> object:
            return client.wait(client.create_audit(ArtifactRef(name, Role.TRAIN), plan).name)  # noqa: B023

        for kind, call in (("in process", here), ("service", there)):
            milliseconds = _milliseconds(call)
            if number >= _WARM:
                times[kind].append(milliseconds)
    return times


def _milliseconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return (time.perf_counter() - start) * 1000


def _queued(client: AuditClient, name: str, count: int) -> float:
    """Return how long it takes until all of many that are queued at once have ended."""
    asked = [NewAudit(ArtifactRef(name, Role.TRAIN), _plan(seed)) for seed in range(count)]
    start = time.perf_counter()
    for made in client.create_audits(asked):
        client.wait(made.name)
    return time.perf_counter() - start


@contextmanager
def _watched(address: str, names: list[str], watchers: int) -> Iterator[None]:
    """Watch audits from a thread of its own while inside."""
    stop = threading.Event()

    async def follow(stub: Any, name: str) -> None:
        async for _ in stub.WatchAudit(pb.WatchAuditRequest(name=name)):
            pass

    async def run() -> None:
        async with grpc.aio.insecure_channel(address) as channel:
            stub = AuditServiceStub(channel)
            tasks = [asyncio.create_task(follow(stub, names[number % len(names)])) for number in range(watchers)]
            await asyncio.to_thread(stop.wait)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    thread = threading.Thread(target=lambda: asyncio.run(run()))
    thread.start()
    time.sleep(2)
    try:
        yield
    finally:
        stop.set()
        thread.join()


def lines(found: dict[str, Any]) -> list[str]:
    """Return rows of Markdown."""
    rows = [
        "",
        f"To the report of {CASE}, {found['rounds']} rounds in turn:",
        "",
        "| what | p50 | p99 |",
        "|---|---|---|",
    ]
    for name, label in (("alone", "one at a time"), ("crowded", f"beside {found['watchers']} watchers")):
        here, there = (_percentiles(found[name][kind]) for kind in ("in process", "service"))
        rows += [
            f"| in process, {label} | {here[0]:.1f} | {here[1]:.1f} |",
            f"| by the service, {label} | {there[0]:.1f} | {there[1]:.1f} |",
            f"| added | {there[0] - here[0]:.1f} | {there[1] - here[1]:.1f} |",
        ]
    ratio = found["queued_rate"] / found["in_process_rate"]
    rows += [
        "",
        f"{found['queued']} audits queued at once were made at {found['queued_rate']:.1f} a second, {ratio:.2f} of the "
        "rate in process, one after the other.",
    ]
    return rows


def _percentiles(values: list[float]) -> tuple[float, float]:
    ordered = sorted(values)
    return statistics.median(ordered), ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
