"""Claims about the rows of a labelled corpus."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dropaudit.errors import UnreadableFile
from dropaudit.plan import Role
from dropaudit.report import Placement, Verdict
from dropaudit_evaluation.errors import InvalidLabels
from dropaudit_evaluation.labels import Label, parse_labels, read_labels


def parse(*rows: dict[str, Any]) -> tuple[Label, ...]:
    return parse_labels(json.dumps(rows).encode(), "labels.json")


def test_a_row_says_what_to_audit_and_what_to_expect() -> None:
    row = {
        "file": "a.onnx",
        "framework": "unread",
        "role": "train",
        "verdict": ["WARN", "FAIL"],
        "codes": ["DA102"],
        "codes_any": [["DA301", "DA303"], ["DA305"]],
        "not_codes": ["DA401"],
        "no_errors": True,
    }
    (label,) = parse(row)
    assert label.role is Role.TRAIN
    assert label.verdict == (Verdict.WARN, Verdict.FAIL)
    assert label.codes_any == (frozenset({"DA301", "DA303"}), frozenset({"DA305"}))
    assert label.no_errors


def test_what_a_row_leaves_out_is_not_looked_at() -> None:
    (label,) = parse({"file": "a.onnx"})
    assert label == Label(file="a.onnx")


def test_one_word_is_a_list_of_one() -> None:
    (label,) = parse({"file": "a.onnx", "verdict": "PASS", "placement": "OUTPUT"})
    assert label.verdict == (Verdict.PASS,)
    assert label.placement == (Placement.OUTPUT,)


def test_one_keep_probability_is_declared_and_two_are_bounds() -> None:
    declared, bounded = parse({"file": "a", "keep_prob_in": 0.7}, {"file": "b", "keep_prob_in": [0.6, 0.8]})
    assert (declared.declared_keep_prob, declared.measured_between) == (0.7, None)
    assert (bounded.declared_keep_prob, bounded.measured_between) == (None, (0.6, 0.8))


def test_an_error_is_spelled_as_the_audit_spells_it() -> None:
    (label,) = parse({"file": "a.onnx", "exit": 2, "error": "invalid-model"})
    assert label.reason == "INVALID_MODEL"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b"[1]",
        b'[{"role": "train"}]',
        b'[{"file": "a", "role": "teach"}]',
        b'[{"file": "a", "verdict": ["GOOD"]}]',
        b'[{"file": "a", "codes": ["DA999"]}]',
        b'[{"file": "a", "codes_any": [["DA000"]]}]',
    ],
)
def test_labels_that_mean_nothing_are_refused(content: bytes) -> None:
    with pytest.raises(InvalidLabels, match=r"labels\.json"):
        parse_labels(content, "labels.json")


def test_a_folder_without_labels_or_without_a_named_file_is_unreadable(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match=r"labels\.json"):
        read_labels(tmp_path)
    (tmp_path / "labels.json").write_text('[{"file": "gone.onnx"}]')
    with pytest.raises(UnreadableFile, match=r"gone\.onnx"):
        read_labels(tmp_path)
