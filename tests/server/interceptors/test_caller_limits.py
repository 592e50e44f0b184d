"""Claims about how much one caller may have under way, for how long, and that others do not notice."""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest

from dropaudit_client.local.service import free_port
from dropaudit_proto.v1 import audit_pb2 as pb
from dropaudit_proto.v1.audit_pb2_grpc import AuditServiceStub
from dropaudit_server.interceptors.tokens import hash_of
from support.calls import metadata, recorded_request, refusal_of, upload
from support.services import eventually, server
from support.telemetry import scrape


@contextmanager
def service(redis_url: str, folder: Path, **settings: Any) -> Iterator[AuditServiceStub]:
    with server(redis_url, folder, **settings) as address, grpc.insecure_channel(address) as channel:
        yield AuditServiceStub(channel)


def incoming(folder: Path) -> list[Path]:
    return list((folder / "blobs" / "incoming").glob("*"))


class HalfOpen:
    """An upload whose messages a test gives one by one."""

    def __init__(self, stub: AuditServiceStub, **options: Any) -> None:
        self._messages: queue.Queue[pb.UploadModelRequest | None] = queue.Queue()
        self.call = stub.UploadModel.future(iter(self._messages.get, None), **options)
        self._messages.put(metadata(display_name="m.onnx"))

    def send(self, chunk: bytes) -> None:
        self._messages.put(pb.UploadModelRequest(chunk=chunk))

    def end(self) -> None:
        self._messages.put(None)


def test_an_upload_that_falls_silent_is_ended_and_leaves_nothing(redis_url: str, tmp_path: Path) -> None:
    with service(redis_url, tmp_path, upload_idle_seconds=1) as stub:
        silent, half = HalfOpen(stub), HalfOpen(stub)
        half.send(b"half")
        eventually(lambda: len(incoming(tmp_path)) == 1, "an upload does not begin, or one without content does")
        for each in (silent, half):
            refusal = refusal_of(lambda each=each: each.call.result(10))  # type: ignore[misc]  # bound at once
            assert (refusal.code, refusal.reason) == ("DEADLINE_EXCEEDED", "UPLOAD_TIMED_OUT")
            each.end()
        assert incoming(tmp_path) == []


def test_an_upload_that_drips_is_ended_too(redis_url: str, tmp_path: Path) -> None:
    with service(redis_url, tmp_path, upload_idle_seconds=1) as stub:
        dripping, done = HalfOpen(stub), threading.Event()

        def drip() -> None:
            while not done.wait(0.1):
                dripping.send(b"x")

        thread = threading.Thread(target=drip)
        thread.start()
        refusal = refusal_of(lambda: dripping.call.result(20))
        done.set()
        thread.join()
        dripping.end()
        assert refusal.reason == "UPLOAD_TIMED_OUT"
        assert incoming(tmp_path) == []


def tokens(folder: Path, *names: str) -> Path:
    path = folder / "tokens.json"
    entries = [{"name": name, "sha256": hash_of(name), "scope": "admin"} for name in names]
    path.write_text(json.dumps({"tokens": entries}))
    return path


def bearer(name: str) -> dict[str, Any]:
    return {"metadata": (("authorization", f"Bearer {name}"),)}


def test_one_caller_has_so_many_uploads_and_others_have_theirs(redis_url: str, tmp_path: Path) -> None:
    path = tokens(tmp_path, "greedy", "other")
    metrics = f"127.0.0.1:{free_port()}"
    with service(redis_url, tmp_path, max_transfers=2, tokens_file=path, metrics_listen=metrics) as stub:
        half = [HalfOpen(stub, **bearer("greedy")) for _ in range(2)]
        for each in half:
            each.send(b"half")
        eventually(lambda: len(incoming(tmp_path)) == 2, "the uploads do not begin")
        third = HalfOpen(stub, **bearer("greedy"))
        refusal = refusal_of(lambda: third.call.result(10))
        third.end()
        assert (refusal.code, refusal.reason) == ("RESOURCE_EXHAUSTED", "TOO_MANY_TRANSFERS")
        assert (refusal.facts, refusal.retry_seconds) == ({"limit": "2"}, 1)
        assert (
            stub.UploadModel(iter([metadata(), pb.UploadModelRequest(chunk=b"x")]), **bearer("other")).size_bytes == 1
        )
        half[0].end()
        assert half[0].call.result(10).size_bytes == 4
        again = HalfOpen(stub, **bearer("greedy"))
        again.send(b"again")
        again.end()
        assert again.call.result(10).size_bytes == 5
        half[1].end()
        half[1].call.result(10)
        counted = 'dropaudit_refusals_total{method="UploadModel",reason="TOO_MANY_TRANSFERS"}'
        eventually(lambda: scrape(metrics).get(counted) == 1, "a refusal is not counted")


def test_one_caller_has_so_many_watches(redis_url: str, tmp_path: Path) -> None:
    with service(redis_url, tmp_path, max_streams=2) as stub:
        watched = pb.WatchAuditRequest(name=stub.CreateAudit(recorded_request()).name)
        open_ones = [stub.WatchAudit(watched) for _ in range(2)]
        for each in open_ones:
            assert next(each).state == pb.Audit.QUEUED
        refusal = refusal_of(lambda: next(stub.WatchAudit(watched)))
        assert (refusal.code, refusal.reason) == ("RESOURCE_EXHAUSTED", "TOO_MANY_STREAMS")
        open_ones[0].cancel()

        def watches() -> bool:
            try:
                return next(stub.WatchAudit(watched)).state == pb.Audit.QUEUED
            except grpc.RpcError:
                return False

        eventually(watches, "a watch that has ended is still counted")


def test_one_caller_has_so_many_calls_under_way(redis_url: str, tmp_path: Path) -> None:
    metrics = f"127.0.0.1:{free_port()}"
    with service(redis_url, tmp_path, max_calls=2, inspect_seconds=60, metrics_listen=metrics) as stub:
        model = upload(stub, b"content").name
        # Nobody inspects here: they wait.
        waiting = [stub.InspectModel.future(pb.InspectModelRequest(name=model)) for _ in range(2)]
        under_way = 'dropaudit_calls_open{method="InspectModel"}'
        eventually(lambda: scrape(metrics).get(under_way) == 2, "the calls do not begin")
        refusal = refusal_of(lambda: stub.GetModel(pb.GetModelRequest(name=model)))
        assert (refusal.code, refusal.reason) == ("RESOURCE_EXHAUSTED", "TOO_MANY_CALLS")
        for each in waiting:
            each.cancel()
        eventually(lambda: scrape(metrics).get(under_way) == 0, "the calls do not end")
        assert stub.GetModel(pb.GetModelRequest(name=model)).name == model


def test_a_call_whose_message_does_not_come_is_ended(redis_url: str, tmp_path: Path) -> None:
    with server(redis_url, tmp_path, message_seconds=0.5) as address, grpc.insecure_channel(address) as channel:
        never: queue.Queue[bytes | None] = queue.Queue()
        method: Any = channel.stream_unary("/dropaudit.v1.AuditService/GetModel")
        call = method.future(iter(never.get, None))
        refusal = refusal_of(lambda: call.result(10))
        never.put(None)
        assert (refusal.code, refusal.reason) == ("DEADLINE_EXCEEDED", "MESSAGE_TIMED_OUT")


def test_few_large_messages_of_a_caller_are_taken_in_at_a_time_and_all_of_them_in_the_end(
    redis_url: str, tmp_path: Path
) -> None:
    with service(redis_url, tmp_path) as stub:
        large = pb.Tensor(datatype="UINT8", shape=[4 << 20], raw_contents=bytes(4 << 20))
        recorded = pb.RecordedSubject(inference=large, train=[large])
        request = pb.CreateAuditRequest(audit=pb.Audit(spec=pb.AuditSpec(recorded=recorded)), validate_only=True)
        calls = [stub.CreateAudit.future(request) for _ in range(12)]
        assert all(call.result(60).state == pb.Audit.QUEUED for call in calls)


@pytest.mark.parametrize(
    ("call", "path"),
    [
        (lambda stub: upload(stub, b"x", display_name="é" * 257), "metadata.display_name"),
        (
            lambda stub: stub.UploadModel(iter([metadata(), pb.UploadModelRequest(chunk=bytes((1 << 20) + 1))])),
            "chunk",
        ),
        (lambda stub: stub.CreateSuite(suite(display_name="n" * 513)), "suite.display_name"),
        (lambda stub: stub.CreateSuite(suite(pattern="n" * 513)), "suite.members[0].glob.pattern"),
        (
            lambda stub: stub.UpdateSuite(
                pb.UpdateSuiteRequest(suite=pb.Suite(name="suites/a", display_name="n" * 513))
            ),
            "suite.display_name",
        ),
        (lambda stub: stub.CreateAudit(recorded_request(request_id="a\x1fb")), "request_id"),
    ],
    ids=["a model's name", "a chunk", "a suite's title", "a pattern", "a new title", "a control character"],
)
def test_what_is_longer_than_is_kept_is_refused_with_its_path(stub: AuditServiceStub, call: Any, path: str) -> None:
    refusal = refusal_of(lambda: call(stub))
    assert (refusal.code, list(refusal.violations)) == ("INVALID_ARGUMENT", [path])


def suite(display_name: str = "", pattern: str = "*") -> pb.CreateSuiteRequest:
    member = pb.SuiteMember(glob=pb.Glob(pattern=pattern))
    return pb.CreateSuiteRequest(suite=pb.Suite(display_name=display_name, members=[member]), suite_id="a")


@pytest.mark.parametrize(
    "call",
    [
        lambda stub: stub.BatchCreateAudits(pb.BatchCreateAuditsRequest(requests=[pb.CreateAuditRequest()] * 1000)),
        lambda stub: stub.GetAudit(pb.GetAuditRequest(name="x" * 100_000)),
        lambda stub: stub.GetAudit(pb.GetAuditRequest(name="é" * 100_000)),
        lambda stub: stub.ListAudits(pb.ListAuditsRequest(filter="é" * 100_000)),
        lambda stub: stub.ListAudits(pb.ListAuditsRequest(filter="labels." + "é" * 4000)),
        lambda stub: stub.ListAudits(pb.ListAuditsRequest(order_by="\0" * 100_000)),
        lambda stub: stub.ListAudits(pb.ListAuditsRequest(page_token="é")),
        lambda stub: stub.ListAudits(pb.ListAuditsRequest(page_token="A" * 100_000)),
        lambda stub: stub.UpdateSuite(
            pb.UpdateSuiteRequest(suite=pb.Suite(name="suites/a"), update_mask={"paths": ["é" * 1000] * 1000})
        ),
        lambda stub: stub.CreateSuite(pb.CreateSuiteRequest(suite=pb.Suite(schedule=pb.Schedule(cron="é" * 100_000)))),
    ],
)
def test_a_refusal_of_any_length_arrives_with_its_details(stub: AuditServiceStub, call: Any) -> None:
    refusal = refusal_of(lambda: call(stub))
    assert (refusal.code, refusal.reason) == ("INVALID_ARGUMENT", "INVALID_REQUEST")
    assert refusal.violations
    assert refusal.message


def test_one_message_is_queued_for_a_model_however_many_ask(redis_url: str, redis_client: Any, tmp_path: Path) -> None:
    with service(redis_url, tmp_path, inspect_seconds=30, max_inspections=2) as stub:
        first, second, third = (
            pb.InspectModelRequest(name=upload(stub, content).name) for content in (b"one", b"two", b"three")
        )
        # Nobody inspects here, and who asks goes away.
        calls = [stub.InspectModel.future(first, timeout=0.5) for _ in range(50)]
        assert {each.code() for each in calls} == {grpc.StatusCode.DEADLINE_EXCEEDED}
        assert redis_client.llen("dropaudit") == 1
        abandoned = stub.InspectModel.future(second, timeout=0.5)
        assert abandoned.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        refusal = refusal_of(lambda: stub.InspectModel(third))
        assert (refusal.code, refusal.reason) == ("RESOURCE_EXHAUSTED", "TOO_MANY_INSPECTIONS")
        assert redis_client.llen("dropaudit") == 2
        (message, *_) = redis_client.lrange("dropaudit", 0, 0)
        assert json.loads(message)["headers"]["expires"]


def test_a_download_that_nobody_reads_is_ended_and_counts_as_one(redis_url: str, tmp_path: Path) -> None:
    with service(redis_url, tmp_path, message_seconds=1, max_transfers=1, upload_idle_seconds=30) as stub:
        name = upload(stub, bytes(64 << 20)).name
        unread = stub.DownloadModel(pb.DownloadModelRequest(name=name))
        next(iter(unread))

        def refused() -> bool:
            try:
                next(iter(stub.DownloadModel(pb.DownloadModelRequest(name=name))))
            except grpc.RpcError as error:
                refusal: Any = error
                return bool(refusal.code() is grpc.StatusCode.RESOURCE_EXHAUSTED)
            return False

        assert refused()
        eventually(lambda: not refused(), "a download that nobody reads goes on")
        assert refusal_of(lambda: list(unread)).reason == "MESSAGE_TIMED_OUT"
