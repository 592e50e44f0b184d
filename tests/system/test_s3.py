"""Claims about the whole service with its content in S3."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
import redis

from dropaudit.plan import Role
from dropaudit.report import Verdict
from dropaudit_client import AuditClient, ServiceError
from dropaudit_client.resources import ArtifactRef
from dropaudit_models import export
from dropaudit_models.seed_case import seed_case
from dropaudit_proto.v1 import audit_pb2 as pb
from dropaudit_proto.v1.audit_pb2_grpc import AuditServiceStub
from support.calls import metadata, refusal_of, upload
from support.s3 import Bucket
from support.services import eventually, server, serving, worker

pytestmark = pytest.mark.system


@pytest.fixture
def address(bucket: Bucket, redis_url: str, tmp_path: Path) -> Iterator[str]:
    """Address of a server that, like its worker, keeps content in a bucket."""
    url = f"{bucket.url}/blobs"
    with (
        server(redis_url, tmp_path, ready=serving, blob_url=url) as address,
        worker(redis_url, tmp_path, blob_url=url, reconcile_seconds=0.2),
    ):
        yield address


@pytest.fixture
def client(address: str) -> Iterator[AuditClient]:
    with AuditClient(address) as client:
        yield client


def test_a_model_goes_into_the_bucket_is_audited_comes_back_and_is_deleted(
    client: AuditClient, bucket: Bucket, redis_client: redis.Redis, tmp_path: Path
) -> None:
    path = export("lstm-dropout-unscaled", tmp_path)
    model = client.upload_model(path)
    stored = f"{bucket.name}/blobs/{model.sha256[:2]}/{model.sha256}"
    assert bucket.keys() == [stored]
    assert client.upload_model(path) == model
    assert [site.implementation for site in client.inspect_model(model.name)] == ["UNIFORM_CHAIN"]
    audit = client.wait(client.create_audit(ArtifactRef(model.name, Role.TRAIN)).name)
    assert audit.report is not None
    assert audit.report.verdict is Verdict.FAIL
    assert b"".join(client.download_model(model.name)) == path.read_bytes()
    # Who uploads holds the content for a while; that is over here.
    redis_client.delete(f"dropaudit:hold:{model.sha256}")
    client.delete_model(model.name)
    eventually(lambda: bucket.keys() == [], "the content of a deleted model stays")
    with pytest.raises(ServiceError, match="there is no"):
        client.get_model(model.name)


def test_an_upload_that_is_refused_or_broken_off_leaves_nothing_in_the_bucket(address: str, bucket: Bucket) -> None:
    def broken_off() -> Iterator[pb.UploadModelRequest]:
        yield metadata()
        for _ in range(20):
            yield pb.UploadModelRequest(chunk=bytes(1 << 20))
        raise ConnectionError

    with grpc.insecure_channel(address) as channel:
        stub = AuditServiceStub(channel)
        assert refusal_of(lambda: upload(stub, bytes(20 << 20), sha256="0" * 64)).reason == "DIGEST_MISMATCH"
        with pytest.raises(grpc.RpcError):
            stub.UploadModel(broken_off())
    eventually(lambda: (bucket.keys(), bucket.unfinished()) == ([], []), "something is left of an upload")


def test_recorded_outputs_go_through_the_bucket(client: AuditClient, bucket: Bucket) -> None:
    assert client.audit(seed_case()).verdict is Verdict.PASS
    assert len(bucket.keys()) == 1
