"""`python -m dropaudit_chaos.load.throughput`: audits a second through the whole service, against Celery's empty tasks.

Both over the same Redis, with the same number of processes, in the same run, one after the other, several times.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import psutil
from celery import Celery

from dropaudit.plan import Plan
from dropaudit.subjects import RecordedSubject
from dropaudit_chaos.load.empty_tasks import NAME, QUEUE, empty_app
from dropaudit_chaos.machine import machine
from dropaudit_chaos.parts import Part, Service, serving
from dropaudit_client import AuditClient
from dropaudit_client.resources import NewAudit, Priority
from dropaudit_store.redis.connection import key

_BATCH = 250
_SUBMITTERS = 2
_LONGEST_SECONDS = 300.0
_LOOK_SECONDS = 0.005
SETTINGS = {"concurrency": 1, "announce_seconds": 600, "log_level": "WARNING"}


@dataclass(frozen=True, slots=True)
class Round:
    """Audits and empty tasks a second, with two workers, and audits with one.

    Attributes:
        busy_cores: of the machine while one worker made audits; two cannot be faster than all cores allow.
    """

    empty_tasks: float
    audits: float
    audits_of_one_worker: float
    busy_cores: float


MODES = ("always", "everysec")


def main() -> int:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, default=2000, help="of each, in each round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--waiting", type=int, default=10_000, help="audits of a batch to be overtaken")
    parser.add_argument("--output", type=Path, help="folder for throughput.json and throughput.md")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found: dict[str, list[Round]] = {mode: [] for mode in MODES}
        for number in range(given.rounds):
            for mode, rounds in found.items():
                rounds.append(measure(given.tasks, Path(folder) / f"{mode}{number}", mode))
        waits = overtake(given.waiting, given.rounds, Path(folder) / "overtaking")
    text = table(found, waits, given.tasks, given.waiting)
    print(text)
    if given.output:
        record = {"machine": machine(), "tasks": given.tasks, "waiting": given.waiting, "waits": waits}
        record["rounds"] = {mode: list(map(asdict, rounds)) for mode, rounds in found.items()}
        (given.output / "throughput.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
        (given.output / "throughput.md").write_text(text + "\n", encoding="utf-8")
    return 0


def measure(tasks: int, folder: Path, appendfsync: str) -> Round:
    """Measure once."""
    folder.mkdir()
    with serving(folder, 2, **SETTINGS) as service:
        service.client.config_set("appendfsync", appendfsync)
        audits = audits_a_second(service, tasks)
        service.workers[1].stop()
        # Each call says how busy the cores were since the last.
        psutil.cpu_percent(percpu=True)
        alone = audits_a_second(service, tasks)
        busy_cores = sum(psutil.cpu_percent(percpu=True)) / 100
        service.workers[0].stop()
        return Round(_empty_tasks(service, tasks, folder), audits, alone, busy_cores)


def audits_a_second(service: Service, tasks: int) -> float:
    """Return audits a second, from the first submission to the last end, submitted in batches by two clients."""

    def submit(count: int) -> None:
        with AuditClient(service.address) as client:
            subject = client.store_subject(_recorded())
            for start in range(0, count, _BATCH):
                asked = [NewAudit(subject, Plan(), priority=Priority.BATCH)] * min(_BATCH, count - start)
                client.create_audits(asked)

    submit(_SUBMITTERS)
    _await(lambda: _open(service) == 0)
    began = time.perf_counter()
    with ThreadPoolExecutor(_SUBMITTERS) as pool:
        list(pool.map(submit, [tasks // _SUBMITTERS] * _SUBMITTERS))
    _await(lambda: _open(service) == 0)
    return tasks / (time.perf_counter() - began)


def _open(service: Service) -> int:
    return service.client.zcard(key("queued")) + service.client.zcard(key("running"))


def _empty_tasks(service: Service, tasks: int, folder: Path) -> float:
    """Return empty tasks a second, from the first submission to the last end, with two workers of one process."""
    app = empty_app(service.redis_url)
    with empty_workers(service, 2, folder):
        run_empty(app, service, 20)
        began = time.perf_counter()
        run_empty(app, service, tasks)
        return tasks / (time.perf_counter() - began)


@contextmanager
def empty_workers(service: Service, count: int, folder: Path) -> Iterator[list[Part]]:
    """Run workers of empty tasks while inside, of one process each."""
    command = [sys.executable, "-m", "celery", "--app=dropaudit_chaos.load.empty_tasks", "--quiet", "worker"]
    options = ["--pool=prefork", "--concurrency=1", "--without-gossip", "--without-mingle", f"--queues={QUEUE}"]
    environ = {"EMPTY_TASKS_REDIS_URL": service.redis_url}
    workers = [
        Part("empty", [*command, *options, f"--hostname=empty{number}@%h"], environ, folder / f"empty{number}.log")
        for number in range(count)
    ]
    try:
        for worker in workers:
            worker.start()
        yield workers
    finally:
        for worker in workers:
            worker.stop()


def run_empty(app: Celery, service: Service, count: int) -> None:
    """Have empty tasks made, and wait for the last."""
    for _ in range(count):
        app.send_task(NAME, queue=QUEUE, ignore_result=True)
    _await(lambda: service.client.llen(QUEUE) == 0 and not service.client.hlen("unacked"))


def overtake(waiting: int, times: int, folder: Path) -> list[float]:
    """Return how long interactive audits wait that are submitted behind a batch, in seconds from call to start."""
    folder.mkdir()
    waits = []
    with serving(folder, 1, **SETTINGS) as service, AuditClient(service.address, timeout=60.0) as client:
        subject = client.store_subject(_recorded())
        for _ in range(-(-waiting // _BATCH)):
            client.create_audits([NewAudit(subject, Plan(), priority=Priority.BATCH)] * _BATCH)
        for _ in range(times):
            # As many as have been made meanwhile are put back in line.
            for _ in range(max(0, waiting - service.client.zcard(key("queued"))) // _BATCH):
                client.create_audits([NewAudit(subject, Plan(), priority=Priority.BATCH)] * _BATCH)
            made = client.wait(client.create_audit(subject).name)
            assert made.start_time is not None
            assert made.create_time is not None
            waits.append((made.start_time - made.create_time).total_seconds())
    return waits


def _recorded() -> RecordedSubject:
    inference = np.linspace(0.1, 1.0, 50, dtype=np.float32)
    return RecordedSubject(inference, (np.where(np.arange(50) % 2 == 0, 2 * inference, 0).astype(np.float32),), 0.5)


def _await(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + _LONGEST_SECONDS
    while not holds():
        if time.monotonic() > end:
            raise TimeoutError("the work does not come to an end")
        time.sleep(_LOOK_SECONDS)


def table(found: dict[str, list[Round]], waits: list[float], tasks: int, waiting: int) -> str:
    """Return the medians as Markdown."""
    lines = [
        "# Throughput",
        "",
        f"{machine()}; clients, server and Redis share them with the workers. Audits of recorded outputs, submitted "
        f"in batches of {_BATCH} by {_SUBMITTERS} clients over gRPC, against Celery's own empty tasks with acks_late "
        f"and prefetch 1; two workers of one process each; {tasks} of each in a round; medians of "
        f"{len(found[MODES[0]])} rounds, a second.",
        "",
        "| appendfsync | empty tasks | audits | audits, one worker | audits / empty tasks | two workers / one "
        "| cores busy with one | so two / one at most |",
        "|---|---|---|---|---|---|---|---|",
        *(_row(mode, rounds) for mode, rounds in found.items()),
        "",
        f"An interactive audit that is submitted while {waiting} of a batch wait for one worker starts after "
        f"{statistics.median(waits):.2f} s (median of {len(waits)}, the longest {max(waits):.2f} s).",
    ]
    return "\n".join(lines)


def _row(mode: str, rounds: list[Round]) -> str:
    median = statistics.median
    columns = (
        f"{median(each.empty_tasks for each in rounds):.0f}",
        f"{median(each.audits for each in rounds):.0f}",
        f"{median(each.audits_of_one_worker for each in rounds):.0f}",
        f"{median(each.audits / each.empty_tasks for each in rounds):.2f}",
        f"{median(each.audits / each.audits_of_one_worker for each in rounds):.2f}",
        f"{median(each.busy_cores for each in rounds):.2f}",
        f"{median((os.cpu_count() or 1) / each.busy_cores for each in rounds):.2f}",
    )
    return f"| {mode} | " + " | ".join(columns) + " |"


if __name__ == "__main__":
    sys.exit(main())
