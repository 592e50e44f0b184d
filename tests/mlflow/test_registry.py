"""Claims about models of an MLflow registry, with a real MLflow server."""

from __future__ import annotations

import hashlib
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import mlflow
import pytest
import redis
from mlflow.tracking import MlflowClient

from dropaudit.plan import Role
from dropaudit_client.local.service import free_port
from dropaudit_store.content.blobs import BlobStore
from dropaudit_store.content.referenced import ReferencedModels
from dropaudit_store.errors import UriUnreadable
from dropaudit_store.models import ModelStore
from dropaudit_store.records import ArtifactRef, MlflowModel
from dropaudit_store.shared.allowed_uris import AllowedUris
from dropaudit_worker.outside.looking import OutsideModels
from dropaudit_worker.outside.registry import Registry
from support.batches import TOOL, Batches
from support.clock import Clock
from support.services import eventually, process


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.fixture(scope="module")
def tracking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of an MLflow server."""
    folder, port = tmp_path_factory.mktemp("mlflow"), free_port()
    address = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port)]
    command += ["--backend-store-uri", f"sqlite:///{folder}/mlflow.db", "--artifacts-destination", str(folder / "kept")]
    with process("mlflow", [*command, "--workers", "1"], {}, folder / "mlflow.log") as started:
        eventually(lambda: answers(address), f"MLflow does not start: {started.log}", 120.0)
        yield address


def answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/health", timeout=5):
            return True
    except (urllib.error.URLError, TimeoutError, ConnectionError):
        return False


class Registered:
    """A registry, filled as people fill it."""

    def __init__(self, address: str, folder: Path) -> None:
        self.client = MlflowClient(tracking_uri=address, registry_uri=address)
        self._folder = folder

    def register(self, name: str, content: bytes, *more: str) -> None:
        """Register another version of a model, with other files beside the model."""
        if not self.client.search_registered_models(f"name='{name}'"):
            self.client.create_registered_model(name)
        run = self.client.create_run("0").info.run_id
        self._folder.mkdir(exist_ok=True)
        for each in ("model.onnx", *more):
            path = self._folder / each
            path.write_bytes(content)
            self.client.log_artifact(run, str(path), "model")
        source = f"{self.client.get_run(run).info.artifact_uri}/model"
        self.client.create_model_version(name, source, run)


@pytest.fixture
def registered(tracking: str, tmp_path: Path) -> Registered:
    return Registered(tracking, tmp_path / "files")


@pytest.fixture
def looking(tracking: str, redis_client: redis.Redis, tmp_path: Path) -> OutsideModels:
    blobs = BlobStore((tmp_path / "blobs").as_uri())
    registry = Registry(tracking, redis_client, ModelStore(redis_client), blobs, 1 << 20)
    allowed = AllowedUris([])
    return OutsideModels(redis_client, allowed, ReferencedModels(allowed, 1 << 20), registry)


def test_a_model_is_fetched_by_version_by_alias_and_as_the_newest(
    looking: OutsideModels, registered: Registered
) -> None:
    for content in (b"one", b"two"):
        registered.register("lstm", content)
    registered.client.set_registered_model_alias("lstm", "champion", "1")
    found = {uri: looking.registered(f"models:/lstm{uri}") for uri in ("/1", "@champion", "", "/2")}
    assert {uri: (each.name, each.version, each.sha256) for uri, each in found.items()} == {
        "/1": ("lstm", 1, sha(b"one")),
        "@champion": ("lstm", 1, sha(b"one")),
        "": ("lstm", 2, sha(b"two")),
        "/2": ("lstm", 2, sha(b"two")),
    }


def test_content_is_stored_and_fetched_once(
    looking: OutsideModels, registered: Registered, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registered.register("once", b"content")
    digest = looking.registered("models:/once/1").sha256
    assert BlobStore((tmp_path / "blobs").as_uri()).read(digest) == b"content"
    monkeypatch.setattr(mlflow.artifacts, "download_artifacts", None)
    assert looking.registered("models:/once/1").sha256 == digest


def test_a_suite_audits_the_newest_version_and_the_next_run_picks_up_a_new_one(
    looking: OutsideModels, registered: Registered, redis_client: redis.Redis, clock: Clock
) -> None:
    batches = Batches(redis_client, clock, looking)
    registered.register("gru", b"old")
    batches.suite(MlflowModel(uri="models:/gru", role=Role.TRAIN))
    batches.works.note_tool(TOOL)
    batches.whole("first")
    registered.register("gru", b"new")
    result = batches.whole("second")
    second = batches.runs.read.get("nightly", "second")
    assert [each.request.spec.subject for each in batches.requests(second)] == [
        ArtifactRef(model=sha(b"new"), role=Role.TRAIN)
    ]
    assert result.comparison is not None
    assert [each["kind"] for each in result.comparison["members"]] == ["REPLACED"]


def test_what_cannot_be_fetched_is_said_in_a_sentence(looking: OutsideModels, registered: Registered) -> None:
    registered.register("two", b"content", "other.onnx")
    for uri, word in (
        ("models:/none", "has no model"),
        ("models:/none/1", "cannot be fetched"),
        ("models:/two@nobody", "cannot be fetched"),
        ("models:/two/1", "2 files"),
    ):
        with pytest.raises(UriUnreadable, match=word):
            looking.registered(uri)
