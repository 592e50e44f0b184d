"""Claims about findings that are new, fixed and persisting."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest

from dropaudit.acceptance import AcceptedFinding, accept
from dropaudit.changes.alignment import new_names
from dropaudit.changes.found import ChangedFinding, FindingChanges, compare_findings
from dropaudit.finding_code import FindingCode
from dropaudit.findings import make_finding
from dropaudit.report import Finding, Implementation, Placement, Report, Severity, Site
from support.reports import finding, report_with

NOW = datetime(2026, 11, 26, tzinfo=UTC)


def compared(before: Report | None, after: Report | None) -> FindingChanges:
    return compare_findings(before, after, new_names(before, after) if before and after else {})


def told(findings: tuple[ChangedFinding, ...]) -> list[tuple[str, str]]:
    return [(each.code, each.subject) for each in findings]


def listing(*sites: str) -> Finding:
    return make_finding(FindingCode.REMOVED_BY_RUNTIME, sites[0], message="m", remedy="r", sites=list(sites))


def sites(*names: str, placement: Placement = Placement.OUTPUT, keep: float = 0.5) -> tuple[Site, ...]:
    return tuple(
        Site(name=name, placement=placement, implementation=Implementation.DROPOUT_OP, declared_keep_prob=keep)
        for name in names
    )


def test_findings_are_new_fixed_or_persisting_by_code_and_subject() -> None:
    before = report_with(finding("DA301", "drop"), finding("DA402", "drop"))
    after = report_with(finding("DA301", "drop"), finding("DA301", "other"), finding("DA305", "y"))
    found = compared(before, after)
    assert told(found.new) == [("DA301", "other"), ("DA305", "y")]
    assert told(found.fixed) == [("DA402", "drop")]
    assert told(found.persisting) == [("DA301", "drop")]
    assert found.is_news


def test_neither_order_nor_numbers_make_a_finding_another() -> None:
    one, other = finding("DA301", "a"), finding("DA301", "b")
    before = report_with(one, other)
    changed = msgspec.structs.replace(one, message="Another number.", evidence={"factor": 7})
    after = msgspec.structs.replace(before, findings=(other, changed))
    assert not compared(before, after).is_news


def test_of_a_finding_about_several_sites_only_the_new_one_is_new() -> None:
    found = compared(report_with(listing("b", "a")), report_with(listing("a", "c", "b")))
    assert [(each.code, each.sites) for each in found.new] == [("DA102", ("c",))]
    assert [(each.code, each.sites) for each in found.persisting] == [("DA102", ("a", "b"))]
    assert found.fixed == ()


def test_of_a_list_that_was_cut_no_site_is_new() -> None:
    many = [f"site{number}" for number in range(60)]
    found = compared(report_with(listing(*many)), report_with(listing(*many[5:])))
    assert not found.is_news


def test_a_report_that_is_not_there_has_no_findings() -> None:
    report = report_with(finding("DA301", "drop"))
    assert told(compared(None, report).new) == [("DA301", "drop")]
    assert told(compared(report, None).fixed) == [("DA301", "drop")]


def test_a_milder_severity_is_told_of_a_finding_that_persists() -> None:
    milder = msgspec.structs.replace(finding("DA305", "y"), severity=Severity.INFO)
    (kept,) = compared(report_with(finding("DA305", "y")), report_with(milder)).persisting
    assert (kept.severity, kept.was) == (Severity.INFO, Severity.ERROR)


def test_a_site_in_a_body_is_the_same_by_its_name_and_by_its_path() -> None:
    assert not compared(report_with(finding("DA301", "drop")), report_with(finding("DA301", "loop/body/drop"))).is_news


def test_acceptance_that_begins_and_ends_is_neither_new_nor_fixed() -> None:
    report = report_with(finding("DA301", "drop"))
    accepted = accept(report, [AcceptedFinding(code="DA301", reason="known")], NOW)
    begun, ended = compared(report, accepted), compared(accepted, report)
    assert told(begun.newly_accepted) == told(ended.returned) == [("DA301", "drop")]
    assert (begun.new, begun.fixed, begun.persisting) == (ended.new, ended.fixed, ended.persisting) == ((), (), ())
    assert not compared(accepted, accepted).is_news
    assert compared(accepted, accepted).persisting[0].accepted


def with_sites(report: Report, *found: Site) -> Report:
    return msgspec.structs.replace(report, sites=found)


def test_sites_that_an_exporter_renamed_keep_their_findings() -> None:
    before = with_sites(report_with(finding("DA301", "Dropout_7")), *sites("Dropout_3", "Dropout_7"))
    after = with_sites(report_with(finding("DA301", "/lstm/Dropout_1")), *sites("/lstm/Dropout", "/lstm/Dropout_1"))
    assert new_names(before, after)["Dropout_7"] == "/lstm/Dropout_1"
    assert not compared(before, after).is_news


@pytest.mark.parametrize(
    "after",
    [sites("c", "d", "e"), sites("c", placement=Placement.INPUT), sites("c", keep=0.9), sites("a", "c")],
    ids=["more", "elsewhere", "another rate", "one of two stays"],
)
def test_a_site_that_has_no_counterpart_went_and_another_came(after: tuple[Site, ...]) -> None:
    before = with_sites(report_with(), *sites("a", "b"))
    renamed = new_names(before, with_sites(report_with(), *after))
    assert renamed == ({"b": "c"} if after[0].name == "a" else {})


def test_sites_in_another_order_are_the_same_sites() -> None:
    before, after = with_sites(report_with(), *sites("a", "b")), with_sites(report_with(), *sites("b", "a"))
    assert new_names(before, after) == {}


def test_a_renamed_output_keeps_its_findings() -> None:
    before, after = report_with(finding("DA305", "y")), report_with(finding("DA305", "out"), output="out")
    assert new_names(before, after) == {"y": "out"}
    assert not compared(before, after).is_news
