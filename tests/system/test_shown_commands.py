"""Claims about the commands that README, SECURITY.md and the guides show: each runs, here or in the test named."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import grpc
import numpy as np
import pytest

from dropaudit import Role
from dropaudit_client import AuditClient, Security, ServiceError
from dropaudit_client.local.processes import Process
from dropaudit_client.local.service import LocalService, free_port
from dropaudit_client.resources import ArtifactRef
from dropaudit_models import export
from support.command import COMMAND, dropaudit
from support.documents import ROOT, commands, documents
from support.generic import grpcurl
from support.graphs import dense
from support.services import eventually, process

README = commands(ROOT / "README.md")
ELSEWHERE = {
    "dropaudit demo": "tests/system/test_readme.py",
    "dropaudit up ": "tests/system/test_up.py",
    "dropaudit capture ": "tests/torch/test_guide.py",
    "dropaudit suites apply ": "tests/client/documents/test_with_a_server.py",
    "dropaudit suites export ": "tests/client/documents/test_with_a_server.py",
    "dropaudit suites ": "tests/client/runs/test_suites_command.py",
    **dict.fromkeys(
        [f"dropaudit models {verb} " for verb in ("upload", "list", "show", "alias", "history", "rm")],
        "tests/client/naming/test_stored_models.py",
    ),
    "make demo": "tests/system/test_readme.py",
    "docker-compose ": "deploy/testing/compose_test/__main__.py",
    "pip install ": "tests/system/test_readme.py",
    "DROPAUDIT_TOKENS_FILE=": "tests/system/test_shown_commands.py",
    "python -m dropaudit_server --check": "tests/server/serving/test_configuration.py",
    "python -m dropaudit_worker ": "tests/server/serving/test_configuration.py",
    "python -m dropaudit_server.new_token ": "tests/system/test_shown_commands.py",
    "git clone ": "CONTRIBUTING.md",
}
"""Beginnings of commands that the tests below leave to another test, or that only a person can run."""
GUIDES = {"exporting.md": "tests/models/test_guide.py", "api.md": "tests/system/test_api_docs.py"}
GUIDES |= {"api-examples.md": "tests/system/test_api_docs.py"}
GUIDES |= dict.fromkeys(["reading-a-report.md", "tutorial.md"], "tests/system/test_tutorial.py")
HERE = [line for line in README if line.startswith("dropaudit ") and not line.startswith(tuple(ELSEWHERE))]


@pytest.mark.parametrize("path", documents(), ids=lambda path: path.name)
def test_every_shown_command_is_run_by_a_test(path: Path) -> None:
    left = [line for line in commands(path) if not line.startswith((*ELSEWHERE, "make "))]
    if path.name in GUIDES:
        assert (ROOT / GUIDES[path.name]).exists()
    elif path.name == "README.md" and path.parent == ROOT:
        assert all(line in HERE or line.startswith("grpcurl ") for line in left), left
    else:
        assert not left


@pytest.mark.parametrize("place", sorted({*ELSEWHERE.values(), *GUIDES.values()}))
def test_a_named_test_is_there(place: str) -> None:
    assert (ROOT / place).exists()


@pytest.mark.parametrize("path", documents(), ids=lambda path: path.name)
def test_every_shown_target_of_make_is_one(path: Path) -> None:
    rules = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = re.findall(r"(?:^|`)make ([a-z-]+(?: [a-z-]+)*)", path.read_text(encoding="utf-8"), re.MULTILINE)
    for target in {each for line in targets for each in line.split()}:
        assert re.search(rf"^{target}:", rules, re.MULTILINE), target


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, service: LocalService) -> Path:
    """A working folder with the files that the README's commands name, and the address of a service."""
    (tmp_path / "model.onnx").write_bytes(export("lstm-dropout", tmp_path).read_bytes())
    for name, switch in (("train", "t"), ("inference", "off")):
        body = f"h = Relu(x)  d = Dropout(h, r, {switch})  y = Neg(d)"
        (tmp_path / f"{name}.onnx").write_bytes(dense(body, extra=", bool off = {0}"))
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "lstm.onnx").write_bytes((tmp_path / "model.onnx").read_bytes())
    inference = np.linspace(0.1, 1.0, 50)
    np.save(tmp_path / "inference.npy", inference)
    np.save(tmp_path / "train.npy", np.where(np.arange(50) % 2 == 0, 2 * inference, 0))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DROPAUDIT_ADDRESS", service.address)
    return tmp_path


@pytest.mark.system
def test_the_commands_of_the_readme_run_one_after_the_other(folder: Path, client: AuditClient) -> None:
    audit = client.create_audit(ArtifactRef(client.upload_model(folder / "model.onnx").name, Role.TRAIN))
    client.wait(audit.name)
    # What earlier audits left: one report, and one of several files.
    for name, subject in (("report.json", "model.onnx"), ("last.json", "models")):
        assert dropaudit("run", subject, "--format", "json", "-o", name).returncode == 0
    for line in HERE:
        ended = dropaudit(*shlex.split(line.replace("audits/…", audit.name))[1:])
        assert ended.returncode == 0, f"{line}: {ended.stderr}"
    assert (folder / "lstm-dropout.onnx").exists()
    assert (folder / "corpus" / "labels.json").exists()


@pytest.mark.system
def test_the_lines_for_grpcurl_are_answered(folder: Path, client: AuditClient, service: LocalService) -> None:
    model = client.upload_model(folder / "model.onnx")
    listing, creation = (line for line in README if line.startswith("grpcurl "))
    assert listing.endswith(" list")
    with grpc.insecure_channel(service.address) as channel:
        (audit,) = grpcurl(creation.replace("models/…", model.name), channel)
    assert client.wait(audit["name"]).report is not None


@pytest.mark.system
def test_a_service_here_can_ask_for_a_token_as_security_md_says(tmp_path: Path) -> None:
    shown = commands(ROOT / "SECURITY.md")
    assert shown == ["python -m dropaudit_server.new_token me admin", "DROPAUDIT_TOKENS_FILE=tokens.json dropaudit up"]
    made = subprocess.run(
        [sys.executable, *shlex.split(shown[0])[1:]], capture_output=True, text=True, timeout=60, check=True
    )
    (tmp_path / "tokens.json").write_text(json.dumps({"tokens": [json.loads(made.stderr)]}))
    port = free_port()
    address = f"127.0.0.1:{port}"
    command = [*COMMAND, "up", "--data", str(tmp_path / "data"), "--port", str(port)]
    environ = {**os.environ, "DROPAUDIT_TOKENS_FILE": str(tmp_path / "tokens.json")}
    with process("up", command, environ, tmp_path / "up.log") as started:
        eventually(lambda: _refuses_strangers(address, started), f"it does not serve: {started.log}")
        with AuditClient(address, security=Security(token=made.stdout.strip())) as client:
            assert list(client.list_models()) == []


def _refuses_strangers(address: str, started: Process) -> bool:
    assert started.exit_status() is None, started.last_words()
    with AuditClient(address, timeout=2) as client:
        try:
            list(client.list_models())
        except ServiceError as error:
            return error.code == "UNAUTHENTICATED"
    raise AssertionError("a caller without a token was answered")
