"""Claims about what changed since an earlier report."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dropaudit.changes import NotMade, Status
from dropaudit.errors import InvalidArgument, UnreadableFile
from dropaudit.report import to_json
from dropaudit_client.batch.delivery import batch_text
from dropaudit_client.batch.results import Batch
from dropaudit_client.batch.since import changed, read_outcomes
from dropaudit_client.terminal.outcome import Format
from dropaudit_formats.results import Result
from support.reports import finding, report_with

GOOD, BAD = report_with(), report_with(finding("DA301", "drop"))
BEFORE = [Result("a.onnx", GOOD), Result("b.onnx", NotMade(reason="INVALID_MODEL", message="it is damaged"))]
NOW = [Result("a.onnx", BAD), Result("b.onnx", GOOD)]


def written(folder: Path, text: str) -> Path:
    path = folder / "before.json"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_report_of_several_files_is_read_back(tmp_path: Path) -> None:
    path = written(tmp_path, batch_text(Batch((*BEFORE,)), Format.JSON))
    assert read_outcomes(path) == {each.name: each.outcome for each in BEFORE}


def test_what_changed_is_told_after_the_table_and_in_the_document(tmp_path: Path) -> None:
    before = read_outcomes(written(tmp_path, batch_text(Batch((*BEFORE,)), Format.JSON)))
    batch = Batch((*NOW,), changed(before, NOW, 1e-3))
    text = batch_text(batch, Format.TEXT)
    assert "2 members changed: 1 recovered, 1 failed." in text
    assert "FAILED  a.onnx  PASS → FAIL\n  new ERROR DA301 scale-missing of drop: DA301 was measured." in text
    assert "RECOVERED  b.onnx  NOT MADE → PASS" in text
    document = json.loads(batch_text(batch, Format.JSON))
    assert document["changes"]["status"] == "CHANGED"
    assert [each["member"] for each in document["changes"]["members"]] == ["a.onnx", "b.onnx"]


def test_the_report_of_one_file_is_about_the_one_file_there_is(tmp_path: Path) -> None:
    before = read_outcomes(written(tmp_path, json.dumps(to_json(GOOD))))
    assert changed(before, [Result("renamed.onnx", BAD)], 1e-3).status is Status.FAILED
    assert changed(before, [Result("renamed.onnx", GOOD)], 1e-3).status is Status.UNCHANGED


@pytest.mark.parametrize("text", ["", "{}", "[]", "7", '{"files": [{}]}', '{"files": [{"file": "a", "report": {}}]}'])
def test_what_is_no_report_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(InvalidArgument, match="is not a report"):
        read_outcomes(written(tmp_path, text))


def test_a_file_that_is_not_there_is_unreadable(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile):
        read_outcomes(tmp_path / "gone.json")
