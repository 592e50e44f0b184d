"""Costs of the service: submitting, watching, listing and uploading, each against its own baseline in one run.

Submitting is compared with an empty unary call to a bare grpc.aio server plus one Redis write, interleaved with it.
Writes benchmarks/service.json and benchmarks/service.md.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any

import grpc

from dropaudit.plan import Phase, Plan, Progress
from dropaudit.runtime.provider import cpu_name
from dropaudit_client.local.private_redis import redis_command
from dropaudit_client.local.processes import Process
from dropaudit_client.local.service import free_port
from dropaudit_proto.v1 import audit_pb2 as pb
from dropaudit_proto.v1.audit_pb2_grpc import AuditServiceStub
from dropaudit_server.probe import health
from dropaudit_store.audits.creation import AuditToCreate
from dropaudit_store.audits.lifecycle import AuditStore, Lease
from dropaudit_store.records import ArtifactRef, AuditRequest, Spec
from dropaudit_store.redis.connection import connect
from report_latency import lines as report_lines
from report_latency import report_latency

FOLDER = Path(__file__).parent
MEBIBYTE = 1 << 20
Worker = Callable[[], AbstractContextManager[None]]
EMPTY = "/benchmark.Empty/Call"
WATCHERS = 200
FILTERS = {"no filter": "", "one label": "labels.team = t7", "two terms": "state = QUEUED AND NOT labels.team = t7"}


def main() -> int:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--calls", type=int, default=2000, help="submits, and listed pages of each kind")
    parser.add_argument("--audits", type=int, default=100_000, help="stored audits of the large list")
    parser.add_argument("--reports", type=int, default=200, help="audits that are waited for, of each kind")
    parser.add_argument("--upload-mebibytes", type=int, default=1024)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, services(Path(folder)) as found:
        result = {
            "machine": f"{cpu_name()}, {os.cpu_count()} cores",
            "submit": submit(found, asked.calls),
            "watch": asyncio.run(watch(found)),
            "report": report(found, asked.reports),
            "list": listing(found, asked.calls, asked.audits),
            "upload": upload(found, asked.upload_mebibytes),
        }
    text = table(result)
    print(text)
    (FOLDER / "service.json").write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    (FOLDER / "service.md").write_text(text, encoding="utf-8")
    return 0


class Services:
    """A Redis, the server, another one on a database of its own, and a bare server to compare with."""

    def __init__(self, redis_url: str, address: str, other: str, bare: str, server: Process, worker: Worker) -> None:
        self.worker = worker
        self.client = connect(f"{redis_url}/0")
        self.audits = AuditStore(self.client)
        self.address = address
        self.stub = AuditServiceStub(grpc.insecure_channel(address))
        self.other_audits = AuditStore(connect(f"{redis_url}/1"))
        self.other_stub = AuditServiceStub(grpc.insecure_channel(other))
        self.bare = grpc.insecure_channel(bare)
        self.server = server


@contextmanager
def services(folder: Path) -> Iterator[Services]:
    """Run all of them while inside."""
    port, (address, other, bare) = free_port(), (f"127.0.0.1:{free_port()}" for _ in range(3))
    redis_url = f"redis://127.0.0.1:{port}"
    server = [sys.executable, "-m", "dropaudit_server"]
    commands = {
        "redis": (redis_command(port, folder), {}),
        "server": (server, {"DROPAUDIT_REDIS_URL": f"{redis_url}/0", "DROPAUDIT_LISTEN": address}),
        "other": (server, {"DROPAUDIT_REDIS_URL": f"{redis_url}/1", "DROPAUDIT_LISTEN": other}),
        "bare": ([sys.executable, str(FOLDER / "bare_server.py"), bare], {}),
    }
    shared = {**os.environ, "DROPAUDIT_BLOB_URL": folder.as_uri(), "DROPAUDIT_MAX_QUEUED": "0"}
    with ExitStack() as stack:
        started = {}
        for name, (command, own) in commands.items():
            started[name] = Process(name, command, {**shared, **own}, folder / f"{name}.log")
            stack.callback(started[name].stop, 5.0)
        while not health(address) == health(other) == "SERVING":
            time.sleep(0.1)

        @contextmanager
        def worker() -> Iterator[None]:
            """Run a worker while inside."""
            environ = {**shared, "DROPAUDIT_REDIS_URL": f"{redis_url}/0", "DROPAUDIT_DEVICE": "cpu"}
            command = [sys.executable, "-m", "dropaudit_worker", "worker"]
            process = Process("worker", command, environ, folder / "worker.log")
            try:
                yield
            finally:
                process.stop(10.0)

        yield Services(redis_url, address, other, bare, started["server"], worker)


def timed(call: Callable[[], object]) -> float:
    """Return how long a call takes, in milliseconds."""
    start = time.perf_counter()
    call()
    return (time.perf_counter() - start) * 1000


def percentiles(values: Sequence[float]) -> dict[str, float]:
    """Return the median and the 99th percentile."""
    ordered = sorted(values)
    return {"p50": statistics.median(ordered), "p99": ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]}


def submit(found: Services, calls: int) -> dict[str, Any]:
    """Time CreateAudit against an empty call plus a Redis write."""
    messages = [pb.UploadModelRequest(metadata={}), pb.UploadModelRequest(chunk=b"model")]
    model = found.stub.UploadModel(iter(messages)).name
    request = pb.CreateAuditRequest(audit={"spec": {"artifact": {"model": model}}, "labels": {"team": "a"}})
    empty = found.bare.unary_unary(EMPTY, bytes, bytes)

    def baseline() -> None:
        empty(b"", wait_for_ready=True)
        found.client.set("benchmark", "x")

    times: dict[str, list[float]] = {"baseline": [], "submit": []}
    for number in range(calls + 100):
        pair = {"baseline": timed(baseline), "submit": timed(lambda: found.stub.CreateAudit(request))}
        if number >= 100:
            for name, value in pair.items():
                times[name].append(value)
    measured = {name: percentiles(values) for name, values in times.items()}
    ratios = {each: measured["submit"][each] / measured["baseline"][each] for each in ("p50", "p99")}
    return {**measured, "ratio": ratios, "calls": calls}


def request(team: str) -> AuditRequest:
    """Return an audit to store."""
    return AuditRequest(spec=Spec(subject=ArtifactRef(model="a" * 64), plan=Plan()), labels={"team": team})


async def watch(found: Services, audits: int = 20, steps: int = 50) -> dict[str, Any]:
    """Time how long progress takes to all of 200 watchers, ten of each of 20 audits."""
    leases = [lease for _ in range(audits) if (lease := claimed(found.audits)) is not None]
    delays: list[float] = []
    before = cpu_seconds(found.server.pid)
    async with grpc.aio.insecure_channel(found.address) as channel:
        stub: Any = AuditServiceStub(channel)

        async def follow(lease: Lease) -> None:
            events = stub.WatchAudit(pb.WatchAuditRequest(name=f"audits/{lease.audit_id}", after_sequence=2))
            delays.extend([milliseconds() - each.progress.replicates async for each in events if each.progress.phase])

        watchers = [asyncio.create_task(follow(leases[number % audits])) for number in range(WATCHERS)]
        await asyncio.sleep(2)
        connections = len(found.client.client_list())
        await asyncio.to_thread(drive, found.audits, leases, steps)
        await asyncio.gather(*watchers)
    expected = WATCHERS * steps
    return {
        "watchers": WATCHERS,
        "events": len(delays),
        "lost": expected - len(delays),
        "delay": percentiles(delays),
        "redis_connections": connections,
        "server_cpu_seconds": cpu_seconds(found.server.pid) - before,
    }


def claimed(audits: AuditStore) -> Lease | None:
    """Return a running audit."""
    return audits.claim(audits.create(request("watched")).id, 600.0)


def milliseconds() -> int:
    """Return the time as a progress can carry it."""
    return int(time.time() * 1000) % 2**31


def drive(audits: AuditStore, leases: Sequence[Lease], steps: int) -> None:
    """Make progress in all audits, which tells the time, and end them."""
    for _ in range(steps):
        for lease in leases:
            audits.progress(lease, Progress(phase=Phase.SAMPLING, replicates=milliseconds()))
        time.sleep(0.05)
    for lease in leases:
        audits.stopped(lease)


def report(found: Services, rounds: int) -> dict[str, Any]:
    """Time how long a client waits for a report."""
    # What waits from before would be made first, and is no model at all.
    found.client.flushdb()
    idle = [lease for _ in range(20) if (lease := claimed(found.audits)) is not None]
    with found.worker():
        result = report_latency(found.address, [f"audits/{each.audit_id}" for each in idle], rounds, WATCHERS, rounds)
    for each in idle:
        found.audits.stopped(each)
    return result


def listing(found: Services, calls: int, audits: int) -> dict[str, Any]:
    """Time pages of 50 over 1,000 and over many stored audits, in turn."""
    found.client.flushdb()
    sides = {"1000": (found.other_stub, found.other_audits), str(audits): (found.stub, found.audits)}
    for count, (_, store) in sides.items():
        for start in range(0, int(count), 1000):
            store.create_many([AuditToCreate(request(f"t{number % 10}")) for number in range(start, start + 1000)])
    # Redis writes its file anew after so much that is new.
    while found.client.info("persistence")["aof_rewrite_in_progress"]:
        time.sleep(0.2)
    result: dict[str, Any] = {}
    for name, words in FILTERS.items():
        asked = pb.ListAuditsRequest(page_size=50, filter=words)
        times: dict[str, list[float]] = {count: [] for count in sides}
        for number in range(calls // 2 + 20):
            for count, (stub, _) in sides.items():
                milliseconds = timed(lambda: stub.ListAudits(asked))  # noqa: B023
                times[count] += [milliseconds] if number >= 20 else []
        each = {count: percentiles(values) for count, values in times.items()}
        ratios = {part: each[str(audits)][part] / each["1000"][part] for part in ("p50", "p99")}
        result[name] = {**each, "ratio": ratios}
    return {"audits": audits, "pages": result}


def upload(found: Services, mebibytes: int) -> dict[str, Any]:
    """Upload much, and see how far the server's memory grows."""
    before = resident_mebibytes(found.server.pid)
    peak, done = before, threading.Event()

    def look() -> None:
        nonlocal peak
        while not done.wait(0.02):
            peak = max(peak, resident_mebibytes(found.server.pid))

    def messages() -> Iterator[pb.UploadModelRequest]:
        yield pb.UploadModelRequest(metadata={"display_name": "large.onnx"})
        for number in range(mebibytes):
            yield pb.UploadModelRequest(chunk=number.to_bytes(8, "little") * (MEBIBYTE // 8))

    looking = threading.Thread(target=look)
    looking.start()
    milliseconds = timed(lambda: found.stub.UploadModel(messages()))
    done.set()
    looking.join()
    return {"mebibytes": mebibytes, "seconds": milliseconds / 1000, "memory_growth_mebibytes": peak - before}


def resident_mebibytes(pid: int) -> float:
    """Return how much memory a process holds; Linux only."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / MEBIBYTE


def cpu_seconds(pid: int) -> float:
    """Return the processor time that a process has used; Linux only."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def table(result: dict[str, Any]) -> str:
    """Return the results in Markdown."""
    made, watched, listed, sent = (result[name] for name in ("submit", "watch", "list", "upload"))
    lines = [
        "# What the service costs",
        "",
        f"{result['machine']}; `make bench-service` measures it again. Milliseconds unless said otherwise.",
        "",
        "| what | p50 | p99 |",
        "|---|---|---|",
        _row("empty unary call and one Redis write", made["baseline"]),
        _row(f"CreateAudit, {made['calls']} calls in turn with those", made["submit"]),
        _row("ratio", made["ratio"]),
        _row(f"progress to {watched['watchers']} watchers, {watched['lost']} events lost", watched["delay"]),
    ]
    for name, pages in listed["pages"].items():
        counts = ("1000", str(listed["audits"]))
        lines += [_row(f"page of 50 of {int(count):,} audits, {name}", pages[count]) for count in counts]
        lines.append(_row("ratio", pages["ratio"]))
    lines += report_lines(result["report"]) if "report" in result else []
    lines += [
        "",
        f"{watched['watchers']} watchers took {watched['redis_connections']} connections to Redis in all, and "
        f"{watched['server_cpu_seconds']:.2f} s of the server's processor for {watched['events']:,} events.",
        "",
        f"An upload of {sent['mebibytes']} MiB took {sent['seconds']:.1f} s and "
        f"{sent['memory_growth_mebibytes']:.1f} MiB of the server's memory.",
    ]
    return "\n".join(lines) + "\n"


def _row(name: str, values: dict[str, float]) -> str:
    return f"| {name} | {values['p50']:.2f} | {values['p99']:.2f} |"


if __name__ == "__main__":
    sys.exit(main())
