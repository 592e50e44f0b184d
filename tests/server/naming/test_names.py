"""Claims about display names, versions and aliases, through the service."""

from __future__ import annotations

from pathlib import Path

import grpc
import pytest

from dropaudit_proto.v1 import audit_pb2 as pb
from dropaudit_proto.v1.audit_pb2_grpc import AuditServiceStub
from dropaudit_server.interceptors.tokens import Scope
from support.calls import artifact_request, name_of, recorded_request, refusal_of, upload, upload_messages
from support.services import server
from support.tokens import bearer, entry, write_tokens


def versions(stub: AuditServiceStub, name: str) -> list[tuple[int, str]]:
    listed = stub.ListModelVersions(pb.ListModelVersionsRequest(display_name=name))
    return [(each.version, each.model) for each in listed.versions]


def set_alias(stub: AuditServiceStub, name: str, alias: str, version: int = 0) -> pb.ModelVersion:
    return stub.SetModelAlias(pb.SetModelAliasRequest(display_name=name, alias=alias, version=version))


def test_an_upload_says_which_version_of_its_name_it_is(stub: AuditServiceStub) -> None:
    first, second = (upload(stub, content, display_name="lstm.onnx") for content in (b"one", b"two"))
    assert [each.version.version for each in (first, second)] == [1, 2]
    assert upload(stub, b"two", display_name="lstm.onnx").version.version == 2
    assert versions(stub, "lstm.onnx") == [(2, second.name), (1, first.name)]
    assert list(stub.GetModel(pb.GetModelRequest(name=first.name)).display_names) == ["lstm.onnx"]


def test_an_upload_without_a_name_has_no_version(stub: AuditServiceStub) -> None:
    assert not upload(stub, b"one").HasField("version")
    assert not stub.ListModelNames(pb.ListModelNamesRequest()).names


def test_an_alias_is_moved_and_deleted(stub: AuditServiceStub) -> None:
    for content in (b"one", b"two"):
        upload(stub, content, display_name="m.onnx")
    assert list(set_alias(stub, "m.onnx", "production", 1).aliases) == ["production"]
    assert set_alias(stub, "m.onnx", "production").version == 2
    found = stub.GetModelName(pb.GetModelNameRequest(display_name="m.onnx"))
    assert (dict(found.aliases), found.version_count, found.newest.model) == ({"production": 2}, 2, name_of(b"two"))
    stub.DeleteModelAlias(pb.DeleteModelAliasRequest(display_name="m.onnx", alias="production"))
    assert not stub.GetModelName(pb.GetModelNameRequest(display_name="m.onnx")).aliases


def test_names_are_listed_in_pages_and_by_pattern(stub: AuditServiceStub) -> None:
    for name in ("b.onnx", "a.onnx", "é.onnx", "n" * 512):
        upload(stub, name.encode(), display_name=name)
    found, token = [], ""
    while True:
        page = stub.ListModelNames(pb.ListModelNamesRequest(page_size=1, page_token=token))
        found += [each.display_name for each in page.names]
        token = page.next_page_token
        if not token:
            break
    assert found == ["a.onnx", "b.onnx", "n" * 512, "é.onnx"]
    matching = stub.ListModelNames(pb.ListModelNamesRequest(pattern="?.onnx"))
    assert [each.display_name for each in matching.names] == ["a.onnx", "b.onnx", "é.onnx"]


def test_versions_are_listed_in_pages(stub: AuditServiceStub) -> None:
    for number in range(5):
        upload(stub, bytes([number]), display_name="m.onnx")
    first = stub.ListModelVersions(pb.ListModelVersionsRequest(display_name="m.onnx", page_size=3))
    rest = stub.ListModelVersions(
        pb.ListModelVersionsRequest(display_name="m.onnx", page_size=3, page_token=first.next_page_token)
    )
    assert [each.version for each in (*first.versions, *rest.versions)] == [5, 4, 3, 2, 1]
    assert rest.next_page_token == ""


def test_a_deleted_name_is_gone_with_its_content_unless_it_is_used(stub: AuditServiceStub) -> None:
    used = upload(stub, b"one", display_name="m.onnx")
    audit = stub.CreateAudit(artifact_request(used.name))
    delete = pb.DeleteModelNameRequest(display_name="m.onnx")
    assert refusal_of(lambda: stub.DeleteModelName(delete)).preconditions == {audit.name: "IN_USE"}
    stub.CancelAudit(pb.CancelAuditRequest(name=audit.name))
    stub.DeleteModelName(delete)
    assert refusal_of(lambda: stub.GetModel(pb.GetModelRequest(name=used.name))).reason == "MODEL_NOT_FOUND"
    assert refusal_of(lambda: stub.DeleteModelName(delete)).reason == "MODEL_NAME_NOT_FOUND"


def test_what_is_not_there_is_not_found_and_says_what(stub: AuditServiceStub) -> None:
    upload(stub, b"one", display_name="m.onnx")
    refusals = [
        refusal_of(lambda: versions(stub, "other")),
        refusal_of(lambda: set_alias(stub, "m.onnx", "a", 7)),
        refusal_of(lambda: stub.DeleteModelAlias(pb.DeleteModelAliasRequest(display_name="m.onnx", alias="a"))),
    ]
    assert [each.code for each in refusals] == ["NOT_FOUND"] * 3
    assert [each.reason for each in refusals] == ["MODEL_NAME_NOT_FOUND", "MODEL_VERSION_NOT_FOUND", "ALIAS_NOT_FOUND"]


@pytest.mark.parametrize("alias", ["", "7", "Production", "a b", "-a", "a" * 64, "ä"])
def test_an_alias_that_could_be_taken_for_something_else_is_refused(stub: AuditServiceStub, alias: str) -> None:
    upload(stub, b"one", display_name="m.onnx")
    assert list(refusal_of(lambda: set_alias(stub, "m.onnx", alias)).violations) == ["alias"]


def test_a_name_with_control_characters_is_refused(stub: AuditServiceStub) -> None:
    refusal = refusal_of(lambda: upload(stub, b"one", display_name="a\nb"))
    assert list(refusal.violations) == ["metadata.display_name"]


def test_a_version_names_the_token_that_uploaded_it(shared_redis: str, redis_url: str, tmp_path: Path) -> None:
    tokens = tmp_path / "tokens.json"
    write_tokens(tokens, entry("secret", "nightly-build", Scope.WRITE))
    with (
        server(redis_url, tmp_path, tokens_file=tokens) as address,
        grpc.insecure_channel(address) as channel,
    ):
        stub = AuditServiceStub(channel)
        model = stub.UploadModel(upload_messages(b"one", display_name="m.onnx"), metadata=bearer("secret"))
        assert model.version.uploader == "nightly-build"


def test_an_audit_is_shown_as_its_model_and_found_by_it(stub: AuditServiceStub) -> None:
    train, inference = (upload(stub, name.encode(), display_name=f"{name}.onnx").name for name in ("t", "i"))
    pair = pb.AuditSpec(pair=pb.PairSubject(train_model=train, inference_model=inference))
    named = artifact_request(train)
    named.audit.display_name = "my own"
    made = [
        stub.CreateAudit(artifact_request(train)),
        stub.CreateAudit(pb.CreateAuditRequest(audit=pb.Audit(spec=pair))),
        stub.CreateAudit(named),
        stub.CreateAudit(recorded_request()),
    ]
    assert [each.display_name for each in made] == ["t.onnx", "t.onnx + i.onnx", "my own", ""]

    def found(filter: str) -> list[str]:
        return [
            each.name for each in stub.ListAudits(pb.ListAuditsRequest(filter=filter, order_by="create_time")).audits
        ]

    assert found('display_name = "t.onnx"') == [made[0].name, made[1].name]
    assert found("display_name = i.onnx") == [made[1].name]
    assert found('display_name = "t.onnx + i.onnx"') == [made[1].name]
    assert found('display_name = "my own"') == [made[2].name]
    assert stub.GetAudit(pb.GetAuditRequest(name=made[1].name)).display_name == "t.onnx + i.onnx"


def test_a_repeated_call_is_the_same_whatever_its_model_is_called_by_then(stub: AuditServiceStub) -> None:
    model = upload(stub, b"one").name
    first = stub.CreateAudit(artifact_request(model, request_id="r"))
    upload(stub, b"one", display_name="m.onnx")
    assert stub.CreateAudit(artifact_request(model, request_id="r")).name == first.name
