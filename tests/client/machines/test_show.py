"""Claims about the command that tells a kept report again."""

from __future__ import annotations

from pathlib import Path

import pytest

from dropaudit_models import export
from support.command import dropaudit, sentence


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """A report of a model with a fault, as JSON."""
    model = export("lstm-dropout-unscaled", tmp_path)
    dropaudit("run", model, "--role", "train", "--format", "json", "-o", tmp_path / "kept.json")
    return tmp_path / "kept.json"


@pytest.mark.parametrize("form", ["text", "json", "html", "junit", "sarif", "markdown"])
def test_a_kept_report_is_told_in_any_format_with_its_verdict(kept: Path, form: str) -> None:
    ended = dropaudit("show", kept, "--format", form, "--title", "unscaled.onnx")
    assert (ended.returncode, ended.stderr) == (1, "")
    assert "DA301" in ended.stdout
    assert form == "json" or "unscaled.onnx" in ended.stdout.replace("\\", "")


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b"\xff", b'{"verdict": "PASS"}', b"[" * 100_000])
def test_what_is_no_report_is_said_to_be_none(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "other.json"
    path.write_bytes(content)
    assert "does not hold a report" in sentence(dropaudit("show", path))


def test_why_there_is_no_report_is_told_again(tmp_path: Path) -> None:
    dropaudit("run", "missing.onnx", "--format", "json", "-o", tmp_path / "kept.json")
    assert sentence(dropaudit("show", tmp_path / "kept.json")).startswith("cannot read missing.onnx")
    assert "UNREADABLE_FILE" in dropaudit("show", tmp_path / "kept.json", "--format", "sarif").stdout
