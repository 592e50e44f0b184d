"""Claims about GetAudit and WatchAudit."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

import pytest

from dropaudit.plan import Phase, Progress
from dropaudit.report import Execution, Finding, Interval, Output, Report, Severity, Spread, Verdict, to_json
from dropaudit_proto.v1 import audit_pb2 as pb
from dropaudit_proto.v1.audit_pb2_grpc import AuditServiceStub
from dropaudit_store.audits.lifecycle import AuditStore, Lease
from dropaudit_store.records import Failure
from support.calls import recorded_request, refusal_of

REPORT = Report(
    verdict=Verdict.FAIL,
    summary="An output is infinite.",
    findings=(
        Finding(
            code="DA501",
            slug="non-finite",
            severity=Severity.ERROR,
            subject="y",
            message="m",
            remedy="r",
            evidence={"share": 0.25, "worst": float("inf")},
        ),
    ),
    outputs=(
        Output(
            name="y",
            shape=(2, 3),
            scale_factor=Interval(estimate=1.0, lower=0.5, upper=float("inf")),
            survivor_ratio=Spread(min=float("-inf"), median=0.0, max=2.5),
        ),
    ),
    execution=Execution(provider="cpu"),
)


@pytest.fixture
def lease(stub: AuditServiceStub, audits: AuditStore) -> Lease:
    """A running audit."""
    name = stub.CreateAudit(recorded_request()).name
    lease = audits.claim(name.removeprefix("audits/"), 30.0)
    assert lease is not None
    return lease


def name(lease: Lease) -> str:
    return f"audits/{lease.audit_id}"


def get(stub: AuditServiceStub, lease: Lease) -> pb.Audit:
    return stub.GetAudit(pb.GetAuditRequest(name=name(lease)))


def watch(stub: AuditServiceStub, lease: Lease, after: int = 0) -> Iterable[pb.AuditEvent]:
    return stub.WatchAudit(pb.WatchAuditRequest(name=name(lease), after_sequence=after), timeout=10)


def test_a_running_audit_tells_when_it_started_and_how_often(stub: AuditServiceStub, lease: Lease) -> None:
    audit = get(stub, lease)
    assert (audit.state, audit.attempts) == (pb.Audit.RUNNING, 1)
    assert audit.start_time.ToNanoseconds() >= audit.create_time.ToNanoseconds()


def test_the_report_arrives_without_loss_infinities_included(
    stub: AuditServiceStub, audits: AuditStore, lease: Lease
) -> None:
    audits.succeed(lease, to_json(REPORT))
    audit = get(stub, lease)
    assert audit.state == pb.Audit.SUCCEEDED
    (output,), (finding,) = audit.report.outputs, audit.report.findings
    assert audit.report.verdict == pb.Report.FAIL
    assert (output.name, list(output.shape)) == ("y", [2, 3])
    assert (output.scale_factor.estimate, output.scale_factor.upper) == (1.0, float("inf"))
    assert (output.survivor_ratio.min, output.survivor_ratio.max) == (float("-inf"), 2.5)
    assert (finding.code, finding.severity) == ("DA501", pb.Finding.ERROR)
    assert (finding.evidence["share"], finding.evidence["worst"]) == (0.25, "Infinity")
    assert not audit.HasField("failure")
    assert audit.HasField("end_time")


def test_an_audit_that_could_not_be_made_says_why(stub: AuditServiceStub, audits: AuditStore, lease: Lease) -> None:
    audits.fail(lease, Failure(reason="INVALID_MODEL", message="It is no model."))
    audit = get(stub, lease)
    assert audit.state == pb.Audit.FAILED
    assert audit.failure == pb.Failure(reason="INVALID_MODEL", message="It is no model.")
    assert not audit.HasField("report")


def test_watching_tells_every_event_and_ends_with_the_finished_audit(
    stub: AuditServiceStub, audits: AuditStore, lease: Lease
) -> None:
    audits.progress(lease, Progress(phase=Phase.SAMPLING, replicates=64, max_replicates=128))
    audits.succeed(lease, to_json(REPORT))
    queued, running, progress, finished = watch(stub, lease)
    assert [event.sequence for event in (queued, running, progress, finished)] == [1, 2, 3, 4]
    assert (queued.state, running.state) == (pb.Audit.QUEUED, pb.Audit.RUNNING)
    assert progress.progress == pb.Progress(phase=pb.Progress.SAMPLING, replicates=64, max_replicates=128)
    assert finished.audit == get(stub, lease)


@pytest.mark.parametrize(("after", "left"), [(0, [1, 2, 3]), (1, [2, 3]), (2, [3]), (3, []), (4_000_000_000, [])])
def test_watching_goes_on_after_the_last_event_seen(
    stub: AuditServiceStub, audits: AuditStore, lease: Lease, after: int, left: list[int]
) -> None:
    audits.succeed(lease, to_json(REPORT))
    assert [event.sequence for event in watch(stub, lease, after)] == left


def test_watchers_are_told_while_it_happens(stub: AuditServiceStub, audits: AuditStore, lease: Lease) -> None:
    heard = threading.Barrier(3, timeout=10)

    def follow(_: int) -> list[str | None]:
        kinds = []
        for event in watch(stub, lease, after=2):
            kinds.append(event.WhichOneof("event"))
            heard.wait()
        return kinds

    with ThreadPoolExecutor(2) as pool:
        followers = [pool.submit(follow, number) for number in range(2)]
        audits.progress(lease, Progress(phase=Phase.PREPARING))
        # Both watchers have heard of the progress before the audit ends.
        heard.wait()
        audits.succeed(lease, to_json(REPORT))
        heard.wait()
        assert [each.result() for each in followers] == [["progress", "audit"]] * 2


def test_what_does_not_exist_is_neither_got_nor_watched(stub: AuditServiceStub) -> None:
    for call in (
        lambda: stub.GetAudit(pb.GetAuditRequest(name="audits/none")),
        lambda: list(stub.WatchAudit(pb.WatchAuditRequest(name="audits/none"))),
    ):
        refusal = refusal_of(call)
        assert (refusal.code, refusal.reason, refusal.facts) == (
            "NOT_FOUND",
            "AUDIT_NOT_FOUND",
            {"resource": "audits/none"},
        )


@pytest.mark.parametrize("wrong", ["", "none", "models/none", "audits/", "audits/../x", "audits/a\n", "audits/é"])
def test_what_is_no_audit_s_name_is_refused(stub: AuditServiceStub, wrong: str) -> None:
    for call in (
        lambda: stub.GetAudit(pb.GetAuditRequest(name=wrong)),
        lambda: list(stub.WatchAudit(pb.WatchAuditRequest(name=wrong))),
    ):
        refusal = refusal_of(call)
        assert (refusal.code, list(refusal.violations)) == ("INVALID_ARGUMENT", ["name"])
