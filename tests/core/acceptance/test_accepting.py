"""Claims about accepted findings: they stay in the report, do not move the verdict, and come back."""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from google.protobuf import json_format
from hypothesis import given
from hypothesis import strategies as st

from dropaudit import audit
from dropaudit.acceptance import AcceptedFinding, Range, accept, end_of_day
from dropaudit.errors import InvalidArgument
from dropaudit.explain import UnknownCode
from dropaudit.finding_code import FindingCode
from dropaudit.findings import CATALOGUE, gravest_first, make_finding, verdict_of
from dropaudit.plan import Role
from dropaudit.report import Acceptance, Report, Severity, Verdict, from_json, to_json
from dropaudit.shortening import brief, shortened
from dropaudit_models.seed_case import seed_case
from dropaudit_proto.v1 import audit_pb2 as pb
from support.consistency import contradictions
from support.reports import finding, report_with

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
MISSING = finding("DA301", "drop")
REMOVED = finding("DA102", "drop")


def accepting(code: str = "DA301", reason: str = "known since May", **more: object) -> AcceptedFinding:
    return msgspec.convert({"code": code, "reason": reason, **more}, AcceptedFinding, strict=False)


def failing(*more: str) -> Report:
    """Return a report as an audit makes it: its summary is about its gravest finding."""
    report = report_with(MISSING, *(finding(code, "drop") for code in more))
    return accept(accept(report, [accepting()], NOW), [], NOW)


def test_what_is_accepted_stays_in_the_report_with_its_reason_and_moves_no_verdict() -> None:
    day = NOW + timedelta(days=1)
    found = accept(failing(), [accepting(acceptedBy="anna", expireTime=day.isoformat())], NOW)
    assert found.verdict is Verdict.PASS
    assert found.findings[0].code == "DA301"
    assert found.findings[0].severity is Severity.ERROR
    assert found.findings[0].acceptance == Acceptance(reason="known since May", accepted_by="anna", expire_time=day)
    assert found.summary == "Nothing is wrong but what is accepted. Accepted: DA301 (scale-missing) of drop."


def test_the_rest_still_makes_the_verdict_and_the_summary() -> None:
    found = accept(failing("DA402", "DA202"), [accepting()], NOW)
    assert found.verdict is Verdict.FAIL
    assert found.summary.startswith("drop: DA202 (rate-swapped). ")
    assert [each.code for each in found.findings] == ["DA202", "DA402", "DA301"]
    found = accept(failing("DA402"), [accepting()], NOW)
    assert found.verdict is Verdict.WARN
    assert "; mind DA402 (mask-shared-over-batch). Accepted: DA301" in found.summary


def test_an_undecided_test_that_is_accepted_leaves_no_verdict_inconclusive() -> None:
    report = report_with(finding("DA901", "drop"))
    assert report.verdict is Verdict.INCONCLUSIVE
    assert accept(report, [accepting("DA901")], NOW).verdict is Verdict.PASS


def test_an_accepted_warning_leaves_the_healthy_words() -> None:
    report = report_with(REMOVED, title="Dropout is scaled right: 1 site; mind DA102 (removed-by-runtime).")
    found = accept(report, [accepting("DA102")], NOW)
    assert found.verdict is Verdict.PASS
    assert found.summary == "Dropout is scaled right: 1 site. Accepted: DA102 (removed-by-runtime) of drop."
    assert accept(found, [], NOW) == report


def test_a_finding_comes_back_when_its_acceptance_expires() -> None:
    accepted = [accepting(expireTime=NOW.isoformat())]
    report = failing()
    before = accept(report, accepted, NOW - timedelta(microseconds=1))
    assert before.verdict is Verdict.PASS
    assert accept(before, accepted, NOW) == report
    assert accept(before, [], NOW) == report


@pytest.mark.parametrize(
    ("evidence", "verdict"),
    [
        ({"factor": 1.0}, Verdict.PASS),
        ({"factor": 1.2}, Verdict.PASS),
        ({"factor": 1.21}, Verdict.FAIL),
        ({"estimate": 1.1, "factor": 9}, Verdict.PASS),
        ({"declaredKeepProb": 1.1}, Verdict.FAIL),
        ({"factor": "NaN"}, Verdict.FAIL),
        ({}, Verdict.FAIL),
    ],
)
def test_a_finding_comes_back_when_its_number_leaves_the_range(evidence: dict[str, Any], verdict: Verdict) -> None:
    report = report_with(make_finding(FindingCode.SCALE_WRONG, "drop", message="m", remedy="r", **evidence))
    accepted = accepting("DA303", range={"lower": 0.8, "upper": 1.2})
    assert accept(report, [accepted], NOW).verdict is verdict


@pytest.mark.parametrize(
    ("subject", "member", "covers"),
    [
        ("*", "*", True),
        ("drop", "*", True),
        ("enc*", "*", False),
        ("*", "lstm-*.onnx", True),
        ("*", "gru-*", False),
        ("DROP", "*", False),
    ],
)
def test_what_is_accepted_is_for_the_sites_and_members_it_names(subject: str, member: str, covers: bool) -> None:
    accepted = accepting(subject=subject, member=member)
    found = accept(failing(), [accepted], NOW, member="lstm-7.onnx")
    assert (found.verdict is Verdict.PASS) is covers


def test_a_name_with_brackets_matches_itself() -> None:
    report = report_with(finding("DA301", "layers[0]/drop"))
    assert accept(report, [accepting(subject="layers[0]/drop")], NOW).verdict is Verdict.PASS


def test_a_finding_about_several_sites_is_accepted_only_with_all_of_them() -> None:
    many = make_finding(FindingCode.REMOVED_BY_RUNTIME, "a1", message="m", remedy="r", removed=["a1", "a2", "b"])
    assert accept(report_with(many), [accepting("DA102", subject="a*")], NOW).verdict is Verdict.WARN
    assert accept(report_with(many), [accepting("DA102", subject="?*")], NOW).verdict is Verdict.PASS


def test_of_two_that_cover_a_finding_the_first_counts() -> None:
    found = accept(failing(), [accepting(reason="first"), accepting(reason="second")], NOW)
    assert found.findings[0].acceptance == Acceptance(reason="first")


def test_an_unknown_code_is_refused_with_those_there_are() -> None:
    with pytest.raises(UnknownCode, match="DA999"):
        AcceptedFinding(code="DA999", reason="r")


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"reason": " "}, "DA301 needs a reason"),
        ({"reason": "x" * 513}, "of at most 512 bytes"),
        ({"reason": "r", "expire_time": datetime(2026, 1, 1)}, "needs a time zone"),
    ],
)
def test_what_is_accepted_without_sense_is_refused(more: dict[str, object], words: str) -> None:
    with pytest.raises(InvalidArgument, match=words):
        AcceptedFinding(code="DA301", **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(("lower", "upper"), [(2, 1), (float("nan"), 1), (0, float("inf"))])
def test_a_range_that_holds_nothing_is_refused(lower: float, upper: float) -> None:
    with pytest.raises(InvalidArgument, match="two numbers, the smaller first"):
        Range(lower=lower, upper=upper)


@pytest.mark.parametrize(
    ("zone", "instant"),
    [("UTC", "2027-04-01T00:00"), ("Europe/Berlin", "2027-03-31T22:00"), ("Asia/Tokyo", "2027-03-31T15:00")],
)
def test_what_is_accepted_until_a_day_is_so_through_that_day_where_it_is_meant(zone: str, instant: str) -> None:
    ends = end_of_day(date(2027, 3, 31), ZoneInfo(zone))
    assert ends == datetime.fromisoformat(instant).replace(tzinfo=UTC)


def test_acceptance_survives_the_way_to_the_wire_and_back() -> None:
    ends = end_of_day(date(2027, 3, 31), ZoneInfo("Europe/Berlin"))
    found = accept(failing(), [AcceptedFinding(code="DA301", reason="r", accepted_by="anna", expire_time=ends)], NOW)
    document = json.loads(json.dumps(to_json(found)))
    message = pb.Report.FromString(json_format.ParseDict(document, pb.Report()).SerializeToString())
    assert message.findings[0].acceptance.accepted_by == "anna"
    assert from_json(json_format.MessageToDict(message, always_print_fields_with_no_presence=True)) == found


def test_lists_and_shortened_reports_tell_it_too() -> None:
    found = to_json(accept(failing(), [accepting()], NOW))
    assert brief(shortened(found))["findings"][0]["acceptance"] == {"reason": "known since May", "acceptedBy": ""}


def test_many_accepted_findings_are_not_told_as_one_with_those_that_are_not() -> None:
    sites = [finding("DA301", f"{kind}{number:03}") for kind in "ab" for number in range(400)]
    report = accept(report_with(*sites), [accepting(subject="b*")], NOW)
    bulky = msgspec.structs.replace(
        report,
        findings=tuple(msgspec.structs.replace(each, remedy="r" * 4000) for each in report.findings),
    )
    told = from_json(shortened(to_json(bulky), 1 << 20))
    assert told.shortened != ()
    assert told.verdict is verdict_of(told.findings) is Verdict.FAIL
    assert {each.subject[0] for each in told.findings if each.acceptance} == {"b"}


CODES = st.lists(st.sampled_from(sorted(CATALOGUE)), max_size=6, unique=True)


@given(codes=CODES, accepted=CODES, again=CODES)
def test_accepting_is_the_same_in_any_order_and_can_be_taken_back(
    codes: list[str], accepted: list[str], again: list[str]
) -> None:
    report = accept(report_with(*(finding(code, "drop") for code in codes)), [], NOW)
    first = [accepting(code) for code in accepted]
    second = [accepting(code, "another") for code in again]
    once = accept(report, second, NOW)
    assert accept(once, second, NOW) == once
    twice = accept(accept(report, first, NOW), second, NOW)
    assert (twice.verdict, twice.findings) == (once.verdict, once.findings)
    assert twice.verdict is verdict_of(twice.findings)
    assert accept(twice, [], NOW).findings == report.findings
    assert gravest_first(twice.findings) == twice.findings


def test_findings_about_recorded_outputs_can_be_accepted_too() -> None:
    report = audit(dataclasses.replace(seed_case(), keep_prob=0.9))
    assert report.verdict is Verdict.FAIL
    found = accept(report, [accepting(code) for code in CATALOGUE], NOW)
    assert found.verdict is Verdict.PASS
    assert contradictions(found, Role.TRAIN) == ()
