"""Claims about ListModels, DownloadModel, DeleteModel and InspectModel."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
import redis

from dropaudit_models import export
from dropaudit_proto.v1 import audit_pb2 as pb
from dropaudit_proto.v1.audit_pb2_grpc import AuditServiceStub
from dropaudit_store.audits.lifecycle import AuditStore
from dropaudit_store.content.blobs import BlobStore
from dropaudit_store.content.garbage import Garbage
from dropaudit_store.content.inspections import Inspection, Inspections
from dropaudit_store.records import Failure
from support.calls import artifact_request, metadata, name_of, refusal_of, unversioned, upload, upload_messages
from support.services import server, worker


def list_models(stub: AuditServiceStub, size: int, token: str = "") -> pb.ListModelsResponse:
    return stub.ListModels(pb.ListModelsRequest(page_size=size, page_token=token))


def test_models_are_listed_newest_first_in_pages_that_inserts_do_not_move(stub: AuditServiceStub) -> None:
    made = [upload(stub, f"content {number}".encode(), display_name=f"{number}.onnx") for number in range(5)]
    first = list_models(stub, 2)
    upload(stub, b"a newer one")
    second = list_models(stub, 2, first.next_page_token)
    third = list_models(stub, 2, second.next_page_token)
    assert [*first.models, *second.models, *third.models] == [unversioned(each) for each in made[::-1]]
    assert third.next_page_token == ""


def test_an_empty_list_is_one_empty_page(stub: AuditServiceStub) -> None:
    assert list_models(stub, 0) == pb.ListModelsResponse()


@pytest.mark.parametrize(("size", "token", "path"), [(-1, "", "page_size"), (1, "x!", "page_token")])
def test_what_is_no_page_is_refused(stub: AuditServiceStub, size: int, token: str, path: str) -> None:
    assert list(refusal_of(lambda: list_models(stub, size, token)).violations) == [path]


def test_a_token_of_another_list_is_refused(stub: AuditServiceStub) -> None:
    for number in range(2):
        upload(stub, bytes([number]))
    token = list_models(stub, 1).next_page_token
    refusal = refusal_of(lambda: stub.ListSuites(pb.ListSuitesRequest(page_token=token)))
    assert list(refusal.violations) == ["page_token"]


def test_a_download_is_what_was_uploaded(stub: AuditServiceStub) -> None:
    content = random.Random(1).randbytes(2_500_000)
    name = upload(stub, content).name
    chunks = [each.chunk for each in stub.DownloadModel(pb.DownloadModelRequest(name=name))]
    assert b"".join(chunks) == content
    assert max(map(len, chunks)) <= 1 << 20


def test_an_upload_of_what_is_stored_is_answered_before_its_content_is_sent(stub: AuditServiceStub) -> None:
    model = upload(stub, b"content", display_name="one.onnx")

    def endless() -> Iterator[pb.UploadModelRequest]:
        yield metadata(sha256=model.sha256)
        while True:
            yield pb.UploadModelRequest(chunk=bytes(1 << 16))

    assert stub.UploadModel(endless(), timeout=10) == unversioned(model, names=True)


def test_content_that_got_lost_can_be_uploaded_again(stub: AuditServiceStub, server_folder: Path) -> None:
    model = upload(stub, b"content")
    (server_folder / "blobs" / model.sha256[:2] / model.sha256).unlink()
    refusal = refusal_of(lambda: list(stub.DownloadModel(pb.DownloadModelRequest(name=model.name))))
    assert (refusal.code, refusal.reason) == ("FAILED_PRECONDITION", "BLOB_MISSING")
    assert stub.UploadModel(upload_messages(b"content", sha256=model.sha256)) == model
    assert [each.chunk for each in stub.DownloadModel(pb.DownloadModelRequest(name=model.name))] == [b"content"]


def delete(stub: AuditServiceStub, name: str) -> None:
    stub.DeleteModel(pb.DeleteModelRequest(name=name))


def test_a_deleted_model_is_gone_and_its_content_goes_too(
    stub: AuditServiceStub, redis_client: redis.Redis, server_folder: Path
) -> None:
    model = upload(stub, b"content")
    blob = server_folder / "blobs" / model.sha256[:2] / model.sha256
    delete(stub, model.name)
    assert refusal_of(lambda: stub.GetModel(pb.GetModelRequest(name=model.name))).reason == "MODEL_NOT_FOUND"
    assert list_models(stub, 9).models == []
    # Its content may be on its way in again: a worker removes it later.
    redis_client.delete(f"dropaudit:hold:{model.sha256}")
    assert Garbage(redis_client).collect(BlobStore((server_folder / "blobs").as_uri())) == [model.sha256]
    assert not blob.exists()


def test_a_model_is_kept_while_an_audit_that_has_not_finished_uses_it(
    stub: AuditServiceStub, audits: AuditStore
) -> None:
    model = upload(stub, b"content").name
    waiting, running = (stub.CreateAudit(artifact_request(model)).name for _ in range(2))
    lease = audits.claim(running.removeprefix("audits/"), 30.0)
    assert lease is not None
    refusal = refusal_of(lambda: delete(stub, model))
    assert (refusal.code, refusal.reason) == ("FAILED_PRECONDITION", "IN_USE")
    assert refusal.preconditions == {waiting: "IN_USE", running: "IN_USE"}
    stub.CancelAudit(pb.CancelAuditRequest(name=waiting))
    assert refusal_of(lambda: delete(stub, model)).preconditions == {running: "IN_USE"}
    audits.stopped(lease)
    delete(stub, model)
    # The finished audit still tells which model it was about.
    assert stub.GetAudit(pb.GetAuditRequest(name=running)).spec.artifact.model == model


def test_a_model_is_kept_while_a_suite_names_it(stub: AuditServiceStub) -> None:
    model = upload(stub, b"content").name
    members = [pb.SuiteMember(artifact=pb.ArtifactSubject(model=model))]
    suite = stub.CreateSuite(pb.CreateSuiteRequest(suite=pb.Suite(members=members), suite_id="nightly"))
    assert refusal_of(lambda: delete(stub, model)).preconditions == {"suites/nightly": "IN_USE"}
    suite.members[0].artifact.model = upload(stub, b"other").name
    stub.UpdateSuite(pb.UpdateSuiteRequest(suite=suite, update_mask={"paths": ["members"]}))
    delete(stub, model)


@pytest.mark.parametrize("name", ["", "models/x"])
def test_what_is_no_model_s_name_is_refused(stub: AuditServiceStub, name: str) -> None:
    for call in (
        lambda: delete(stub, name),
        lambda: list(stub.DownloadModel(pb.DownloadModelRequest(name=name))),
        lambda: stub.InspectModel(pb.InspectModelRequest(name=name)),
    ):
        assert list(refusal_of(call).violations) == ["name"]


def test_what_does_not_exist_is_not_found(stub: AuditServiceStub) -> None:
    name = name_of(b"never uploaded")
    for call in (
        lambda: delete(stub, name),
        lambda: list(stub.DownloadModel(pb.DownloadModelRequest(name=name))),
        lambda: stub.InspectModel(pb.InspectModelRequest(name=name)),
    ):
        assert refusal_of(call).reason == "MODEL_NOT_FOUND"


def inspect(stub: AuditServiceStub, name: str, timeout: float = 30) -> pb.InspectModelResponse:
    return stub.InspectModel(pb.InspectModelRequest(name=name), timeout=timeout)


def test_a_worker_tells_the_sites_of_a_model(redis_url: str, tmp_path: Path) -> None:
    with (
        server(redis_url, tmp_path) as address,
        worker(redis_url, tmp_path),
        grpc.insecure_channel(address) as channel,
    ):
        stub = AuditServiceStub(channel)
        model = upload(stub, export("lstm-dropout", tmp_path).read_bytes()).name
        (site,) = inspect(stub, model).sites
        assert (site.name, site.implementation) == ("output_dropout", pb.Site.DROPOUT_OP)
        assert site.declared_keep_prob == 0.5
        assert not site.HasField("keep_prob")
        refusal = refusal_of(lambda: inspect(stub, upload(stub, b"no model").name))
        assert (refusal.code, refusal.reason) == ("INVALID_ARGUMENT", "INVALID_MODEL")


def test_a_model_that_a_worker_could_not_inspect_says_why(stub: AuditServiceStub, redis_client: redis.Redis) -> None:
    model = upload(stub, b"content")
    failure = Failure(reason="INTERNAL", message="the inspection failed unexpectedly; the worker's log says why")
    Inspections(redis_client).put(model.sha256, Inspection(failure=failure))
    refusal = refusal_of(lambda: stub.InspectModel(pb.InspectModelRequest(name=model.name)))
    assert (refusal.code, refusal.reason) == ("FAILED_PRECONDITION", "INSPECTION_FAILED")
    assert (refusal.message, refusal.facts) == (failure.message, {"cause": "INTERNAL"})


def test_without_a_worker_an_inspection_ends_with_the_caller_s_deadline(stub: AuditServiceStub) -> None:
    model = upload(stub, b"content").name
    assert refusal_of(lambda: inspect(stub, model, timeout=0.5)).code == "DEADLINE_EXCEEDED"


def test_without_a_worker_and_a_deadline_an_inspection_says_what_to_look_at(redis_url: str, tmp_path: Path) -> None:
    with (
        server(redis_url, tmp_path, inspect_seconds=0.2) as address,
        grpc.insecure_channel(address) as channel,
    ):
        stub = AuditServiceStub(channel)
        model = upload(stub, b"content").name
        refusal = refusal_of(lambda: stub.InspectModel(pb.InspectModelRequest(name=model)))
    assert (refusal.code, refusal.reason, refusal.retry_seconds) == ("UNAVAILABLE", "NOT_INSPECTED", 1)
    assert "whether workers run" in refusal.message
