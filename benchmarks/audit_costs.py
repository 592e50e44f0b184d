"""What one recorded audit costs each process of the service, and Redis: processor time, commands, bytes, wake-ups.

    audit_costs.py [--audits 2000] [--appendfsync always]

Audits are submitted as `make throughput` does. Processor time says on a busy machine too what a change has saved.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import psutil

from dropaudit_chaos.load.empty_tasks import empty_app
from dropaudit_chaos.load.throughput import SETTINGS, audits_a_second, empty_workers, run_empty
from dropaudit_chaos.parts import Part, Service, serving

Costs = dict[str, tuple[float, float]]


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--audits", type=int, default=2000)
    parser.add_argument("--appendfsync", choices=["always", "everysec", "no"], default="always")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder), 1, **SETTINGS, audits_per_sandbox=0) as service:
        service.client.config_set("appendfsync", asked.appendfsync)
        audits_a_second(service, 100)
        before, redis_before = _costs(_of_service(service)), _redis(service)
        rate = audits_a_second(service, asked.audits)
        after, redis_after = _costs(_of_service(service)), _redis(service)
        empty = _empty_tasks(service, asked.audits, Path(folder))
    print(f"{rate:.0f} audits a second; of each audit:\n")
    print(*_of_processes(before, after, asked.audits), "", sep="\n")
    print(*_of_redis(redis_before, redis_after, asked.audits), "", sep="\n")
    whole = sum(after[name][0] - before[name][0] for name in before) / asked.audits
    print(f"An empty task of Celery takes {empty:.3f} ms of all: {empty / whole:.2f} of an audit.")
    return 0


def _empty_tasks(service: Service, tasks: int, folder: Path) -> float:
    """Return milliseconds of processor time of an empty task, of all processes together."""
    app = empty_app(service.redis_url)
    service.workers[0].stop()
    with empty_workers(service, 1, folder) as (worker,):
        run_empty(app, service, 100)
        processes = [("redis", psutil.Process(service.redis.pid)), *_of_worker(worker), ("this", psutil.Process())]
        before = _costs(processes)
        run_empty(app, service, tasks)
        after = _costs(processes)
    return sum(after[name][0] - before[name][0] for name in before) / tasks


def _costs(processes: Iterable[tuple[str, psutil.Process]]) -> Costs:
    """Return milliseconds of processor time and the number of times that it began to wait, by process."""
    return {name: (1000 * sum(process.cpu_times()[:2]), float(_waits(process))) for name, process in processes}


def _of_service(service: Service) -> Iterator[tuple[str, psutil.Process]]:
    yield "redis", psutil.Process(service.redis.pid)
    yield "server", psutil.Process(service.server.pid)
    yield from _of_worker(service.workers[0])
    for sandbox in service.workers[0].sandboxes():
        yield "sandbox", sandbox
    yield "this process", psutil.Process()


def _of_worker(worker: Part) -> Iterator[tuple[str, psutil.Process]]:
    yield "worker", psutil.Process(worker.pid)
    for child in worker.children():
        yield "child", child


def _waits(process: psutil.Process) -> int:
    tasks = Path(f"/proc/{process.pid}/task")
    found = 0
    for status in tasks.glob("*/status"):
        lines = status.read_text(encoding="ascii", errors="replace").splitlines()
        found += sum(int(line.split()[1]) for line in lines if line.startswith("voluntary_ctxt_switches"))
    return found


def _redis(service: Service) -> dict[str, float]:
    info: dict[str, Any] = service.client.info("everything")
    found = {name.removeprefix("cmdstat_"): float(each["calls"]) for name, each in info.items() if "cmdstat_" in name}
    for name in ("total_net_input_bytes", "total_net_output_bytes", "eventloop_cycles", "aof_current_size"):
        found[f"({name})"] = float(info.get(name, 0))
    return found


def _of_processes(before: Costs, after: Costs, audits: int) -> Iterator[str]:
    yield "| process | milliseconds of processor time | times it began to wait |"
    yield "|---|---:|---:|"
    rows = {name: [(after[name][i] - before[name][i]) / audits for i in (0, 1)] for name in before}
    for name, (cost, waits) in rows.items():
        yield f"| {name} | {cost:.3f} | {waits:.2f} |"
    yield f"| all | {sum(row[0] for row in rows.values()):.3f} | {sum(row[1] for row in rows.values()):.2f} |"


def _of_redis(before: Mapping[str, float], after: Mapping[str, float], audits: int) -> Iterator[str]:
    yield "| Redis | of each audit |"
    yield "|---|---:|"
    counted = {name: (value - before.get(name, 0)) / audits for name, value in after.items()}
    for name, value in sorted(counted.items(), key=lambda item: -item[1]):
        if value >= 0.05:
            yield f"| {name} | {value:.2f} |"


if __name__ == "__main__":
    sys.exit(main())
