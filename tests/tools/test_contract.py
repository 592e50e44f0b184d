"""Claims about `make contract`: what a client relies on cannot be taken away unnoticed, and additions are free."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from support.documents import ROOT

BUF = Path(sys.executable).parent / "buf"
PROTO = Path("proto") / "dropaudit_proto" / "v1" / "audit.proto"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the contract, its rules and the last release."""
    for name in ("buf.yaml", "proto/released.binpb", str(PROTO)):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def checked(project: Path, old: str = "", new: str = "") -> subprocess.CompletedProcess[str]:
    """Replace a text of the contract, once, and run the script."""
    text = (project / PROTO).read_text(encoding="utf-8")
    assert old in text
    (project / PROTO).write_text(text.replace(old, new, 1), encoding="utf-8")
    command = ["/bin/sh", str(ROOT / "tools" / "contract.sh"), str(BUF), str(project)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_the_contract_as_it_is_passes(project: Path) -> None:
    ended = checked(project)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (
            "message GetModelRequest {",
            "message Added {\n  // A word.\n  string word = 1;\n}\n\nmessage GetModelRequest {",
        ),
        ("  VIEW_FULL = 2;", "  VIEW_FULL = 2;\n  // More.\n  VIEW_MORE = 3;"),
        (
            "service AuditService {",
            "message PingRequest {}\n\nservice AuditService {\n  // Answers.\n  rpc Ping(PingRequest) returns (Model);",
        ),
    ],
    ids=["a message", "a value", "a call"],
)
def test_additions_pass(project: Path, old: str, new: str) -> None:
    assert checked(project, old, new).returncode == 0


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("  VIEW_FULL = 2;", "  VIEW_FULL = 3;", "View"),
        ("  VIEW_FULL = 2;", "", '"View" was deleted'),
        ("  rpc ListRuns(ListRunsRequest) returns (ListRunsResponse);", "", "ListRuns"),
        (
            "  rpc WatchAudit(WatchAuditRequest) returns (stream AuditEvent);",
            "  rpc WatchAudit(WatchAuditRequest) returns (AuditEvent);",
            "WatchAudit",
        ),
        ("  double lower = 2;", "", '"lower" on message "Interval" was deleted'),
        ("package dropaudit.v1;", "package dropaudit.v2;", "package"),
    ],
    ids=["a renumbered value", "a removed value", "a removed call", "a stream", "a removed field", "the package"],
)
def test_what_breaks_clients_is_refused_by_its_name(project: Path, old: str, new: str, said: str) -> None:
    ended = checked(project, old, new)
    assert ended.returncode != 0
    assert said in ended.stdout + ended.stderr


def test_a_name_against_the_rules_is_refused(project: Path) -> None:
    ended = checked(project, "message Failure {", "message Failure {\n  // A word.\n  string badlyNamed = 99;")
    assert ended.returncode != 0
    assert "badlyNamed" in ended.stdout


def test_every_exception_from_the_rules_says_why() -> None:
    lines = (ROOT / "buf.yaml").read_text(encoding="utf-8").splitlines()
    excepted = lines[lines.index("  except:") + 1 : lines.index("breaking:")]
    before = ""
    for line in excepted:
        assert line.lstrip().startswith("#") or "RPC_RESPONSE" in line or before.lstrip().startswith("#"), line
        before = line
