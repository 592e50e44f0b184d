"""Claims about `dropaudit run` on several files: one report, one exit status, and a dropaudit.yaml."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from dropaudit.report import Verdict, from_json
from dropaudit_client.terminal.outcome import Exit
from support.graphs import dense

RIGHT = dense("y = Dropout(x, r, t)")
UNSCALED = dense("u = RandomUniformLike(x)  b = Less(u, q)  m = Cast<to = 1>(b)  y = Mul(x, m)")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    (folder / "models").mkdir()
    (folder / "models" / "right.onnx").write_bytes(RIGHT)
    (folder / "models" / "unscaled.onnx").write_bytes(UNSCALED)
    (folder / "damaged.onnx").write_bytes(b"damaged")
    return folder


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "dropaudit_client", "run", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)


def verdicts(ended: subprocess.CompletedProcess[str]) -> dict[str, str]:
    files = json.loads(ended.stdout)["files"]
    return {each["file"]: each["report"]["verdict"] if "report" in each else each["error"]["reason"] for each in files}


def test_a_bad_file_does_not_stop_the_others(folder: Path) -> None:
    ended = run(folder, "damaged.onnx", "models", "gone-*", "gone.onnx", "--role", "train", "--format", "json")
    assert verdicts(ended) == {
        "damaged.onnx": "INVALID_MODEL",
        "models/right.onnx": "PASS",
        "models/unscaled.onnx": "FAIL",
        "gone.onnx": "UNREADABLE_FILE",
        "gone-*": "NO_MATCH",
    }
    assert (ended.returncode, ended.stderr) == (Exit.NOT_MADE, "")


def test_what_is_accepted_on_the_command_line_does_not_count(folder: Path) -> None:
    accepted = ("--accept", "DA301=a first form", "--accept", "DA305@y=too")
    ended = run(folder, "models/*.onnx", "--role", "train", *accepted)
    assert ended.returncode == Exit.OK
    assert "PASS     models/unscaled.onnx  (DA301) (DA305)" in ended.stdout
    alone = run(folder, "models/unscaled.onnx", "--role", "train", "--format", "json", *accepted)
    report = from_json(json.loads(alone.stdout))
    assert (report.verdict, alone.returncode) == (Verdict.PASS, Exit.OK)
    assert report.findings[0].acceptance is not None


def test_a_document_says_what_is_audited_and_how(folder: Path) -> None:
    document = folder / "nightly.yaml"
    document.write_text(
        "files: [models]\nrole: train\noverrides:\n  - {member: unscaled.onnx, role: inference}\n", encoding="utf-8"
    )
    ended = run(folder, "--config", "nightly.yaml", "--format", "json")
    assert verdicts(ended) == {"models/right.onnx": "PASS", "models/unscaled.onnx": "FAIL"}
    codes = [each["code"] for each in json.loads(ended.stdout)["files"][1]["report"]["findings"]]
    assert "DA103" in codes


def test_a_dropaudit_yaml_in_the_working_folder_holds_for_a_single_file_too(tmp_path: Path) -> None:
    (tmp_path / "unscaled.onnx").write_bytes(UNSCALED)
    (tmp_path / "dropaudit.yaml").write_text(
        "role: train\naccepted_findings:\n  - {code: DA301, reason: meant}\n  - {code: DA305, reason: meant}\n",
        encoding="utf-8",
    )
    assert run(tmp_path, "unscaled.onnx").returncode == Exit.OK
    assert run(tmp_path, "unscaled.onnx", "--role", "inference").returncode == Exit.FAIL


def test_a_wrong_document_is_told_line_by_line_before_anything_is_audited(tmp_path: Path) -> None:
    (tmp_path / "dropaudit.yaml").write_text("rolle: train\nfiles: [x]\noptions: {alpha: 7}\n", encoding="utf-8")
    ended = run(tmp_path, "missing.onnx")
    assert ended.returncode == Exit.NOT_MADE
    assert ended.stderr.splitlines() == [
        "dropaudit: dropaudit.yaml:1: rolle: is not a key here; did you mean 'role'?",
        "dropaudit: dropaudit.yaml:3: options.alpha: must be less than or equal to 0.5",
    ]
    document = json.loads(run(tmp_path, "missing.onnx", "--format", "json").stdout)["error"]
    assert document["reason"] == "INVALID_DOCUMENT"
    assert [(each["line"], each["field"]) for each in document["problems"]] == [(1, "rolle"), (3, "options.alpha")]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "name an ONNX file, or several, or list them under `files` in dropaudit.yaml"),
        (("a.onnx", "b.onnx", "--inference", "c.onnx"), "--inference is for one file"),
        (("a.onnx", "b.onnx", "--accept", "DA301"), "CODE[@SUBJECT]=REASON"),
        (("a.onnx", "b.onnx", "--alpha", "2"), "alpha must lie in (0, 0.5]"),
        (("none*", "nothing/*"), "no file matches none*; no file matches nothing/*"),
    ],
)
def test_senseless_orders_are_one_sentence(tmp_path: Path, arguments: tuple[str, ...], words: str) -> None:
    ended = run(tmp_path, *arguments)
    assert (ended.returncode, ended.stdout, ended.stderr.count("\n")) == (Exit.NOT_MADE, "", 1)
    assert words in ended.stderr
