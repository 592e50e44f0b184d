"""Claims about suites through the service: members, schedules, previews, etags and secrets."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.timestamp_pb2 import Timestamp

from dropaudit_proto.v1 import audit_pb2 as pb
from dropaudit_proto.v1.audit_pb2_grpc import AuditServiceStub
from support.batches import Batches
from support.calls import recorded_request, refusal_of, tensor, upload
from support.suite_calls import GLOB, NAME, create


def test_a_preview_shows_what_a_suite_would_audit_stored_or_not(stub: AuditServiceStub) -> None:
    for content in (b"one", b"two"):
        upload(stub, content, display_name="m.onnx")
    asked = pb.Suite(members=[GLOB, pb.SuiteMember(glob=pb.Glob(pattern="gru*"))])
    shown = stub.PreviewSuite(pb.PreviewSuiteRequest(suite=asked))
    assert [(each.display_name, each.artifacts[0].version) for each in shown.members] == [("m.onnx", 2)]
    assert (shown.total, list(shown.notes)) == (1, ["members[1]: the pattern 'gru*' matches nothing"])
    create(stub)
    assert stub.PreviewSuite(pb.PreviewSuiteRequest(name=NAME)).total == 1
    assert not stub.ListRuns(pb.ListRunsRequest(parent=NAME)).runs


def test_what_cannot_be_previewed_is_refused(stub: AuditServiceStub) -> None:
    assert list(refusal_of(lambda: stub.PreviewSuite(pb.PreviewSuiteRequest())).violations) == ["name"]
    bad = pb.PreviewSuiteRequest(suite=pb.Suite(members=[pb.SuiteMember()]))
    assert list(refusal_of(lambda: stub.PreviewSuite(bad)).violations) == ["suite.members[0]"]
    none = pb.PreviewSuiteRequest(name="suites/none")
    assert refusal_of(lambda: stub.PreviewSuite(none)).reason == "SUITE_NOT_FOUND"


INPUTS = pb.TensorSet(tensors=[tensor(np.ones((2, 2), np.float32), "FP32", "x")])


def test_every_kind_of_member_comes_back_as_it_was_sent(stub: AuditServiceStub) -> None:
    upload(stub, b"one", display_name="m.onnx")
    recorded = recorded_request().audit.spec.recorded
    members = [
        pb.SuiteMember(glob=pb.Glob(pattern="*", role=pb.TRAIN, alias="production")),
        pb.SuiteMember(glob=pb.Glob(pattern="*", role=pb.AUTO, all_versions=True)),
        pb.SuiteMember(named=pb.NamedModel(display_name="m.onnx", alias="production", role=pb.TRAIN)),
        pb.SuiteMember(named=pb.NamedModel(display_name="m.onnx", version=1, role=pb.AUTO)),
        pb.SuiteMember(pair_pattern=pb.PairPattern(train="{name}-t", inference="{name}-i")),
        pb.SuiteMember(mlflow=pb.MlflowModel(uri="models:/lstm@champion", role=pb.INFERENCE)),
        pb.SuiteMember(recorded=recorded, display_name="from production"),
        pb.SuiteMember(
            glob=pb.Glob(pattern="*", role=pb.AUTO),
            overrides=pb.Overrides(
                role=pb.TRAIN, keep_prob=0.5, inputs=INPUTS, options=pb.AuditOptions(alpha=0.01, seed=3)
            ),
        ),
    ]
    made = create(stub, *members)
    # Of tensors only names, types and shapes come back.
    kept = members[-2].recorded
    kept.inference.name, kept.train[0].name = "inference", "train0"
    for sent in (kept.inference, kept.train[0], members[-1].overrides.inputs.tensors[0]):
        sent.ClearField("raw_contents")
    assert list(made.members) == members


@pytest.mark.parametrize(
    ("member", "path"),
    [
        (pb.SuiteMember(glob=pb.Glob(pattern="*", alias="Prod")), "glob.alias"),
        (pb.SuiteMember(glob=pb.Glob(pattern="*", alias="p", all_versions=True)), "glob.all_versions"),
        (pb.SuiteMember(named=pb.NamedModel()), "named.display_name"),
        (pb.SuiteMember(pair_pattern=pb.PairPattern(train="{name}", inference="x")), "pair_pattern.inference"),
        (pb.SuiteMember(uri_glob=pb.UriGlob(pattern="file:///models/*.onnx")), "uri_glob.pattern"),
        (pb.SuiteMember(triton=pb.TritonRepository(uri="s3://bucket/x")), "triton.uri"),
        (pb.SuiteMember(mlflow=pb.MlflowModel(uri="runs:/1/model")), "mlflow.uri"),
        (pb.SuiteMember(glob=pb.Glob(pattern="*"), overrides=pb.Overrides(keep_prob=2)), "overrides.keep_prob"),
        (
            pb.SuiteMember(glob=pb.Glob(pattern="*"), overrides=pb.Overrides(options=pb.AuditOptions(tolerance=7))),
            "overrides.options.tolerance",
        ),
    ],
)
def test_what_is_no_member_is_refused_with_its_field(stub: AuditServiceStub, member: pb.SuiteMember, path: str) -> None:
    assert list(refusal_of(lambda: create(stub, GLOB, member)).violations) == [f"suite.members[1].{path}"]


@pytest.mark.parametrize(
    ("fields", "path", "word"),
    [
        ({"schedule": pb.Schedule(cron="0 25 * * *")}, "schedule.cron", "hour"),
        ({"schedule": pb.Schedule(cron="0 0 * 13 *")}, "schedule.cron", "month"),
        ({"schedule": pb.Schedule(cron="0 0 * * *", time_zone="Mars/Base")}, "schedule.time_zone", "Mars/Base"),
        (
            {"schedule": pb.Schedule(cron="0 0 * * *", grace=Duration(seconds=90_000))},
            "schedule.grace",
            "from 0 to a day",
        ),
        ({"notifications": [pb.Notification(webhook_url="ftp://a/b")]}, "notifications[0].webhook_url", "http"),
        (
            {"notifications": [pb.Notification(webhook_url="https://u:p@a/")]},
            "notifications[0].webhook_url",
            "password",
        ),
        ({"accepted_findings": [pb.AcceptedFinding(code="DA999")]}, "accepted_findings[0].code", "DA999"),
        (
            {"accepted_findings": [pb.AcceptedFinding(code="DA301")]},
            "accepted_findings[0].acceptance.reason",
            "reason",
        ),
        (
            {
                "accepted_findings": [
                    pb.AcceptedFinding(
                        code="DA301", acceptance=pb.Acceptance(reason="x"), range=pb.Range(lower=2, upper=1)
                    )
                ]
            },
            "accepted_findings[0].range",
            "smaller first",
        ),
        *(
            (
                {
                    "accepted_findings": [
                        pb.AcceptedFinding(
                            code="DA301", acceptance=pb.Acceptance(reason="x", expire_time=Timestamp(**instant))
                        )
                    ]
                },
                "accepted_findings[0].acceptance.expire_time",
                "years 1 to 9999",
            )
            for instant in ({"seconds": 10**18}, {"seconds": -62135596801}, {"nanos": -5}, {"nanos": 2**31 - 1})
        ),
    ],
)
def test_what_is_wrong_with_a_suite_is_said_with_its_field(
    stub: AuditServiceStub, fields: dict[str, Any], path: str, word: str
) -> None:
    violations = refusal_of(lambda: create(stub, **fields)).violations
    assert list(violations) == [f"suite.{path}"]
    assert word in violations[f"suite.{path}"]


def test_a_schedule_says_when_it_is_due_next(stub: AuditServiceStub) -> None:
    schedule = pb.Schedule(
        cron="30 3 1 1 *", time_zone="Asia/Kathmandu", overlap=pb.Schedule.QUEUE, grace=Duration(seconds=60)
    )
    made = create(stub, schedule=schedule)
    due = made.schedule.next_time.ToDatetime()
    assert (due.month, due.day, due.hour, due.minute) == (12, 31, 21, 45)
    assert (made.schedule.overlap, made.schedule.grace.seconds) == (pb.Schedule.QUEUE, 60)
    paused = stub.PauseSuite(pb.PauseSuiteRequest(name=NAME))
    assert (paused.schedule.paused, paused.schedule.HasField("next_time")) == (True, False)
    assert stub.ResumeSuite(pb.ResumeSuiteRequest(name=NAME)).schedule.next_time == made.schedule.next_time


def test_an_etag_lets_a_change_pass_only_while_nothing_else_has_changed(stub: AuditServiceStub) -> None:
    made = create(stub)
    assert stub.GetSuite(pb.GetSuiteRequest(name=NAME)).etag == made.etag

    def change(etag: str, **fields: Any) -> pb.Suite:
        suite = pb.Suite(name=NAME, etag=etag, display_name="x")
        return stub.UpdateSuite(
            pb.UpdateSuiteRequest(suite=suite, update_mask=FieldMask(paths=["display_name"]), **fields)
        )

    looked_at = change(made.etag, validate_only=True)
    assert (looked_at.display_name, stub.GetSuite(pb.GetSuiteRequest(name=NAME)).etag) == ("x", made.etag)
    change(made.etag)
    assert refusal_of(lambda: change(made.etag)).code == "ABORTED"
    stale = pb.DeleteSuiteRequest(name=NAME, etag=made.etag)
    assert refusal_of(lambda: stub.DeleteSuite(stale)).code == "ABORTED"
    change("")
    stub.DeleteSuite(pb.DeleteSuiteRequest(name=NAME, etag=stub.GetSuite(pb.GetSuiteRequest(name=NAME)).etag))


def test_a_suite_is_only_looked_at_where_that_is_asked_for(stub: AuditServiceStub) -> None:
    request = pb.CreateSuiteRequest(suite=pb.Suite(members=[GLOB]), suite_id="nightly", validate_only=True)
    assert stub.CreateSuite(request).name == NAME
    assert refusal_of(lambda: stub.GetSuite(pb.GetSuiteRequest(name=NAME))).reason == "SUITE_NOT_FOUND"


def test_secrets_are_never_told_and_kept_where_an_update_leaves_them_out(
    stub: AuditServiceStub, worker: Batches
) -> None:
    target = pb.Notification(
        webhook_url="https://example.com/a/secret-path", secret="s3cret", form=pb.Notification.SLACK
    )
    made = create(stub, notifications=[target])
    assert "s3cret" not in str(made)
    assert (made.notifications[0].signed, made.notifications[0].secret) == (True, "")
    made.notifications[0].trigger = pb.Notification.ALWAYS
    changed = stub.UpdateSuite(pb.UpdateSuiteRequest(suite=made, update_mask=FieldMask(paths=["notifications"])))
    assert (changed.notifications[0].signed, changed.notifications[0].trigger) == (True, pb.Notification.ALWAYS)
    assert worker.suites.get("nightly").targets[0].secret == "s3cret"
