from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from dropaudit.changes import NotMade
from dropaudit_formats.results import Result
from dropaudit_formats.sarif import MOST_RESULTS, notification, to_sarif, to_sarif_of_many
from support.reports import finding, report_with

GONE = Result("c.onnx", NotMade(reason="X", message="no"))


def run_of(text: str) -> dict[str, Any]:
    document = json.loads(text)
    assert document["version"] == "2.1.0"
    (run,) = document["runs"]
    assert isinstance(run, dict)
    return run


@pytest.mark.parametrize("more", [1, 7])
def test_results_beyond_the_most_are_left_out_and_counted(more: int) -> None:
    run = run_of(to_sarif(report_with(*[finding("DA301", "drop")] * (MOST_RESULTS + more))))
    assert len(run["results"]) == MOST_RESULTS
    (invocation,) = run["invocations"]
    assert invocation["executionSuccessful"] is True
    assert invocation["toolExecutionNotifications"] == [
        {
            "level": "warning",
            "message": {"text": f"{more} findings beyond 5000 are left out; the report in JSON has them"},
        }
    ]


def test_as_many_results_as_there_may_be_are_all_told() -> None:
    run = run_of(to_sarif(report_with(*[finding("DA301", "drop")] * MOST_RESULTS)))
    assert run["invocations"] == [{"executionSuccessful": True}]


def test_the_most_counts_over_all_files() -> None:
    half = report_with(*[finding("DA301", "drop")] * (MOST_RESULTS // 2 + 1))
    run = run_of(to_sarif_of_many([Result("a.onnx", half), Result("b.onnx", half), GONE]))
    assert len(run["results"]) == MOST_RESULTS
    (invocation,) = run["invocations"]
    assert invocation["executionSuccessful"] is False
    assert [each["level"] for each in invocation["toolExecutionNotifications"]] == ["warning", "error"]


def test_a_finding_without_evidence_has_none() -> None:
    bare = msgspec.structs.replace(finding("DA301", "drop"), evidence={})
    (result,) = run_of(to_sarif(report_with(bare)))["results"]
    assert result["properties"] == {"evidence": {}}


def test_a_reason_is_a_notification_in_safe_text() -> None:
    assert notification("INVALID_MODEL", "a\x1bb") == {
        "descriptor": {"id": "INVALID_MODEL"},
        "level": "error",
        "message": {"text": r"a\x1bb"},
    }


def test_a_report_that_was_shortened_says_so_in_its_properties() -> None:
    whole, short = report_with(), msgspec.structs.replace(report_with(), shortened=("of 9 sites 3 are shown",))
    assert "shortened" not in run_of(to_sarif(whole))["properties"]
    assert run_of(to_sarif(short))["properties"]["shortened"] == ["of 9 sites 3 are shown"]


def test_a_path_is_a_uri_and_a_long_one_loses_its_middle() -> None:
    (artifact,) = run_of(to_sarif(report_with(), "models/größe 1.onnx"))["artifacts"]
    assert artifact["location"]["uri"] == "models/gr%C3%B6%C3%9Fe%201.onnx"
    (long,) = run_of(to_sarif(report_with(), "a" * 501))["artifacts"]
    assert long["location"]["uri"] == "a" * 250 + "%E2%80%A6" + "a" * 249
