"""Claims about suites and their runs, through the service."""

from __future__ import annotations

import pytest
import redis

from dropaudit.report import Execution, Report, Verdict, to_json
from dropaudit_proto.v1 import audit_pb2 as pb
from dropaudit_proto.v1.audit_pb2_grpc import AuditServiceStub
from dropaudit_store.audits.lifecycle import AuditStore, Lease
from dropaudit_store.records import Failure
from support.calls import refusal_of, upload
from support.records import records


def artifact(model: str, role: pb.Role = pb.TRAIN) -> pb.SuiteMember:
    return pb.SuiteMember(artifact=pb.ArtifactSubject(model=model, role=role))


def request(*members: pb.SuiteMember, suite_id: str = "nightly", cron: str = "") -> pb.CreateSuiteRequest:
    schedule = pb.Schedule(cron=cron) if cron else None
    return pb.CreateSuiteRequest(suite=pb.Suite(members=members, schedule=schedule), suite_id=suite_id)


@pytest.fixture
def pair_of_models(stub: AuditServiceStub) -> tuple[str, str]:
    first, second = (upload(stub, name.encode(), display_name=f"{name}.onnx").name for name in ("lstm-a", "lstm-b"))
    return first, second


def test_a_suite_comes_back_as_it_was_made(stub: AuditServiceStub, pair_of_models: tuple[str, str]) -> None:
    train, inference = pair_of_models
    members = [
        artifact(train),
        pb.SuiteMember(pair=pb.PairSubject(train_model=train, inference_model=inference, keep_prob=0.5)),
        pb.SuiteMember(glob=pb.Glob(pattern="lstm-*.onnx", role=pb.INFERENCE)),
    ]
    asked = request(*members, cron="0 3 * * *")
    asked.suite.display_name = "Every night"
    asked.suite.labels["team"] = "speech"
    asked.suite.options.seed = 3
    suite = stub.CreateSuite(asked)
    assert (suite.name, suite.display_name, dict(suite.labels)) == ("suites/nightly", "Every night", {"team": "speech"})
    assert list(suite.members) == members
    assert (suite.schedule.cron, suite.schedule.paused, suite.options.seed) == ("0 3 * * *", False, 3)
    assert suite.create_time.seconds > 0
    assert stub.GetSuite(pb.GetSuiteRequest(name=suite.name)) == suite


def test_a_suite_without_a_name_gets_one(stub: AuditServiceStub) -> None:
    glob = pb.SuiteMember(glob=pb.Glob(pattern="*"))
    first, second = (stub.CreateSuite(request(glob, suite_id="")).name for _ in range(2))
    assert first.startswith("suites/suite-")
    assert first != second


GLOB = pb.SuiteMember(glob=pb.Glob(pattern="*"))


@pytest.mark.parametrize(
    ("asked", "paths"),
    [
        (request(), ["suite.members"]),
        (request(*[GLOB] * 1001), ["suite.members"]),
        (request(pb.SuiteMember()), ["suite.members[0]"]),
        (request(GLOB, pb.SuiteMember(glob=pb.Glob())), ["suite.members[1].glob.pattern"]),
        (request(artifact("nonsense")), ["suite.members[0].artifact.model"]),
        (request(GLOB, suite_id="Nightly_1"), ["suite_id"]),
        (request(GLOB, suite_id="-a"), ["suite_id"]),
        (request(GLOB, suite_id="a" * 64), ["suite_id"]),
        (request(GLOB, cron="every day"), ["suite.schedule.cron"]),
        (request(GLOB, cron="61 * * * *"), ["suite.schedule.cron"]),
        (request(GLOB, cron="0 0 31 2 *"), ["suite.schedule.cron"]),
        (request(GLOB, cron="* * * *"), ["suite.schedule.cron"]),
        (pb.CreateSuiteRequest(suite=pb.Suite(members=[GLOB], schedule=pb.Schedule())), ["suite.schedule.cron"]),
        (
            pb.CreateSuiteRequest(suite=pb.Suite(members=[GLOB], baseline="suites/a/runs/b")),
            ["suite.baseline"],
        ),
        (
            pb.CreateSuiteRequest(suite=pb.Suite(members=[GLOB], notifications=[pb.Notification()])),
            ["suite.notifications[0].webhook_url"],
        ),
        (
            pb.CreateSuiteRequest(suite=pb.Suite(options=pb.AuditOptions(alpha=2)), suite_id="_"),
            ["suite_id", "suite.members", "suite.options.alpha"],
        ),
    ],
)
def test_what_is_no_suite_is_refused_with_every_field(
    stub: AuditServiceStub, redis_client: redis.Redis, asked: pb.CreateSuiteRequest, paths: list[str]
) -> None:
    refusal = refusal_of(lambda: stub.CreateSuite(asked))
    assert (refusal.code, list(refusal.violations)) == ("INVALID_ARGUMENT", paths)
    assert records(redis_client) == set()


def test_a_name_is_taken_once(stub: AuditServiceStub) -> None:
    stub.CreateSuite(request(GLOB))
    refusal = refusal_of(lambda: stub.CreateSuite(request(GLOB)))
    assert (refusal.code, refusal.reason) == ("ALREADY_EXISTS", "SUITE_EXISTS")


def test_a_suite_of_unknown_models_is_refused(stub: AuditServiceStub) -> None:
    refusal = refusal_of(lambda: stub.CreateSuite(request(artifact(f"models/{'a' * 64}"))))
    assert (refusal.code, refusal.reason) == ("NOT_FOUND", "MODEL_NOT_FOUND")


def run(stub: AuditServiceStub, request_id: str = "") -> pb.Run:
    return stub.RunSuite(pb.RunSuiteRequest(name="suites/nightly", request_id=request_id))


def test_a_run_makes_an_audit_for_each_member_in_their_order(
    stub: AuditServiceStub, pair_of_models: tuple[str, str]
) -> None:
    first, second = pair_of_models
    asked = request(artifact(second), artifact(first, pb.INFERENCE))
    asked.suite.labels["team"] = "speech"
    stub.CreateSuite(asked)
    made = run(stub)
    assert made.name.startswith("suites/nightly/runs/")
    assert (made.state, made.trigger) == (pb.Run.RUNNING, pb.Run.MANUAL)
    assert made.verdict == pb.Report.VERDICT_UNSPECIFIED
    audits = [stub.GetAudit(pb.GetAuditRequest(name=each.audit)) for each in made.audits]
    assert [(each.spec.artifact.model, each.spec.artifact.role) for each in audits] == [
        (second, pb.TRAIN),
        (first, pb.INFERENCE),
    ]
    assert all(each.run == made.name and dict(each.labels) == {"team": "speech"} for each in audits)
    assert all(each.priority == pb.Audit.BATCH for each in audits)
    assert stub.GetRun(pb.GetRunRequest(name=made.name)) == made


def test_a_glob_takes_the_models_that_match_when_it_runs(stub: AuditServiceStub) -> None:
    stub.CreateSuite(request(pb.SuiteMember(glob=pb.Glob(pattern="lstm-?.onnx", role=pb.TRAIN))))
    assert list(run(stub).audits) == []
    wanted = [upload(stub, name.encode(), display_name=name).name for name in ("lstm-1.onnx", "lstm-2.onnx")]
    upload(stub, b"other", display_name="gru.onnx")
    found = [stub.GetAudit(pb.GetAuditRequest(name=each.audit)).spec.artifact for each in run(stub).audits]
    assert [(each.model, each.role) for each in found] == [(model, pb.TRAIN) for model in wanted]


def test_one_request_id_is_one_run(stub: AuditServiceStub, pair_of_models: tuple[str, str]) -> None:
    stub.CreateSuite(request(*map(artifact, pair_of_models)))
    first, again, other = (run(stub, request_id) for request_id in ("r1", "r1", "r2"))
    assert first == again
    assert {each.audit for each in first.audits}.isdisjoint(each.audit for each in other.audits)


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        ([Verdict.PASS, Verdict.PASS], pb.Report.PASS),
        ([Verdict.WARN, Verdict.PASS], pb.Report.WARN),
        ([Verdict.WARN, Verdict.INCONCLUSIVE], pb.Report.INCONCLUSIVE),
        ([Verdict.FAIL, Verdict.INCONCLUSIVE], pb.Report.FAIL),
        ([Verdict.PASS, None], pb.Report.FAIL),
    ],
)
def test_a_finished_run_has_the_gravest_verdict_and_a_failed_audit_counts_as_fail(
    stub: AuditServiceStub,
    audits: AuditStore,
    pair_of_models: tuple[str, str],
    verdicts: list[Verdict | None],
    expected: pb.Report.Verdict,
) -> None:
    stub.CreateSuite(request(*map(artifact, pair_of_models)))
    made = run(stub)
    for each, verdict in zip(made.audits, verdicts, strict=True):
        end(audits, each.audit, verdict)
    finished = stub.GetRun(pb.GetRunRequest(name=made.name))
    assert (finished.state, finished.verdict) == (pb.Run.FINISHED, expected)
    assert [each.summary for each in finished.audits] == ["lost" if each is None else "made" for each in verdicts]
    assert finished.end_time.ToMilliseconds() - finished.create_time.ToMilliseconds() == (
        finished.duration.ToMilliseconds()
    )


def end(audits: AuditStore, name: str, verdict: Verdict | None) -> None:
    """Finish an audit as a worker does."""
    lease = audits.claim(name.removeprefix("audits/"), 30.0)
    assert isinstance(lease, Lease)
    if verdict is None:
        audits.fail(lease, Failure(reason="WORKER_LOST", message="lost"))
    else:
        audits.succeed(lease, to_json(Report(verdict=verdict, summary="made", execution=Execution(provider="cpu"))))


def test_a_run_with_an_unfinished_audit_is_running(
    stub: AuditServiceStub, audits: AuditStore, pair_of_models: tuple[str, str]
) -> None:
    stub.CreateSuite(request(*map(artifact, pair_of_models)))
    made = run(stub)
    end(audits, made.audits[0].audit, Verdict.FAIL)
    found = stub.GetRun(pb.GetRunRequest(name=made.name))
    assert (found.state, found.verdict) == (pb.Run.RUNNING, pb.Report.VERDICT_UNSPECIFIED)
    assert [each.verdict for each in found.audits] == [pb.Report.FAIL, pb.Report.VERDICT_UNSPECIFIED]


def test_runs_are_listed_newest_first_in_pages(stub: AuditServiceStub) -> None:
    upload(stub, b"content", display_name="lstm-1.onnx")
    stub.CreateSuite(request(GLOB))
    made = [run(stub).name for _ in range(5)]
    listed, token = [], ""
    for expected in (2, 2, 1):
        page = stub.ListRuns(pb.ListRunsRequest(parent="suites/nightly", page_size=2, page_token=token))
        assert len(page.runs) == expected
        assert all(not each.audits and each.state == pb.Run.RUNNING for each in page.runs)
        listed += [each.name for each in page.runs]
        token = page.next_page_token
    assert token == ""
    assert listed == made[::-1]
    (newest, *_) = stub.ListRuns(pb.ListRunsRequest(parent="suites/nightly", view=pb.VIEW_FULL)).runs
    assert newest == stub.GetRun(pb.GetRunRequest(name=made[-1]))
    assert len(newest.audits) == 1


@pytest.mark.parametrize(
    ("asked", "path"),
    [
        (pb.ListRunsRequest(parent="nightly"), "parent"),
        (pb.ListRunsRequest(parent="suites/nightly", page_size=-1), "page_size"),
        (pb.ListRunsRequest(parent="suites/nightly", page_token="x"), "page_token"),
    ],
)
def test_what_is_no_page_is_refused(stub: AuditServiceStub, asked: pb.ListRunsRequest, path: str) -> None:
    refusal = refusal_of(lambda: stub.ListRuns(asked))
    assert (refusal.code, list(refusal.violations)) == ("INVALID_ARGUMENT", [path])


def test_a_long_request_id_makes_no_run(stub: AuditServiceStub) -> None:
    stub.CreateSuite(request(GLOB))
    assert list(refusal_of(lambda: run(stub, "x" * 129)).violations) == ["request_id"]


def test_what_does_not_exist_is_not_found(stub: AuditServiceStub) -> None:
    refusals = [
        refusal_of(lambda: stub.GetSuite(pb.GetSuiteRequest(name="suites/none"))),
        refusal_of(lambda: stub.RunSuite(pb.RunSuiteRequest(name="suites/none"))),
        refusal_of(lambda: stub.ListRuns(pb.ListRunsRequest(parent="suites/none"))),
        refusal_of(lambda: stub.GetRun(pb.GetRunRequest(name="suites/none/runs/r"))),
    ]
    assert [(each.code, each.reason) for each in refusals] == [
        ("NOT_FOUND", "SUITE_NOT_FOUND"),
        ("NOT_FOUND", "SUITE_NOT_FOUND"),
        ("NOT_FOUND", "SUITE_NOT_FOUND"),
        ("NOT_FOUND", "RUN_NOT_FOUND"),
    ]
