"""Claims about ListAudits, BatchCreateAudits and DeleteAudit through the service."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

import pytest
import redis

from dropaudit_proto.v1 import audit_pb2 as pb
from dropaudit_proto.v1.audit_pb2_grpc import AuditServiceStub
from dropaudit_store.audits.lifecycle import AuditStore
from support.calls import artifact_request, name_of, recorded_request, refusal_of, upload
from support.handwork import succeed
from support.records import records


def create(stub: AuditServiceStub, team: str = "x") -> str:
    asked = recorded_request()
    asked.audit.labels["team"] = team
    return stub.CreateAudit(asked).name


def pages(stub: AuditServiceStub, **asked: object) -> Iterable[pb.ListAuditsResponse]:
    token = ""
    while True:
        page = stub.ListAudits(pb.ListAuditsRequest(page_token=token, **asked))  # type: ignore[arg-type]  # any field
        yield page
        token = page.next_page_token
        if not token:
            return


def names(found: Iterable[pb.ListAuditsResponse]) -> list[str]:
    return [audit.name for page in found for audit in page.audits]


def test_audits_are_listed_newest_first_or_oldest_first(stub: AuditServiceStub) -> None:
    made = [create(stub) for _ in range(5)]
    assert names(pages(stub)) == made[::-1]
    assert names(pages(stub, page_size=2)) == made[::-1]
    assert names(pages(stub, page_size=2, order_by="create_time desc")) == made[::-1]
    assert names(pages(stub, page_size=2, order_by="create_time")) == made


def test_pages_hold_each_audit_once_while_others_are_made(stub: AuditServiceStub) -> None:
    made = [create(stub) for _ in range(30)]
    found = []
    with ThreadPoolExecutor(4) as pool:
        for page in pages(stub, page_size=3):
            pool.submit(create, stub)
            found += [audit.name for audit in page.audits]
    assert found == made[::-1]


def test_a_filter_finds_by_state_label_and_finding(stub: AuditServiceStub, audits: AuditStore) -> None:
    first, second, third = create(stub, "x"), create(stub, "y"), create(stub, "y")
    succeed(audits, first)
    stub.CancelAudit(pb.CancelAuditRequest(name=third))
    assert names(pages(stub, filter="state = SUCCEEDED AND verdict = FAIL")) == [first]
    assert names(pages(stub, filter="finding = DA301")) == [first]
    assert names(pages(stub, filter="labels.team = y")) == [third, second]
    assert names(pages(stub, filter="labels.team = y NOT state = CANCELLED")) == [second]
    assert names(pages(stub, filter='create_time < "2000-01-01T00:00:00Z"')) == []


def test_a_filter_finds_by_model(stub: AuditServiceStub) -> None:
    models = [upload(stub, content).name for content in (b"one", b"two")]
    first, second = (stub.CreateAudit(artifact_request(model)).name for model in models)
    assert names(pages(stub, filter=f'model = "{models[0]}"')) == [first]
    assert names(pages(stub, filter=f"model = {models[1]}")) == [second]


def test_listed_reports_leave_out_sites_and_outputs(stub: AuditServiceStub, audits: AuditStore) -> None:
    name = create(stub)
    succeed(audits, name)
    whole = stub.GetAudit(pb.GetAuditRequest(name=name)).report
    (page,) = pages(stub)
    assert whole.sites
    assert whole.outputs
    whole.ClearField("sites")
    whole.ClearField("outputs")
    for finding in whole.findings:
        finding.ClearField("evidence")
    assert page.audits[0].report == whole
    assert page.audits[0].spec.recorded == pb.RecordedSubject(keep_prob=0.5)


def test_a_full_view_tells_all_of_each_audit(stub: AuditServiceStub, audits: AuditStore) -> None:
    name = create(stub)
    succeed(audits, name)
    (page,) = pages(stub, view=pb.VIEW_FULL)
    assert list(page.audits) == [stub.GetAudit(pb.GetAuditRequest(name=name))]
    assert page.audits[0].report.sites
    assert page.audits[0].spec.recorded.inference.shape


def test_a_page_that_would_be_too_large_ends_early_and_the_next_goes_on(
    stub: AuditServiceStub, audits: AuditStore
) -> None:
    made = []
    for _ in range(5):
        made.append(create(stub))
        succeed(audits, made[-1], sites=[{"name": "n" * 500}] * 2000)
    found = list(pages(stub, view=pb.VIEW_FULL, page_size=5))
    assert [len(page.audits) for page in found] == [3, 2]
    assert names(found) == made[::-1]
    # What every client of gRPC takes.
    assert all(page.ByteSize() < 4 << 20 for page in found)
    assert [len(page.audits) for page in pages(stub, page_size=5)] == [5]


@pytest.mark.parametrize(
    ("asked", "paths"),
    [
        (pb.ListAuditsRequest(page_size=-1, filter="state", order_by="x"), ["filter", "order_by", "page_size"]),
        (pb.ListAuditsRequest(page_token="AAAA"), ["page_token"]),
    ],
)
def test_what_is_no_list_is_refused_with_every_field(
    stub: AuditServiceStub, asked: pb.ListAuditsRequest, paths: list[str]
) -> None:
    refusal = refusal_of(lambda: stub.ListAudits(asked))
    assert (refusal.code, list(refusal.violations)) == ("INVALID_ARGUMENT", paths)


def test_a_token_does_not_fit_another_filter(stub: AuditServiceStub) -> None:
    for _ in range(2):
        create(stub)
    token = stub.ListAudits(pb.ListAuditsRequest(page_size=1)).next_page_token
    asked = pb.ListAuditsRequest(page_size=1, page_token=token, filter="state = QUEUED")
    assert list(refusal_of(lambda: stub.ListAudits(asked)).violations) == ["page_token"]


def batch(*asked: pb.CreateAuditRequest) -> pb.BatchCreateAuditsRequest:
    return pb.BatchCreateAuditsRequest(requests=asked)


def test_a_batch_makes_its_audits_in_their_order(stub: AuditServiceStub) -> None:
    asked = [recorded_request(request_id=f"r{number}") for number in range(20)]
    for number, each in enumerate(asked):
        each.audit.labels["number"] = str(number)
    made = stub.BatchCreateAudits(batch(*asked)).audits
    assert [audit.labels["number"] for audit in made] == [str(number) for number in range(20)]
    assert stub.BatchCreateAudits(batch(*asked)).audits == made
    assert names(pages(stub, order_by="create_time")) == [audit.name for audit in made]


def test_of_a_batch_with_something_wrong_nothing_is_made(stub: AuditServiceStub, redis_client: redis.Redis) -> None:
    other = recorded_request(request_id="mine")
    other.audit.spec.options.seed = 7
    wrong = recorded_request()
    wrong.audit.spec.options.alpha = 2
    refusal = refusal_of(lambda: stub.BatchCreateAudits(batch(recorded_request(), wrong)))
    assert list(refusal.violations) == ["requests[1].audit.spec.options.alpha"]
    unknown = artifact_request(name_of(b"unknown"))
    assert refusal_of(lambda: stub.BatchCreateAudits(batch(recorded_request(), unknown))).reason == "MODEL_NOT_FOUND"
    twice = batch(recorded_request(request_id="mine"), other)
    assert refusal_of(lambda: stub.BatchCreateAudits(twice)).reason == "REQUEST_ID_REUSED"
    assert names(pages(stub)) == []
    assert not redis_client.exists("dropaudit:queued")


@pytest.mark.parametrize("count", [0, 1001])
def test_a_batch_has_1_to_1000_requests(stub: AuditServiceStub, count: int) -> None:
    asked = batch(*[pb.CreateAuditRequest()] * count)
    assert list(refusal_of(lambda: stub.BatchCreateAudits(asked)).violations) == ["requests"]


def test_a_batch_is_checked_without_making_it(stub: AuditServiceStub, redis_client: redis.Redis) -> None:
    assert len(stub.BatchCreateAudits(batch(*[recorded_request(validate_only=True)] * 3)).audits) == 3
    assert records(redis_client) == set()
    mixed = batch(recorded_request(validate_only=True), recorded_request())
    assert list(refusal_of(lambda: stub.BatchCreateAudits(mixed)).violations) == ["requests"]


@pytest.mark.parametrize(
    ("labels", "path"),
    [
        ({str(number): "" for number in range(65)}, "audit.labels"),
        ({"": "x"}, "audit.labels[]"),
        ({"k" * 64: "x"}, f"audit.labels[{'k' * 63}]"),
        ({"k": "v" * 257}, "audit.labels[k]"),
    ],
)
def test_labels_have_limits(stub: AuditServiceStub, labels: dict[str, str], path: str) -> None:
    asked = recorded_request()
    asked.audit.labels.update(labels)
    assert list(refusal_of(lambda: stub.CreateAudit(asked)).violations) == [path]


def delete(stub: AuditServiceStub, name: str) -> None:
    stub.DeleteAudit(pb.DeleteAuditRequest(name=name))


def test_a_finished_audit_is_deleted_with_all_that_it_left(
    stub: AuditServiceStub, audits: AuditStore, redis_client: redis.Redis
) -> None:
    asked = recorded_request(request_id="mine")
    asked.audit.labels["team"] = "x"
    name = stub.CreateAudit(asked).name
    succeed(audits, name)
    delete(stub, name)
    assert refusal_of(lambda: stub.GetAudit(pb.GetAuditRequest(name=name))).reason == "AUDIT_NOT_FOUND"
    assert refusal_of(lambda: delete(stub, name)).code == "NOT_FOUND"
    left = {str(each) for each in redis_client.scan_iter("dropaudit:*")}
    (blob,) = redis_client.zrange("dropaudit:garbage", 0, -1)
    # What was counted stays, and content that was held goes later.
    kept = {"dropaudit:garbage", f"dropaudit:hold:{blob!s}", "dropaudit:totals"}
    # Those who watched are told by a short list of names.
    assert left == kept | {"dropaudit:deleted"}


def test_an_audit_that_has_not_finished_is_not_deleted(stub: AuditServiceStub, audits: AuditStore) -> None:
    name = create(stub)
    for state in ("QUEUED", "RUNNING"):
        refusal = refusal_of(lambda: delete(stub, name))
        assert (refusal.code, refusal.reason) == ("FAILED_PRECONDITION", "AUDIT_NOT_FINISHED")
        assert refusal.facts["state"] == state
        assert refusal.preconditions == {name: "AUDIT_NOT_FINISHED"}
        audits.claim(name.removeprefix("audits/"), 30.0)
