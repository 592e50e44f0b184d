"""Claims about UploadModel and GetModel."""

from __future__ import annotations

import hashlib
import queue
import random
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest

from dropaudit_proto.v1 import audit_pb2 as pb
from dropaudit_proto.v1.audit_pb2_grpc import AuditServiceStub
from support.calls import Refusal, metadata, name_of, refusal_of, unversioned, upload, upload_messages
from support.services import eventually, server
from support.tiny_disk import tiny_disk

CONTENT = random.Random(1).randbytes(3_500_000)
DIGEST = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def blobs(server_folder: Path) -> Path:
    """The blob folder, empty."""
    folder = server_folder / "blobs"
    for path in files_in(folder):
        path.unlink()
    return folder


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_an_upload_is_stored_under_the_digest_of_its_content(stub: AuditServiceStub, blobs: Path) -> None:
    model = upload(stub, CONTENT, display_name="m.onnx", sha256=DIGEST, size_bytes=len(CONTENT))
    assert (model.name, model.sha256) == (f"models/{DIGEST}", DIGEST)
    assert (model.size_bytes, model.display_name) == (3_500_000, "m.onnx")
    assert [path.read_bytes() for path in files_in(blobs)] == [CONTENT]
    assert stub.GetModel(pb.GetModelRequest(name=model.name)) == unversioned(model, names=True)


def test_the_same_content_is_stored_once_and_keeps_its_first_name(stub: AuditServiceStub, blobs: Path) -> None:
    first = upload(stub, b"content", display_name="one.onnx")
    assert unversioned(upload(stub, b"content", display_name="two.onnx")) == unversioned(first)
    assert first.display_name == "one.onnx"
    assert len(files_in(blobs)) == 1


@pytest.mark.parametrize(
    ("announced", "word"), [({"sha256": "0" * 64}, "SHA-256"), ({"size_bytes": 8}, "8 were announced")]
)
def test_content_that_was_announced_otherwise_is_refused_and_not_kept(
    stub: AuditServiceStub, blobs: Path, announced: dict[str, object], word: str
) -> None:
    refusal = refusal_of(lambda: upload(stub, b"content", **announced))
    assert (refusal.code, refusal.reason) == ("INVALID_ARGUMENT", "DIGEST_MISMATCH")
    assert word in refusal.message
    assert files_in(blobs) == []
    assert refusal_of(lambda: stub.GetModel(pb.GetModelRequest(name=name_of(b"content")))).code == "NOT_FOUND"


def test_content_over_the_limit_is_refused_with_the_limit(stub: AuditServiceStub, blobs: Path) -> None:
    refusal = refusal_of(lambda: upload(stub, CONTENT + CONTENT))
    assert (refusal.code, refusal.reason) == ("RESOURCE_EXHAUSTED", "CONTENT_TOO_LARGE")
    assert refusal.facts == {"maxBytes": "4194304"}
    assert files_in(blobs) == []


@pytest.mark.parametrize(
    ("messages", "path"),
    [
        ([], "metadata"),
        ([pb.UploadModelRequest(chunk=b"x")], "metadata"),
        ([metadata()], "chunk"),
        ([metadata(), pb.UploadModelRequest(chunk=b"")], "chunk"),
        ([metadata(), metadata(), pb.UploadModelRequest(chunk=b"x")], "chunk"),
        ([metadata(sha256="ABC"), pb.UploadModelRequest(chunk=b"x")], "metadata.sha256"),
    ],
    ids=["nothing", "no metadata first", "no content", "an empty chunk", "metadata twice", "no digest"],
)
def test_messages_that_are_no_upload_are_refused(
    stub: AuditServiceStub, blobs: Path, messages: list[pb.UploadModelRequest], path: str
) -> None:
    refusal = refusal_of(lambda: stub.UploadModel(iter(messages)))
    assert (refusal.code, refusal.reason) == ("INVALID_ARGUMENT", "INVALID_REQUEST")
    assert list(refusal.violations) == [path]
    assert files_in(blobs) == []


@pytest.mark.parametrize("announced", [{}, {"size_bytes": len(CONTENT)}], ids=["unannounced", "announced"])
@pytest.mark.parametrize("sent", [2, 4, 5])
def test_an_upload_that_breaks_off_at_any_point_leaves_nothing(
    stub: AuditServiceStub, blobs: Path, sent: int, announced: dict[str, int]
) -> None:
    # The metadata and four chunks, then nothing: the last of these lacks only the end.
    waiting: queue.Queue[pb.UploadModelRequest] = queue.Queue()
    for message in list(upload_messages(CONTENT, **announced))[:sent]:
        waiting.put(message)
    call = stub.UploadModel.future(endless(waiting))
    eventually(lambda: files_in(blobs) and (sent == 1 or files_in(blobs)[0].stat().st_size), "nothing arrives")
    call.cancel()
    eventually(lambda: files_in(blobs) == [], "half an upload is kept")
    assert list(stub.ListModels(pb.ListModelsRequest()).models) == []


def endless(waiting: queue.Queue[pb.UploadModelRequest]) -> Iterator[pb.UploadModelRequest]:
    """Yield what waits, and then let the server wait for more."""
    while True:
        try:
            yield waiting.get(timeout=5)
        except queue.Empty:
            return


def test_a_full_disk_is_said_leaves_nothing_and_ends_no_server(redis_url: str, tmp_path: Path) -> None:
    with (
        tiny_disk(tmp_path / "blobs"),
        server(redis_url, tmp_path) as address,
        grpc.insecure_channel(address) as channel,
    ):
        stub = AuditServiceStub(channel)
        refusal = refusal_of(lambda: upload(stub, CONTENT))
        assert (refusal.code, refusal.reason) == ("RESOURCE_EXHAUSTED", "STORAGE_FULL")
        assert "delete models or give it more room" in refusal.message
        assert files_in(tmp_path / "blobs") == []
        assert upload(stub, b"small").name == name_of(b"small")


@pytest.mark.parametrize("name", ["", "models/x", "models/" + "A" * 64, "audits/1", f"models/{'a' * 64}\n"])
def test_what_is_no_model_s_name_is_refused(stub: AuditServiceStub, name: str) -> None:
    refusal = refusal_of(lambda: stub.GetModel(pb.GetModelRequest(name=name)))
    assert (refusal.code, list(refusal.violations)) == ("INVALID_ARGUMENT", ["name"])


def test_a_model_that_was_never_uploaded_is_not_found(stub: AuditServiceStub) -> None:
    refusal = refusal_of(lambda: stub.GetModel(pb.GetModelRequest(name=f"models/{'a' * 64}")))
    assert refusal == Refusal(
        code="NOT_FOUND",
        message=f"there is no models/{'a' * 64}; it was never made, or has been deleted",
        reason="MODEL_NOT_FOUND",
        facts={"resource": f"models/{'a' * 64}"},
    )
