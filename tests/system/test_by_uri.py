"""Claims about models that are named by URI: what the worker really read is what the report names."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from dropaudit.plan import Role
from dropaudit.report import Verdict
from dropaudit_client import AsyncAuditClient, AuditClient
from dropaudit_client.errors import AuditNotMade
from dropaudit_client.resources import ArtifactRef, PairRef, Run
from dropaudit_models import export
from support.command import dropaudit
from support.s3 import Bucket
from support.services import eventually, server, serving, worker

pytestmark = pytest.mark.system


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """A folder that is allowed."""
    folder = tmp_path / "models"
    folder.mkdir()
    return folder


@pytest.fixture
def address(bucket: Bucket, models: Path, redis_url: str, tmp_path: Path) -> Iterator[str]:
    """Address of a server that allows a folder and a bucket; its worker allows no more than that."""
    prefixes = f"{models.as_uri()},{bucket.url}/models"
    with (
        server(redis_url, tmp_path, ready=serving, model_prefixes=f"{prefixes},file:///etc") as address,
        worker(redis_url, tmp_path, model_prefixes=prefixes),
    ):
        yield address


@pytest.fixture
def client(address: str) -> Iterator[AuditClient]:
    with AuditClient(address) as client:
        yield client


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_the_report_names_what_was_read_and_audits_are_found_by_it(
    client: AuditClient, models: Path, tmp_path: Path
) -> None:
    uri = f"{models.as_uri()}/latest.onnx"
    contents = [export(name, tmp_path).read_bytes() for name in ("lstm-dropout", "lstm-dropout-unscaled")]
    audits = []
    for content in contents:
        (models / "latest.onnx").write_bytes(content)
        audits.append(client.wait(client.create_audit(ArtifactRef(uri, Role.TRAIN)).name))
    reports = [audit.report for audit in audits]
    assert [report and report.verdict for report in reports] == [Verdict.PASS, Verdict.FAIL]
    named = [report and [artifact.sha256 for artifact in report.execution.artifacts] for report in reports]
    assert named == [[digest(content)] for content in contents]
    for audit, content in zip(audits, contents, strict=True):
        found = client.list_audits(f'model = "models/{digest(content)}"')
        assert [each.name for each in found] == [audit.name]
    # Nothing was stored.
    assert list(client.list_models()) == []


def test_a_pair_of_objects_is_audited(client: AuditClient, bucket: Bucket, tmp_path: Path) -> None:
    uris = [bucket.put(f"models/{name}.onnx", export(name, tmp_path).read_bytes()) for name in ("lstm-dropout", "lstm")]
    assert client.audit(PairRef(uris[0], uris[1])).verdict is Verdict.PASS


async def test_both_clients_take_a_uri_where_they_take_a_path(
    address: str, client: AuditClient, bucket: Bucket, tmp_path: Path
) -> None:
    uri = bucket.put("models/lstm.onnx", export("lstm", tmp_path).read_bytes())
    assert client.audit(uri).execution.artifacts[0].sha256 == digest((tmp_path / "lstm.onnx").read_bytes())
    async with AsyncAuditClient(address) as waiting:
        assert (await waiting.audit(uri)).verdict is client.audit(uri).verdict


def test_what_cannot_be_read_ends_with_a_reason(client: AuditClient, models: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.onnx").write_bytes(export("lstm", tmp_path).read_bytes())
    (models / "out.onnx").symlink_to(tmp_path / "secret.onnx")
    (models / "words.onnx").write_text("no model")
    reasons = {
        f"{models.as_uri()}/none.onnx": "URI_UNREADABLE",
        f"{models.as_uri()}/out.onnx": "URI_NOT_ALLOWED",
        f"{models.as_uri()}/words.onnx": "INVALID_MODEL",
        # The server allows it; the worker decides.
        "file:///etc/hostname": "URI_NOT_ALLOWED",
    }
    for uri, reason in reasons.items():
        with pytest.raises(AuditNotMade) as caught:
            client.audit(uri)
        assert (uri, caught.value.reason) == (uri, reason)


def test_the_command_submits_by_uri_alone_and_in_suites(
    address: str, client: AuditClient, models: Path, tmp_path: Path
) -> None:
    export("lstm-dropout-unscaled", models)
    uri, where = f"{models.as_uri()}/lstm-dropout-unscaled.onnx", ("--address", address)
    submitted = dropaudit("submit", uri, "--role", "train", "--wait", "--format", "json", *where)
    assert submitted.returncode == 1
    assert digest((models / "lstm-dropout-unscaled.onnx").read_bytes()) in submitted.stdout
    mixed = dropaudit("submit", uri, "--inference", "other.onnx", *where)
    assert (mixed.returncode, "both as files or both as URIs" in mixed.stderr) == (2, True)
    refused = dropaudit("submit", "https://example.com/a.onnx", *where)
    assert (refused.returncode, "must be file:///" in refused.stderr) == (2, True)
    assert dropaudit("suites", "create", "by-uri", "--model", uri, "--role", "train", *where).returncode == 0
    (member,) = client.get_suite("suites/by-uri").members
    assert member == ArtifactRef(uri, Role.TRAIN)
    run = client.run_suite("suites/by-uri").name

    def ended() -> Run | None:
        found = client.get_run(run)
        return found if found.finished else None

    eventually(ended, "the run does not finish")
    assert client.get_run(run).verdict is Verdict.FAIL
