"""Claims about the contract in other hands: a client that protoc generates with another library's plug-in."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import grpc_tools
import pytest

from dropaudit_client.local.service import LocalService
from dropaudit_models import export
from support.calls import name_of
from support.graphs import padded

pytestmark = pytest.mark.system
ROOT = Path(__file__).parent.parent.parent
SCRIPTS = Path(sys.executable).parent


def run(*command: object, **environ: str) -> str:
    """Run a program to its end and return what it prints."""
    path = os.pathsep.join((str(SCRIPTS), os.environ.get("PATH", "")))
    ended = subprocess.run(
        list(map(str, command)),
        env={**os.environ, "PATH": path, **environ},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


@pytest.fixture
def generated(tmp_path: Path) -> Path:
    """A folder with the package `contract`: betterproto2's code from audit.proto alone."""
    (tmp_path / "contract").mkdir()
    includes = [f"-I{ROOT / 'proto'}", f"-I{Path(grpc_tools.__file__).parent / '_proto'}"]
    plugin = f"--plugin=protoc-gen-python_betterproto2={SCRIPTS / 'protoc-gen-python_betterproto2'}"
    result = f"--python_betterproto2_out=client_generation=async:{tmp_path / 'contract'}"
    run(sys.executable, "-m", "grpc_tools.protoc", *includes, plugin, result, "dropaudit_proto/v1/audit.proto")
    return tmp_path


def test_a_client_of_another_library_does_the_whole_flow(
    service: LocalService, generated: Path, tmp_path: Path
) -> None:
    paths = [export(name, tmp_path) for name in ("lstm-dropout", "lstm-dropout-unscaled")]
    for path in paths:
        # Content of its own: other tests use these models too, and this one deletes them.
        path.write_bytes(padded(path.read_bytes(), 5))
    where = os.pathsep.join((str(generated), str(ROOT / "tests")))
    seen: dict[str, Any] = json.loads(
        run(sys.executable, "-m", "support.betterproto_flow", service.address, *paths, PYTHONPATH=where)
    )
    assert seen["names"] == [name_of(path.read_bytes()) for path in paths]
    assert seen["downloaded"] == seen["names"][0]
    assert seen["implementations"] == ["UNIFORM_CHAIN"]
    assert seen["verdicts"] == ["PASS", "FAIL"]
    assert seen["findings"][1] == ["DA301", "DA305"]
    assert seen["scales"] == [pytest.approx(2.0), pytest.approx(1.0)]
    assert seen["created"] == [True, True]
    assert len(seen["suite"]) == 2
    assert len(set(seen["listed"])) == len(seen["listed"]) == 4
    assert seen["refused"] == [["NOT_FOUND", "AUDIT_NOT_FOUND"], *[["INVALID_ARGUMENT", "INVALID_REQUEST"]] * 2]
    assert seen["left"] == []
