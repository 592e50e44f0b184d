"""Claims about where an audit disagrees with its label, and how findings are counted."""

from __future__ import annotations

from typing import Any

import pytest

from dropaudit.report import Family, Placement, Verdict
from dropaudit_evaluation.confusion import Confusion
from dropaudit_evaluation.labels import Label
from dropaudit_evaluation.outcome import Outcome, disagreements
from support.reports import finding, report_with

SCALE_IS_MISSING = Outcome(report_with(finding("DA301", "drop"), finding("DA102", "drop")))
RIGHT = Outcome(report_with())
UNDECIDED = Outcome(report_with(finding("DA901", "y")))
NOT_A_MODEL = Outcome(reason="INVALID_MODEL", message="no model")


def label(**fields: Any) -> Label:
    return Label(file="a.onnx", **fields)


@pytest.mark.parametrize(
    ("asked", "outcome"),
    [
        (label(), RIGHT),
        (label(verdict=(Verdict.PASS, Verdict.WARN), no_errors=True), RIGHT),
        (label(verdict=(Verdict.FAIL,), codes=frozenset({"DA301"}), not_codes=frozenset({"DA302"})), SCALE_IS_MISSING),
        (label(codes_any=(frozenset({"DA301", "DA303"}),)), SCALE_IS_MISSING),
        (label(exit=1), SCALE_IS_MISSING),
        (label(exit=3), UNDECIDED),
        (label(exit=2), NOT_A_MODEL),
        (label(error="invalid-model"), NOT_A_MODEL),
        (label(placement=(Placement.HEAD, Placement.OUTPUT), family=(Family.INVERTED,)), RIGHT),
        (label(keep_prob_in=(0.49, 0.51)), RIGHT),
    ],
)
def test_what_the_label_asks_for_is_no_disagreement(asked: Label, outcome: Outcome) -> None:
    assert disagreements(asked, outcome) == ()


@pytest.mark.parametrize(
    ("asked", "outcome", "sentence"),
    [
        (label(verdict=(Verdict.WARN, Verdict.PASS)), SCALE_IS_MISSING, "verdict FAIL, expected PASS or WARN"),
        (label(codes=frozenset({"DA303", "DA301"})), SCALE_IS_MISSING, "DA303 is missing"),
        (label(codes_any=(frozenset({"DA303", "DA201"}),)), SCALE_IS_MISSING, "none of DA201, DA303 is there"),
        (label(not_codes=frozenset({"DA102"})), SCALE_IS_MISSING, "DA102 must not be there"),
        (label(no_errors=True), SCALE_IS_MISSING, "errors where there are none: DA301"),
        (label(exit=0), SCALE_IS_MISSING, "exit status 1, expected 0"),
        (label(exit=2), RIGHT, "exit status 0, expected 2"),
        (label(error="invalid-model"), RIGHT, "a report, expected the error INVALID_MODEL"),
        (label(error="invalid-tensor"), NOT_A_MODEL, "INVALID_MODEL, expected the error INVALID_TENSOR"),
        (label(verdict=(Verdict.PASS,)), NOT_A_MODEL, "the audit was not made: INVALID_MODEL: no model"),
        (label(placement=(Placement.STATE_C,)), RIGHT, "placed OUTPUT, expected STATE_C"),
        (label(family=(Family.ALPHA,)), RIGHT, "family INVERTED, expected ALPHA"),
        (label(keep_prob_in=(0.6, 0.8)), RIGHT, "keep probability 0.4997, expected between 0.6 and 0.8"),
    ],
)
def test_every_difference_is_one_sentence(asked: Label, outcome: Outcome, sentence: str) -> None:
    assert disagreements(asked, outcome) == (sentence,)


def test_findings_are_counted_by_what_the_label_says_of_them() -> None:
    counted = Confusion()
    counted.add(label(codes=frozenset({"DA301", "DA305"})), SCALE_IS_MISSING)
    counted.add(label(not_codes=frozenset({"DA102"})), SCALE_IS_MISSING)
    counted.add(label(no_errors=True), SCALE_IS_MISSING)
    assert counted.rows() == [
        ("DA102", 0, 0, 1, 2),
        ("DA301", 1, 0, 1, 1),
        ("DA305", 0, 1, 0, 0),
    ]


def test_one_found_alternative_is_found_and_of_an_unmet_group_each_is_missed() -> None:
    counted = Confusion()
    groups = (frozenset({"DA301", "DA303"}), frozenset({"DA201", "DA202"}))
    counted.add(label(codes_any=groups, codes=frozenset({"DA102"})), SCALE_IS_MISSING)
    assert counted.rows() == [
        ("DA102", 1, 0, 0, 0),
        ("DA201", 0, 1, 0, 0),
        ("DA202", 0, 1, 0, 0),
        ("DA301", 1, 0, 0, 0),
    ]


def test_an_audit_that_was_not_made_misses_all_it_should_find() -> None:
    counted = Confusion()
    counted.add(label(codes=frozenset({"DA301"})), NOT_A_MODEL)
    assert counted.rows() == [("DA301", 0, 1, 0, 0)]
