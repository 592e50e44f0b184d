"""A dashboard with something to see: audits that have ended, one that runs, and one that waits."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import grpc
import redis

from dropaudit.plan import Phase, Progress, TestProgress
from dropaudit.report import Interval, to_json
from dropaudit_client.local.service import free_port
from dropaudit_proto.v1 import audit_pb2 as pb
from dropaudit_proto.v1.audit_pb2_grpc import AuditServiceStub
from dropaudit_store.audits.lifecycle import AuditStore
from support.calls import recorded_request, upload
from support.pictured import NAMES, pictured_report
from support.services import redis_server, server

_LEASE_SECONDS = 120.0


@contextmanager
def busy_dashboard(folder: Path) -> Iterator[dict[str, str]]:
    """Yield addresses of pages by the name of their picture."""
    web = f"127.0.0.1:{free_port()}"
    with (
        redis_server(folder / "redis") as redis_url,
        server(redis_url, folder / "server", web_listen=web) as address,
        grpc.insecure_channel(address) as channel,
        redis.Redis.from_url(redis_url, decode_responses=True) as client,
    ):
        running = _filled(AuditServiceStub(channel), AuditStore(client))
        pages = {"dashboard-audits": "/", "dashboard-running": f"/{running}", "dashboard-models": "/models"}
        yield {name: f"http://{web}{path}" for name, path in pages.items()}


def _filled(stub: AuditServiceStub, store: AuditStore) -> str:
    """Make audits, and return the name of the one that runs."""
    for name in NAMES:
        upload(stub, name.encode(), display_name=f"{name}.onnx")
        audit = _created(stub, name)
        lease = store.claim(audit.removeprefix("audits/"), _LEASE_SECONDS)
        assert lease is not None
        store.succeed(lease, to_json(pictured_report(name)[0]))
    running = _created(stub, "nightly")
    lease = store.claim(running.removeprefix("audits/"), _LEASE_SECONDS)
    assert lease is not None
    for replicates, width in ((96, 0.03), (1_900, 0.008), (12_288, 0.004)):
        store.progress(lease, _progress(replicates, width))
        time.sleep(0.1)
    _created(stub, "waiting")
    return running


def _created(stub: AuditServiceStub, model: str) -> str:
    asked = pb.CreateAuditRequest()
    asked.CopyFrom(recorded_request())
    asked.audit.labels["model"] = model
    return stub.CreateAudit(asked).name


def _progress(replicates: int, width: float) -> Progress:
    def test(subject: str, quantity: str, middle: float, *, decided: bool) -> TestProgress:
        interval = Interval(estimate=middle, lower=middle - width, upper=middle + width)
        return TestProgress(subject, quantity, interval, decided)

    tests = (
        test("encoder/dropout_0", "keepProb", 0.8, decided=True),
        test("encoder/dropout_1", "keepProb", 0.9, decided=False),
        test("logits", "scaleFactor", 1.01, decided=False),
    )
    return Progress(
        phase=Phase.SAMPLING,
        replicates=replicates,
        max_replicates=65_536,
        decided_tests=1,
        total_tests=3,
        tests=tests,
    )
