"""Properties of reports: nothing is lost on any way, and no name steers a format."""

from __future__ import annotations

import json
import math
from xml.etree import ElementTree

import pytest
from google.protobuf import json_format
from hypothesis import given, settings
from hypothesis import strategies as st

from dropaudit.findings import gravest_first, verdict_of
from dropaudit.report import Finding, Interval, Report, Severity, Verdict, from_json, to_json
from dropaudit.shortening import cut, cut_name, shortened, wire_bytes
from dropaudit_client.terminal.outcome import Format, document_of
from dropaudit_formats.escape import is_unsafe, json_text, safe
from dropaudit_proto.v1 import audit_pb2 as pb
from properties.reports import FINDINGS, REPORTS, TEXTS

ANY_TEXT = st.text(st.characters())
"""Lone surrogates too."""


@given(report=REPORTS)
def test_a_report_comes_back_from_its_json(report: Report) -> None:
    assert from_json(json.loads(json_text(to_json(report)))) == report


@given(report=REPORTS)
def test_a_report_comes_back_from_the_wire(report: Report) -> None:
    sent = json_format.ParseDict(to_json(report), pb.Report()).SerializeToString()
    document = json_format.MessageToDict(pb.Report.FromString(sent), always_print_fields_with_no_presence=True)
    assert from_json(document) == report


def test_not_a_number_comes_back_as_such() -> None:
    interval = Interval(estimate=math.nan, lower=-math.inf, upper=math.inf)
    assert to_json(interval) == {"estimate": "NaN", "lower": "-Infinity", "upper": "Infinity"}


@given(report=REPORTS)
def test_a_small_report_is_not_shortened(report: Report) -> None:
    assert shortened(to_json(report)) == to_json(report)


@settings(max_examples=30)
@given(report=REPORTS, times=st.integers(1, 200))
def test_a_shortened_report_fits_parses_and_stays_as_it_is(report: Report, times: int) -> None:
    document = to_json(report)
    for name in ("findings", "sites", "outputs"):
        document[name] *= times
    kept = shortened(document, 64 << 10)
    message = json_format.ParseDict(kept, pb.Report())
    assert message.ByteSize() <= wire_bytes(kept) <= 64 << 10
    assert shortened(kept, 64 << 10) == kept
    assert bool(kept.get("shortened")) >= (kept != document)


@given(text=ANY_TEXT, most=st.integers(16, 60))
def test_cut_text_fits_and_text_that_fits_is_not_cut(text: str, most: int) -> None:
    size = len(text.encode("utf-8", "replace"))
    for found in (cut(text, most), cut_name(text, most)):
        assert len(found.encode()) <= most
        if size <= most:
            assert found == text.encode("utf-8", "replace").decode()


@given(names=st.lists(st.text(min_size=30, max_size=80), min_size=2, max_size=2, unique=True))
def test_different_names_stay_different_when_they_are_cut(names: list[str]) -> None:
    assert cut_name(names[0], 32) != cut_name(names[1], 32)


@given(text=ANY_TEXT)
def test_an_escaped_text_is_safe_and_escaping_it_again_changes_nothing(text: str) -> None:
    found = safe(text)
    assert not any(map(is_unsafe, found))
    assert safe(found) == found
    assert (found == text) == (not any(map(is_unsafe, text)))


@given(text=ANY_TEXT)
def test_a_json_text_holds_any_text_and_nothing_unsafe(text: str) -> None:
    written = json_text({"name": text})
    assert json.loads(written) == {"name": text}
    assert not any(map(is_unsafe, written.replace("\n", "")))


@pytest.mark.parametrize("form", Format)
@settings(max_examples=30)
@given(report=REPORTS, title=TEXTS)
def test_no_report_puts_anything_unsafe_into_a_format(form: Format, report: Report, title: str) -> None:
    document = document_of(report, form, title)
    assert not any(map(is_unsafe, document.replace("\n", "")))
    match form:
        case Format.JSON | Format.SARIF:
            json.loads(document)
        case Format.JUNIT:
            ElementTree.fromstring(document)
        case _:
            assert document.endswith("\n")


@given(findings=st.lists(FINDINGS, max_size=6))
def test_the_gravest_finding_stands_first_and_makes_the_verdict(findings: list[Finding]) -> None:
    ordered = gravest_first(findings)
    assert sorted(map(repr, ordered)) == sorted(map(repr, findings))
    ranks = [list(Severity).index(each.severity) for each in ordered]
    assert ranks == sorted(ranks)
    verdict = verdict_of(ordered)
    assert (verdict is Verdict.FAIL) == (ranks[:1] == [0])
    assert verdict_of(tuple(reversed(ordered))) is verdict
