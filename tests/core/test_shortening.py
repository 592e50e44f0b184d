"""Claims about what is stored of a report: under its limit, readable, and honest about what is missing."""

from __future__ import annotations

import json
import string
from typing import Any

import pytest
from google.protobuf import json_format
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dropaudit.findings import CATALOGUE, make_finding
from dropaudit.plan import Phase, Progress, TestProgress
from dropaudit.report import (
    Excerpt,
    Execution,
    Finding,
    Interval,
    Operator,
    Output,
    Report,
    Severity,
    Site,
    Surroundings,
    Trajectory,
    Verdict,
    from_json,
    to_json,
)
from dropaudit.shortening import REPORT_BYTES, brief, cut, cut_name, shortened, shortened_list, wire_bytes
from dropaudit_proto.v1 import audit_pb2 as pb

SMALL = 64 << 10
EXECUTION = Execution(provider="cpu")


def finding(subject: str, code: str = "DA102", **evidence: Any) -> Finding:
    return make_finding(CATALOGUE[code], subject, message="m", remedy="r", **evidence)


def report_of(**parts: Any) -> dict[str, Any]:
    return to_json(Report(verdict=Verdict.WARN, summary="s", execution=EXECUTION, **parts))


def message_of(document: dict[str, Any]) -> pb.Report:
    return json_format.ParseDict(json.loads(json.dumps(document)), pb.Report())


def test_a_report_that_is_small_stays_as_it_is() -> None:
    document = report_of(findings=(finding("a", removed=["a", "b"]),), sites=(Site(name="a"),))
    assert shortened(document) == document
    assert "evidence" not in brief(document)["findings"][0]


def test_a_model_with_long_names_and_many_sites_has_a_report_under_the_limit() -> None:
    names = [f"{number:05d}{'n' * 3000}" for number in range(2000)]
    document = report_of(
        findings=tuple(finding(name, removed=names) for name in names), sites=tuple(Site(name=name) for name in names)
    )
    found = shortened(document)
    message = message_of(found)
    assert message.ByteSize() <= REPORT_BYTES
    assert message.verdict == pb.Report.WARN
    # Twenty are told one by one, and one tells of the others.
    assert len(message.findings) == 21
    assert message.findings[20].message.startswith("1980 more sites")
    assert message.findings[20].evidence["subjectsCount"] == 1980
    assert message.shortened[0] == "names of more than 512 bytes, or sentences of more than 4096, are cut"
    assert any("2000 findings are told as 21" in each for each in message.shortened)


def test_names_that_are_cut_stay_different_and_whole_characters() -> None:
    first, second = cut_name("é" * 600 + "a"), cut_name("é" * 600 + "b")
    assert first != second
    assert first == cut_name("é" * 600 + "a")
    assert max(len(first.encode()), len(second.encode())) <= 512
    assert cut("é" * 10, 10) == "éé" + "é" + "…"
    assert len(cut("é" * 10, 10).encode()) <= 10


def test_a_long_list_in_evidence_is_capped_with_its_count() -> None:
    evidence = finding("a", removed=[str(number) for number in range(60)]).evidence
    assert (len(evidence["removed"]), evidence["removedCount"]) == (50, 60)


def test_what_is_left_out_of_an_output_is_said() -> None:
    outputs = tuple(Output(name=f"y{number}", shape=(1,), time_profile=(0.5,) * 5000) for number in range(10))
    found = shortened(report_of(outputs=outputs), SMALL)
    assert found["shortened"] == ["histograms and profiles over time are left out"]
    assert [each["name"] for each in found["outputs"]] == [each.name for each in outputs]


def test_lists_lose_their_ends_when_nothing_else_helps() -> None:
    found = shortened(report_of(sites=tuple(Site(name=f"site {number}") for number in range(5000))), SMALL)
    assert message_of(found).ByteSize() <= SMALL
    (said,) = found["shortened"]
    assert said == f"sites: {len(found['sites'])} of 5000 are told"
    assert found["sites"][0]["name"] == "site 0"


def test_progress_with_many_tests_fits_an_event() -> None:
    interval = Interval(estimate=0.5, lower=0.4, upper=0.6)
    tests = tuple(TestProgress("n" * 2000, "keepProb", interval, decided=False) for _ in range(1000))
    document = to_json(Progress(phase=Phase.SAMPLING, total_tests=1000, tests=tests))
    kept, said = shortened_list(document["tests"], "tests", 16 << 10)
    assert json_format.ParseDict({**document, "tests": kept}, pb.Progress()).ByteSize() < 17 << 10
    assert said[-1] == f"tests: {len(kept)} of 1000 are told"


# Whatever Python calls text, lone surrogates included; and numbers that no field of the message holds.
TEXT = st.text(max_size=40) | st.sampled_from(["n" * 5000, "\ud800", "é" * 900, "\x00"])
NUMBERS = st.integers() | st.floats() | st.sampled_from([2**64, -(2**70), 10**400])
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda inner: st.lists(inner, max_size=30) | st.dictionaries(st.text(max_size=20), inner, max_size=8),
    max_leaves=60,
)
FINDINGS = st.builds(
    Finding,
    code=st.sampled_from(sorted(CATALOGUE)),
    slug=st.text(string.ascii_lowercase, max_size=9),
    severity=st.sampled_from(Severity),
    subject=TEXT,
    message=TEXT,
    remedy=TEXT,
    evidence=st.dictionaries(st.text(max_size=20), JSON, max_size=5),
)
COUNTS = st.integers(0, 2**40)
INTERVALS = st.none() | st.builds(Interval, estimate=st.floats(), lower=st.floats(), upper=st.floats())
# Drawn from few, since each has many numbers.
ODD = (float("nan"), float("-inf"), 1e308, 0.1) * 8
CURVE = Trajectory(replicates=(2**40,) * 32, lower=ODD, estimate=ODD, upper=ODD)
OPERATOR = Operator(type="\ud800", name="n" * 5000)
TRAJECTORIES = st.sampled_from([None, CURVE])
SURROUNDINGS = st.sampled_from([None, Surroundings(before=(OPERATOR,) * 3, mask=(OPERATOR,) * 6, readers=2**40)])
EXCERPTS = st.sampled_from([None, Excerpt(columns=2**40, inference=ODD, train=ODD)])
SITES = st.builds(
    Site,
    name=TEXT,
    path=TEXT,
    elements=COUNTS,
    keep_prob=INTERVALS,
    keep_prob_trajectory=TRAJECTORIES,
    surroundings=SURROUNDINGS,
)
OUTPUTS = st.builds(
    Output,
    name=TEXT,
    shape=st.lists(COUNTS, max_size=6).map(tuple),
    scale_factor=INTERVALS,
    time_profile=st.lists(st.floats(), max_size=200).map(tuple),
    histogram=st.none(),
    attributions=st.none(),
    scale_factor_trajectory=TRAJECTORIES,
    excerpt=EXCERPTS,
)
REPORTS = st.builds(
    Report,
    verdict=st.sampled_from(Verdict),
    summary=TEXT,
    findings=st.lists(FINDINGS, max_size=40).map(tuple),
    sites=st.lists(SITES, max_size=40).map(tuple),
    outputs=st.lists(OUTPUTS, max_size=10).map(tuple),
    execution=st.builds(Execution, provider=TEXT, device=TEXT, replicates=COUNTS, seed=COUNTS, inputs=st.just(())),
)


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(report=REPORTS, times=st.sampled_from([1, 50]), most=st.sampled_from([SMALL, REPORT_BYTES]))
def test_any_report_parses_as_the_message_is_under_its_limit_and_readable_by_the_client(
    report: Report, times: int, most: int
) -> None:
    document = to_json(report)
    document["sites"] = document["sites"] * times
    found = shortened(document, most)
    message = pb.Report.FromString(message_of(found).SerializeToString())
    assert message.ByteSize() <= wire_bytes(found) <= most
    assert message.ByteSize() == json_format.ParseDict(shortened(found, most), pb.Report()).ByteSize()
    read = from_json(json_format.MessageToDict(message, always_print_fields_with_no_presence=True))
    assert read.verdict is report.verdict
    if len(read.findings) < len(report.findings) or len(read.sites) < len(document["sites"]):
        assert read.shortened
    assert message_of(brief(found)).ByteSize() < 128 << 10


def test_what_was_shortened_to_just_under_the_limit_stays_as_it_is() -> None:
    """What is said about the shortening takes room that the second time is not asked for again."""
    sites = [to_json(Site(name=f"{number:04}", path="p" * 450)) for number in range(400)]
    for spare in range(0, 600, 50):
        document = to_json(Report(verdict=Verdict.PASS, summary="s" * spare, execution=Execution(provider="cpu")))
        found = shortened({**document, "sites": sites}, SMALL)
        assert shortened(found, SMALL) == found


def test_figures_are_left_out_before_histograms() -> None:
    curve = Trajectory(replicates=(1,) * 32, lower=(0.0,) * 32, estimate=(0.0,) * 32, upper=(0.0,) * 32)
    outputs = tuple(
        Output(name=f"{n}", shape=(), time_profile=(1.0,), scale_factor_trajectory=curve) for n in range(50)
    )
    report = Report(verdict=Verdict.PASS, summary="", outputs=outputs, execution=Execution(provider="cpu"))
    found = shortened(to_json(report), SMALL)
    assert found["shortened"] == ["how intervals narrowed, excerpts and surroundings are left out"]
    assert all("timeProfile" in each and "scaleFactorTrajectory" not in each for each in found["outputs"])


@pytest.mark.parametrize("sites", [0, 1, 3])
def test_the_sites_of_an_inspection_keep_what_they_declare(sites: int) -> None:
    items = [to_json(Site(name=f"s{number}", declared_keep_prob=0.5)) for number in range(sites)]
    assert shortened_list(items, "sites", 1 << 20) == (items, [])
