"""Claims about runs through the service: members, counts, comparisons, watching and cancelling."""

from __future__ import annotations

import time
from functools import partial
from typing import Any

import grpc
import redis
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.timestamp_pb2 import Timestamp

from dropaudit_proto.v1 import audit_pb2 as pb
from dropaudit_proto.v1.audit_pb2_grpc import AuditServiceStub
from dropaudit_store.audits.lifecycle import AuditStore
from dropaudit_store.redis.connection import key
from support.batches import Batches, failing
from support.calls import recorded_request, refusal_of, upload
from support.records import messages
from support.reports import finding
from support.services import eventually
from support.suite_calls import NAME, create, ended, get, run


def test_a_run_tells_its_members_with_names_versions_and_digests(stub: AuditServiceStub) -> None:
    upload(stub, b"one", display_name="m.onnx")
    model = upload(stub, b"two", display_name="m.onnx")
    create(stub)
    made = run(stub)
    (audit,) = made.audits
    assert audit.member == pb.ResolvedMember(
        display_name="m.onnx",
        artifacts=[pb.ResolvedArtifact(display_name="m.onnx", sha256=model.sha256, version=2)],
        position=0,
    )
    assert (made.counts.total, made.counts.queued, made.state) == (1, 1, pb.Run.RUNNING)
    found = stub.GetAudit(pb.GetAuditRequest(name=audit.audit))
    assert (found.display_name, found.model_version) == ("m.onnx", 2)
    listed = stub.ListAudits(pb.ListAuditsRequest(filter=f'run = "{made.name}"')).audits
    assert [each.name for each in listed] == [audit.audit]
    assert stub.GetSuite(pb.GetSuiteRequest(name=NAME)).last_run == made.name


def test_the_audits_of_a_run_belong_to_the_trace_of_who_asked_for_it(
    stub: AuditServiceStub, redis_client: redis.Redis
) -> None:
    upload(stub, b"one", display_name="m.onnx")
    create(stub)
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    made = stub.RunSuite(pb.RunSuiteRequest(name=NAME), metadata=(("traceparent", trace),))
    (audit,) = made.audits
    assert AuditStore(redis_client).get(audit.audit.removeprefix("audits/")).trace == trace


def test_a_run_that_matches_nothing_is_inconclusive_with_the_reason_and_never_pass(
    stub: AuditServiceStub, worker: Batches
) -> None:
    create(stub, pb.SuiteMember(glob=pb.Glob(pattern="*.onnx")))
    made = run(stub)
    assert (made.state, made.verdict) == (pb.Run.FINISHED, pb.Report.INCONCLUSIVE)
    assert made.reason == "nothing was audited; members[0]: the pattern '*.onnx' matches nothing"
    assert list(made.notes) == ["members[0]: the pattern '*.onnx' matches nothing"]
    assert made.counts == pb.RunCounts()


def test_a_run_says_what_changed_since_the_one_before_and_the_baseline(stub: AuditServiceStub, worker: Batches) -> None:
    upload(stub, b"one", display_name="a.onnx")
    upload(stub, b"two", display_name="b.onnx")
    create(stub)
    first = ended(stub, worker)
    assert (first.verdict, first.comparison.status) == (pb.Report.PASS, pb.Comparison.FIRST)
    pinned = pb.Suite(name=NAME, baseline=first.name)
    stub.UpdateSuite(pb.UpdateSuiteRequest(suite=pinned, update_mask=FieldMask(paths=["baseline"])))
    upload(stub, b"three", display_name="b.onnx")
    second = ended(stub, worker, {"b.onnx": failing(finding("DA301", "drop"))})
    assert (second.verdict, second.comparison.base) == (pb.Report.FAIL, first.name)
    (change,) = second.comparison.members
    assert (change.display_name, change.kind, change.status) == (
        "b.onnx",
        pb.MemberChange.REPLACED,
        pb.Comparison.FAILED,
    )
    assert [(each.kind, each.code) for each in change.findings] == [(pb.FindingChange.NEW, "DA301")]
    assert second.baseline_comparison.base == first.name
    compared = stub.CompareRuns(pb.CompareRunsRequest(name=second.name))
    assert compared == second.comparison
    back = stub.CompareRuns(pb.CompareRunsRequest(name=first.name, base=second.name))
    assert back.status == pb.Comparison.RECOVERED
    (listed, _) = stub.ListRuns(pb.ListRunsRequest(parent=NAME)).runs
    assert (listed.comparison.counts.new_findings, len(listed.comparison.members)) == (1, 0)
    basic = get(stub, second.name, pb.VIEW_BASIC)
    assert (len(basic.audits), basic.counts.fail) == (0, 1)


def test_accepted_findings_are_told_apart_and_do_not_count(stub: AuditServiceStub, worker: Batches) -> None:
    upload(stub, b"one", display_name="a.onnx")
    until = Timestamp(seconds=int(time.time()) + 3600)
    acceptance = pb.Acceptance(reason="known", accepted_by="ada", expire_time=until)
    accepted = pb.AcceptedFinding(code="DA301", member="a*", subject="drop", acceptance=acceptance)
    made = create(stub, accepted_findings=[accepted])
    assert list(made.accepted_findings) == [accepted]
    unfinished = run(stub)
    record = worker.runs.read.get("nightly", unfinished.name.rpartition("/")[2])
    worker.finish(record, {"a.onnx": failing(finding("DA301", "drop"))})
    # Until somebody has looked, nobody knows.
    assert get(stub, unfinished.name).verdict == pb.Report.VERDICT_UNSPECIFIED
    worker.conclude(record)
    found = get(stub, unfinished.name)
    (audit,) = found.audits
    assert (found.verdict, audit.verdict, audit.report_verdict) == (pb.Report.PASS, pb.Report.PASS, pb.Report.FAIL)
    assert (audit.accepted[0].code, audit.accepted[0].acceptance) == ("DA301", acceptance)


def test_a_baseline_must_be_a_run_of_the_suite(stub: AuditServiceStub) -> None:
    create(stub)

    def pin(run: str) -> Any:
        suite = pb.Suite(name=NAME, baseline=run)
        return stub.UpdateSuite(pb.UpdateSuiteRequest(suite=suite, update_mask=FieldMask(paths=["baseline"])))

    for wrong in ("suites/other/runs/r", "nonsense"):
        assert list(refusal_of(partial(pin, wrong)).violations) == ["suite.baseline"]
    assert refusal_of(lambda: pin(f"{NAME}/runs/none")).reason == "RUN_NOT_FOUND"


def test_a_watch_tells_every_change_and_ends_with_the_run(stub: AuditServiceStub, worker: Batches) -> None:
    for number in range(3):
        upload(stub, bytes([number]), display_name=f"{number}.onnx")
    create(stub)
    made = run(stub)
    record = worker.runs.read.get("nightly", made.name.rpartition("/")[2])
    watching = stub.WatchRun(pb.WatchRunRequest(name=made.name), timeout=60)
    first = next(watching)
    assert (first.progress.counts.queued, first.progress.state, len(first.progress.audits)) == (3, pb.Run.RUNNING, 0)
    worker.finish(record)
    second = next(watching)
    assert second.progress.counts.succeeded > 0
    worker.conclude(record)
    *_, last = watching
    assert (last.run.state, last.run.verdict, len(last.run.audits)) == (pb.Run.FINISHED, pb.Report.PASS, 3)
    assert last.run == get(stub, made.name)
    # Who comes later hears at once.
    (only,) = stub.WatchRun(pb.WatchRunRequest(name=made.name), timeout=60)
    assert only.run == last.run


def test_a_watch_has_a_worker_told_that_the_run_has_ended(
    stub: AuditServiceStub, worker: Batches, redis_client: redis.Redis
) -> None:
    upload(stub, b"one", display_name="a.onnx")
    create(stub)
    made = run(stub)
    worker.finish(worker.runs.read.get("nightly", made.name.rpartition("/")[2]))
    watching = stub.WatchRun(pb.WatchRunRequest(name=made.name), timeout=60)
    assert next(watching).progress.state == pb.Run.FINISHED
    message: tuple[str, list[str], dict[str, object]] = ("dropaudit.end_run", [made.name], {})
    eventually(lambda: message in messages(redis_client), "no worker is told")
    watching.cancel()


def test_a_watch_of_a_run_that_is_deleted_ends(stub: AuditServiceStub) -> None:
    upload(stub, b"one", display_name="a.onnx")
    create(stub)
    made = run(stub)
    watching = stub.WatchRun(pb.WatchRunRequest(name=made.name), timeout=60)
    next(watching)
    stub.DeleteSuite(pb.DeleteSuiteRequest(name=NAME))
    refusal = refusal_of(lambda: list(watching))
    assert (refusal.code, refusal.reason) == ("NOT_FOUND", "RUN_NOT_FOUND")
    unknown = pb.WatchRunRequest(name=made.name)
    assert refusal_of(lambda: list(stub.WatchRun(unknown))).reason == "RUN_NOT_FOUND"


def test_watching_a_run_that_goes_on_costs_the_same_whoever_watches(
    stub: AuditServiceStub, worker: Batches, audits: AuditStore, redis_client: redis.Redis
) -> None:
    for number in range(300):
        worker.models.add(f"{number:064x}", 1, f"{number}.onnx")
    create(stub)
    made = run(stub)
    ids = iter([each.audit.removeprefix("audits/") for each in get(stub, made.name).audits])

    def commands() -> int:
        stats: Any = redis_client.info("commandstats")
        return sum(stats.get(f"cmdstat_{name}", {}).get("calls", 0) for name in ("get", "hgetall", "exists", "hmget"))

    def commands_of(watchers: int) -> int:
        watches = [stub.WatchRun(pb.WatchRunRequest(name=made.name), timeout=60) for _ in range(watchers)]
        for each in watches:
            next(each)
        before = commands()
        for _ in range(6):
            assert audits.claim(next(ids), 30.0)
            # Whoever watches is told.
            for each in watches:
                next(each)
        for each in watches:
            each.cancel()
        return commands() - before

    assert commands_of(20) < 2 * commands_of(1)


def test_a_cancelled_run_ends_with_its_audits(stub: AuditServiceStub, audits: AuditStore) -> None:
    for number in range(3):
        upload(stub, bytes([number]), display_name=f"{number}.onnx")
    create(stub)
    made = run(stub)
    lease = audits.claim(made.audits[0].audit.removeprefix("audits/"), 30.0)
    assert lease is not None
    cancelled = stub.CancelRun(pb.CancelRunRequest(name=made.name))
    assert (cancelled.state, cancelled.counts.cancelled) == (pb.Run.RUNNING, 2)
    audits.stopped(lease)
    found = stub.CancelRun(pb.CancelRunRequest(name=made.name))
    assert (found.state, found.counts.cancelled, found.reason) == (pb.Run.CANCELLED, 3, "somebody cancelled it")
    assert found == get(stub, made.name)


def test_a_run_of_an_earlier_version_is_told_as_before(
    stub: AuditServiceStub, redis_client: redis.Redis, audits: AuditStore
) -> None:
    create(stub)
    names = [stub.CreateAudit(recorded_request()).name.removeprefix("audits/") for _ in range(2)]
    body = f'{{"suite":"nightly","id":"old","trigger":"MANUAL","audits":["{names[0]}","{names[1]}"],"create_time":5.0}}'
    redis_client.set(key("run", "nightly", "old"), body)
    redis_client.zadd(key("runs", "nightly"), {f"{5_000_000:016x}:old": 0})
    found = get(stub, f"{NAME}/runs/old")
    assert (found.state, [each.audit for each in found.audits]) == (
        pb.Run.RUNNING,
        [f"audits/{name}" for name in names],
    )
    assert stub.CancelRun(pb.CancelRunRequest(name=found.name)).state == pb.Run.FINISHED
    (listed,) = stub.ListRuns(pb.ListRunsRequest(parent=NAME)).runs
    assert (listed.state, listed.verdict) == (pb.Run.FINISHED, pb.Report.FAIL)


def test_members_outside_the_store_are_left_to_a_worker(stub: AuditServiceStub, redis_client: redis.Redis) -> None:
    create(stub, pb.SuiteMember(mlflow=pb.MlflowModel(uri="models:/lstm/3")))
    made = run(stub)
    assert (made.state, made.counts.total, made.verdict) == (
        pb.Run.RESOLVING,
        0,
        pb.Report.VERDICT_UNSPECIFIED,
    )
    message: tuple[str, list[str], dict[str, object]] = ("dropaudit.make_run", [made.name], {})
    eventually(lambda: message in messages(redis_client), "no worker is told")
    assert stub.CancelRun(pb.CancelRunRequest(name=made.name)).state == pb.Run.CANCELLED


def test_a_history_is_the_series_of_a_name_over_its_versions(stub: AuditServiceStub, worker: Batches) -> None:
    create(stub)
    for content in (b"one", b"two"):
        upload(stub, content, display_name="m.onnx")
        ended(stub, worker)
    points = stub.GetModelHistory(pb.GetModelHistoryRequest(display_name="m.onnx")).points
    assert [each.version for each in points] == [2, 1]
    assert all(each.verdict == pb.Report.PASS and each.run.startswith(NAME) for each in points)
    quantities = {(each.subject, each.quantity) for each in points[0].measurements}
    assert ("drop", "keepProb") in quantities
    assert ("y", "scaleFactor") in quantities
    only = pb.GetModelHistoryRequest(display_name="m.onnx", quantity="keepProb", suite=NAME, page_size=1)
    page = stub.GetModelHistory(only)
    assert [each.quantity for each in page.points[0].measurements] == ["keepProb"]
    only.page_token = page.next_page_token
    assert [each.version for each in stub.GetModelHistory(only).points] == [1]
    elsewhere = pb.GetModelHistoryRequest(display_name="m.onnx", suite="suites/other")
    assert not stub.GetModelHistory(elsewhere).points
    wrong = pb.GetModelHistoryRequest(display_name="m.onnx", quantity="weight")
    assert list(refusal_of(lambda: stub.GetModelHistory(wrong)).violations) == ["quantity"]


def test_notifications_are_listed_and_sent_again(
    stub: AuditServiceStub, worker: Batches, redis_client: redis.Redis
) -> None:
    upload(stub, b"one", display_name="a.onnx")
    target = pb.Notification(webhook_url="https://example.com/hooks/secret?x=1", trigger=pb.Notification.ALWAYS)
    create(stub, notifications=[target])
    found = ended(stub, worker)
    (delivery,) = stub.ListDeliveries(pb.ListDeliveriesRequest(parent=NAME)).deliveries
    assert (delivery.run, delivery.state, delivery.attempts) == (found.name, pb.Delivery.PENDING, 0)
    assert delivery.webhook_url == "https://example.com/hooks/…"
    dead = pb.ListDeliveriesRequest(parent=NAME, state=pb.Delivery.DEAD)
    assert not stub.ListDeliveries(dead).deliveries
    assert stub.Redeliver(pb.RedeliverRequest(name=delivery.name)).state == pb.Delivery.PENDING
    message: tuple[str, list[str], dict[str, object]] = ("dropaudit.deliver", [], {})
    eventually(lambda: message in messages(redis_client), "no worker is told")
    unknown = pb.RedeliverRequest(name=f"{NAME}/deliveries/none")
    assert refusal_of(lambda: stub.Redeliver(unknown)).reason == "DELIVERY_NOT_FOUND"


def test_what_names_no_run_is_refused(channel: grpc.Channel, stub: AuditServiceStub) -> None:
    for call in (
        lambda: stub.CancelRun(pb.CancelRunRequest(name="suites/a")),
        lambda: stub.CompareRuns(pb.CompareRunsRequest(name="runs/a")),
        lambda: list(stub.WatchRun(pb.WatchRunRequest(name="audits/a"))),
        lambda: stub.Redeliver(pb.RedeliverRequest(name="suites/a/runs/b")),
    ):
        assert list(refusal_of(call).violations) == ["name"]
    elsewhere = pb.CompareRunsRequest(name="suites/a/runs/b", base="suites/c/runs/d")
    assert list(refusal_of(lambda: stub.CompareRuns(elsewhere)).violations) == ["base"]
