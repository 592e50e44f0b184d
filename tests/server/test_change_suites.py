"""Claims about ListSuites, UpdateSuite and DeleteSuite."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import numpy as np
import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from dropaudit_proto.v1 import audit_pb2 as pb
from dropaudit_proto.v1.audit_pb2_grpc import AuditServiceStub
from dropaudit_store.audits.lifecycle import AuditStore
from support.calls import name_of, refusal_of, tensor, upload

GLOB = pb.SuiteMember(glob=pb.Glob(pattern="*"))


def create(stub: AuditServiceStub, suite_id: str = "nightly", **fields: Any) -> pb.Suite:
    suite = pb.Suite(**{"members": [GLOB], "display_name": "Nightly", **fields})
    return stub.CreateSuite(pb.CreateSuiteRequest(suite=suite, suite_id=suite_id))


def update(stub: AuditServiceStub, *paths: str, **fields: Any) -> pb.Suite:
    suite = pb.Suite(name="suites/nightly", **fields)
    return stub.UpdateSuite(pb.UpdateSuiteRequest(suite=suite, update_mask=FieldMask(paths=paths)))


def test_suites_are_listed_newest_first_in_pages(stub: AuditServiceStub) -> None:
    made = [create(stub, f"suite-{number}") for number in range(5)]
    found: list[pb.Suite] = []
    token = ""
    for expected in (2, 2, 1):
        page = stub.ListSuites(pb.ListSuitesRequest(page_size=2, page_token=token, view=pb.VIEW_FULL))
        assert len(page.suites) == expected
        found += page.suites
        token = page.next_page_token
        create(stub, f"newer-{expected}-{len(found)}")
    assert (found, token) == (made[::-1], "")
    assert all(not each.members for each in stub.ListSuites(pb.ListSuitesRequest()).suites)


CHANGES: dict[str, Callable[[pb.Suite], object]] = {
    "display_name": lambda suite: setattr(suite, "display_name", "Other"),
    "labels": lambda suite: suite.labels.update({"team": "x"}),
    "options": lambda suite: setattr(suite.options, "seed", 7),
    "members": lambda suite: suite.members.append(pb.SuiteMember(glob=pb.Glob(pattern="lstm-*", role=pb.TRAIN))),
    "schedule": lambda suite: suite.schedule.CopyFrom(pb.Schedule(cron="30 4 * * *", paused=True)),
    "schedule.cron": lambda suite: setattr(suite.schedule, "cron", "30 4 * * *"),
    "schedule.paused": lambda suite: setattr(suite.schedule, "paused", True),
}


@pytest.mark.parametrize("path", CHANGES)
def test_what_the_mask_names_changes_and_nothing_else(stub: AuditServiceStub, path: str) -> None:
    expected = create(stub, schedule=pb.Schedule(cron="0 3 * * *"))
    CHANGES[path](expected)
    asked = pb.Suite()
    asked.CopyFrom(expected)
    # What the mask does not name may be anything.
    for other in {"display_name", "labels", "options", "members"} - {path}:
        asked.ClearField(other)
    changed = stub.UpdateSuite(pb.UpdateSuiteRequest(suite=asked, update_mask=FieldMask(paths=[path])))
    assert changed.update_time.ToMilliseconds() >= changed.create_time.ToMilliseconds()
    assert changed.etag != expected.etag
    for field in ("update_time", "etag"):
        expected.ClearField(field)
    for field in ("update_time", "etag"):
        changed.ClearField(field)
    expected.schedule.ClearField("next_time")
    changed.schedule.ClearField("next_time")
    assert changed == expected
    found = stub.GetSuite(pb.GetSuiteRequest(name="suites/nightly"))
    for field in ("update_time", "etag"):
        found.ClearField(field)
    found.schedule.ClearField("next_time")
    assert found == expected


def test_without_a_mask_what_is_set_changes(stub: AuditServiceStub) -> None:
    create(stub, labels={"team": "x"})
    changed = update(stub, display_name="Other")
    assert (changed.display_name, dict(changed.labels)) == ("Other", {"team": "x"})


def test_a_star_changes_everything(stub: AuditServiceStub) -> None:
    create(stub, labels={"team": "x"}, schedule=pb.Schedule(cron="0 3 * * *"))
    changed = update(stub, "*", members=[GLOB])
    assert (changed.display_name, dict(changed.labels), changed.HasField("schedule")) == ("", {}, False)


def test_inputs_of_members_that_stay_are_kept(stub: AuditServiceStub) -> None:
    model = upload(stub, b"content").name
    inputs = pb.TensorSet(tensors=[tensor(np.ones((2, 2), np.float32), "FP32", "x")])
    create(stub, members=[pb.SuiteMember(artifact=pb.ArtifactSubject(model=model, inputs=inputs))])
    changed = update(stub, "display_name", display_name="Other")
    assert changed.members[0].artifact.inputs.tensors[0].name == "x"


@pytest.mark.parametrize(
    ("paths", "fields", "wrong"),
    [
        (("create_me",), {}, "update_mask"),
        (("members",), {}, "suite.members"),
        (("schedule.cron",), {}, "suite.schedule.cron"),
        (("options",), {"options": pb.AuditOptions(alpha=2)}, "suite.options.alpha"),
        (("labels",), {"labels": {"": "x"}}, "suite.labels[]"),
        ((), {"baseline": "suites/a/runs/b"}, "suite.baseline"),
    ],
)
def test_what_is_no_change_is_refused(
    stub: AuditServiceStub, paths: tuple[str, ...], fields: dict[str, Any], wrong: str
) -> None:
    before = create(stub)
    refusal = refusal_of(lambda: update(stub, *paths, **fields))
    assert wrong in refusal.violations
    assert stub.GetSuite(pb.GetSuiteRequest(name="suites/nightly")) == before


def test_a_change_to_unknown_models_is_refused(stub: AuditServiceStub) -> None:
    create(stub)
    member = pb.SuiteMember(artifact=pb.ArtifactSubject(model=name_of(b"unknown")))
    assert refusal_of(lambda: update(stub, "members", members=[member])).reason == "MODEL_NOT_FOUND"


def test_of_changes_at_the_same_time_none_gets_lost_unnoticed(stub: AuditServiceStub) -> None:
    create(stub)
    begun = threading.Barrier(8)

    def change(number: int) -> str:
        begun.wait()
        try:
            update(stub, "labels", labels={f"label-{number}": "x"})
        except grpc.RpcError as error:
            refused: Any = error
            return str(refused.code().name)
        return "changed"

    with ThreadPoolExecutor(8) as pool:
        outcomes = set(pool.map(change, range(8)))
    assert {"changed"} <= outcomes <= {"changed", "ABORTED"}


def test_a_deleted_suite_is_gone_with_its_runs_and_their_audits_are_cancelled(stub: AuditServiceStub) -> None:
    upload(stub, b"one", display_name="m.onnx")
    create(stub, schedule=pb.Schedule(cron="0 3 * * *"))
    run = stub.RunSuite(pb.RunSuiteRequest(name="suites/nightly"))
    stub.DeleteSuite(pb.DeleteSuiteRequest(name="suites/nightly"))
    for call in (
        lambda: stub.GetSuite(pb.GetSuiteRequest(name="suites/nightly")),
        lambda: stub.DeleteSuite(pb.DeleteSuiteRequest(name="suites/nightly")),
        lambda: update(stub, "display_name"),
    ):
        assert refusal_of(call).reason == "SUITE_NOT_FOUND"
    assert stub.ListSuites(pb.ListSuitesRequest()) == pb.ListSuitesResponse()
    assert refusal_of(lambda: stub.GetRun(pb.GetRunRequest(name=run.name))).reason == "RUN_NOT_FOUND"
    assert stub.GetAudit(pb.GetAuditRequest(name=run.audits[0].audit)).state == pb.Audit.CANCELLED
    # Another suite of the name begins with nothing.
    assert create(stub).last_run == ""
    assert not stub.ListRuns(pb.ListRunsRequest(parent="suites/nightly")).runs


def test_a_run_tells_which_of_its_audits_are_gone(stub: AuditServiceStub, audits: AuditStore) -> None:
    models = [upload(stub, content).name for content in (b"one", b"two")]
    create(stub, members=[pb.SuiteMember(artifact=pb.ArtifactSubject(model=model)) for model in models])
    run = stub.RunSuite(pb.RunSuiteRequest(name="suites/nightly"))
    for each in run.audits:
        stub.CancelAudit(pb.CancelAuditRequest(name=each.audit))
    stub.DeleteAudit(pb.DeleteAuditRequest(name=run.audits[0].audit))
    found = stub.GetRun(pb.GetRunRequest(name=run.name))
    # What was counted is known.
    assert (found.state, found.verdict, found.counts.cancelled) == (pb.Run.FINISHED, pb.Report.FAIL, 2)
    assert found.audits[0].audit == run.audits[0].audit
    assert (found.audits[0].state, found.audits[1].state) == (pb.Audit.STATE_UNSPECIFIED, pb.Audit.CANCELLED)
    assert "expired" in found.audits[0].summary
