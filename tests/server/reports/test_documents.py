"""Claims about RenderReport: the report of an audit or of a run as a document, written by the server."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from xml.etree import ElementTree

import grpc
import pytest
import redis
from google.protobuf.field_mask_pb2 import FieldMask

from dropaudit.report import Report, from_json, to_json
from dropaudit_formats.writing import MEDIA_TYPES, report_text
from dropaudit_proto.v1 import audit_pb2 as pb
from dropaudit_proto.v1.audit_pb2_grpc import AuditServiceStub
from dropaudit_server.reports.documents import FORMS
from dropaudit_store.records import Failure
from formats.test_schemas import HOSTILE, check_junit, check_sarif
from support.batches import Batches, failing
from support.calls import recorded_request, refusal_of, upload
from support.reports import finding, report_with
from support.suite_calls import NAME, create, ended, run

REQUEST = pb.RenderReportRequest
FAULT = finding("DA301", "drop")


def rendered(stub: AuditServiceStub, name: str, form: pb.RenderReportRequest.Form, link_prefix: str = "") -> str:
    pieces = list(stub.RenderReport(REQUEST(name=name, form=form, link_prefix=link_prefix)))
    assert [bool(each.media_type) for each in pieces] == [True] + [False] * (len(pieces) - 1)
    assert pieces[0].media_type == MEDIA_TYPES[FORMS[form]]
    assert max(len(each.chunk) for each in pieces) <= 1 << 16
    return b"".join(each.chunk for each in pieces).decode()


def audited(stub: AuditServiceStub, worker: Batches, outcome: Report | Failure) -> str:
    """Return the name of an audit that ended so."""
    name = stub.CreateAudit(recorded_request()).name
    lease = worker.audits.claim(name.partition("/")[2], 30.0)
    assert lease is not None
    if isinstance(outcome, Failure):
        worker.audits.fail(lease, outcome)
    else:
        worker.audits.succeed(lease, to_json(outcome))
    return name


def nightly(stub: AuditServiceStub, worker: Batches) -> tuple[pb.Run, pb.Run]:
    """Return two runs of a suite: in the second one model is replaced by a faulty one, and one could not be audited."""
    for name in ("a.onnx", "b.onnx", "c.onnx"):
        upload(stub, name.encode(), display_name=name)
    create(stub)
    first = ended(stub, worker)
    pinned = pb.Suite(name=NAME, baseline=first.name, display_name="Every night")
    mask = FieldMask(paths=["baseline", "display_name"])
    stub.UpdateSuite(pb.UpdateSuiteRequest(suite=pinned, update_mask=mask))
    for name in ("b.onnx", "c.onnx"):
        upload(stub, f"{name} again".encode(), display_name=name)
    failure = Failure(reason="INVALID_MODEL", message="it is cut off")
    return first, ended(stub, worker, {"b.onnx": failing(FAULT), "c.onnx": failure})


@pytest.mark.parametrize("form", FORMS, ids=pb.RenderReportRequest.Form.Name)
def test_the_report_of_an_audit_is_what_the_command_writes(
    stub: AuditServiceStub, worker: Batches, form: pb.RenderReportRequest.Form
) -> None:
    # As it comes back: of numbers a store keeps the value, not how they were written.
    report = from_json(to_json(report_with(FAULT)))
    name = audited(stub, worker, report)
    assert rendered(stub, name, form) == report_text(report, FORMS[form], name)


def test_an_audit_that_could_not_be_made_is_a_document_too(stub: AuditServiceStub, worker: Batches) -> None:
    name = audited(stub, worker, Failure(reason="INVALID_MODEL", message="it is cut off"))
    assert "it is cut off" in rendered(stub, name, REQUEST.HTML)
    sarif = rendered(stub, name, REQUEST.SARIF)
    check_sarif(sarif)
    assert json.loads(sarif)["runs"][0]["invocations"][0]["executionSuccessful"] is False
    junit = rendered(stub, name, REQUEST.JUNIT)
    check_junit(junit)
    assert ElementTree.fromstring(junit).get("errors") == "1"
    cancelled = stub.CreateAudit(recorded_request()).name
    stub.CancelAudit(pb.CancelAuditRequest(name=cancelled))
    assert "CANCELLED" in rendered(stub, cancelled, REQUEST.JSON)


def test_an_audit_that_has_not_ended_has_no_report(stub: AuditServiceStub) -> None:
    name = stub.CreateAudit(recorded_request()).name
    refusal = refusal_of(lambda: list(stub.RenderReport(REQUEST(name=name, form=REQUEST.HTML))))
    assert (refusal.code, refusal.reason) == ("FAILED_PRECONDITION", "AUDIT_NOT_FINISHED")


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        (REQUEST(name="audits/1"), "form"),
        (REQUEST(name="models/1", form=REQUEST.HTML), "name"),
        (REQUEST(name="suites/a", form=REQUEST.HTML), "name"),
        (REQUEST(name="audits/1", form=REQUEST.HTML, link_prefix="javascript:alert(1)//"), "link_prefix"),
        (REQUEST(name="audits/1", form=REQUEST.HTML, link_prefix="https://a\n"), "link_prefix"),
        (REQUEST(name="audits/1", form=REQUEST.HTML, link_prefix="https://" + "a" * 600), "link_prefix"),
    ],
)
def test_what_is_wrong_with_a_request_is_said(
    stub: AuditServiceStub, request_: pb.RenderReportRequest, field: str
) -> None:
    with pytest.raises(grpc.RpcError) as raised:
        list(stub.RenderReport(request_))
    assert raised.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert field in str(raised.value.details())


@pytest.mark.parametrize("name", ["audits/none", "suites/none/runs/none"])
def test_what_is_not_there_has_no_report(stub: AuditServiceStub, name: str) -> None:
    with pytest.raises(grpc.RpcError) as raised:
        list(stub.RenderReport(REQUEST(name=name, form=REQUEST.HTML)))
    assert raised.value.code() is grpc.StatusCode.NOT_FOUND


def test_the_report_of_a_run_tells_what_changed_and_how_it_went_before(stub: AuditServiceStub, worker: Batches) -> None:
    first, second = nightly(stub, worker)
    document = json.loads(rendered(stub, second.name, REQUEST.JSON))
    assert (document["verdict"], document["title"], document["run"]) == ("FAIL", "Every night", second.name)
    assert document["since"] == {"base": first.name, "status": "FAILED", "removed": []}
    assert document["baseline"]["base"] == first.name
    members = {each["member"]: each for each in document["members"]}
    assert [members[name]["verdict"] for name in ("a.onnx", "b.onnx", "c.onnx")] == ["PASS", "FAIL", "NOT MADE"]
    assert (members["b.onnx"]["change"]["status"], members["b.onnx"]["change"]["kind"]) == ("FAILED", "REPLACED")
    assert [each["verdict"] for each in members["b.onnx"]["history"]] == ["PASS", "FAIL"]
    assert members["c.onnx"]["error"] == {"reason": "INVALID_MODEL", "message": "it is cut off"}
    assert "change" not in members["a.onnx"]
    series = {each["quantity"] for each in members["b.onnx"]["series"]}
    assert series == {"keepProb", "scale", "scaleFactor"}
    assert all(len(each["points"]) == 2 for each in members["b.onnx"]["series"])
    assert document["facts"]["Compared with"] == document["facts"]["Baseline"] == first.name


def test_the_page_of_a_run_links_its_members_where_the_dashboard_is(stub: AuditServiceStub, worker: Batches) -> None:
    _, second = nightly(stub, worker)
    page = rendered(stub, second.name, REQUEST.HTML, "https://audits.example.com/")
    audits = {each.audit for each in second.audits}
    links = set(re.findall(r'href="https://audits\.example\.com/(audits/[^/"]+)/report"', page))
    assert links == audits
    assert "https://audits" not in rendered(stub, second.name, REQUEST.HTML)
    assert "<svg" in page


def test_documents_of_a_run_for_machines_validate(stub: AuditServiceStub, worker: Batches) -> None:
    _, second = nightly(stub, worker)
    junit = rendered(stub, second.name, REQUEST.JUNIT)
    check_junit(junit)
    root = ElementTree.fromstring(junit)
    # Two cases of each report, a site and an output, and one of what could not be audited.
    assert (root.get("tests"), root.get("failures"), root.get("errors")) == ("5", "1", "1")
    sarif = rendered(stub, second.name, REQUEST.SARIF)
    check_sarif(sarif)
    (result,) = json.loads(sarif)["runs"][0]["results"]
    assert (result["ruleId"], result["baselineState"]) == ("DA301", "new")
    assert rendered(stub, second.name, REQUEST.MARKDOWN).startswith("## FAIL: Every night")


def test_a_run_that_goes_on_has_a_report_so_far(stub: AuditServiceStub) -> None:
    upload(stub, b"one", display_name="a.onnx")
    create(stub)
    document = json.loads(rendered(stub, run(stub).name, REQUEST.JSON))
    (member,) = document["members"]
    assert member["verdict"] == "QUEUED"
    assert "error" not in member


def test_a_member_that_is_accepted_is_told_so_and_does_not_fail(stub: AuditServiceStub, worker: Batches) -> None:
    upload(stub, b"one", display_name="a.onnx")
    accepted = pb.AcceptedFinding(code="DA301", acceptance=pb.Acceptance(reason="known", accepted_by="ada"))
    create(stub, accepted_findings=[accepted])
    found = ended(stub, worker, {"a.onnx": failing(FAULT)})
    assert "Accepted by ada: known" in rendered(stub, found.name, REQUEST.HTML)
    root = ElementTree.fromstring(rendered(stub, found.name, REQUEST.JUNIT))
    assert root.get("failures") == "0"


def test_hostile_names_steer_no_document_of_a_run(stub: AuditServiceStub, worker: Batches) -> None:
    hostile = "<script>alert(1)</script>\u202e.onnx"
    upload(stub, b"one", display_name=hostile)
    create(stub, pb.SuiteMember(glob=pb.Glob(pattern="*")))
    report = report_with(finding("DA301", HOSTILE[:200]), site=HOSTILE[:200], output=HOSTILE[:200])
    found = ended(stub, worker, {hostile: report})
    for form in FORMS:
        text = rendered(stub, found.name, form)
        assert "\u202e" not in text
    assert "<script>alert" not in rendered(stub, found.name, REQUEST.HTML)


def test_the_server_writes_documents_without_onnx(redis_client: redis.Redis) -> None:
    code = (
        "import sys, dropaudit_server.serving.server, dropaudit_formats.html, dropaudit_formats.runs.page\n"
        "print(sorted({'onnx', 'onnxruntime'} & set(sys.modules)))"
    )
    ended_ = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert ended_.stdout == "[]\n"


def test_the_json_of_an_audit_is_its_report(stub: AuditServiceStub, worker: Batches) -> None:
    report = report_with(FAULT)
    assert from_json(json.loads(rendered(stub, audited(stub, worker, report), REQUEST.JSON))) == report
