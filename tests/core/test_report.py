"""Claims about the report: one schema in the API, on the command line and in files."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any, get_args

import msgspec
import pytest
from google.protobuf import json_format
from google.protobuf.descriptor import FieldDescriptor

from dropaudit import ArtifactSubject, Plan, Report, Role, audit
from dropaudit.finding_code import FindingCode
from dropaudit.findings import CATALOGUE, gravest_first, make_finding, verdict_of
from dropaudit.plan import Phase, Progress, Provider, TestProgress
from dropaudit.report import Artifact, Execution, Int64, Interval, Output, Severity, Spread, Verdict, from_json, to_json
from dropaudit_models.seed_case import seed_case
from dropaudit_proto.v1 import audit_pb2 as pb
from support.graphs import dense

PLAN = Plan(provider=Provider.CPU)


def reports() -> list[Report]:
    return [
        audit(seed_case(), PLAN),
        audit(ArtifactSubject(dense("h = Relu(x)  d = Dropout(h, r, t)  y = Neg(d)"), Role.TRAIN), PLAN),
        audit(ArtifactSubject(dense("y = Relu(x)"), Role.INFERENCE), PLAN),
    ]


@pytest.mark.parametrize("report", reports(), ids=["recorded", "artifact", "inference"])
def test_the_json_is_the_proto3_json_form_of_the_message(report: Report) -> None:
    document = json.loads(json.dumps(to_json(report)))
    message = json_format.ParseDict(document, pb.Report())
    assert json_format.MessageToDict(message, always_print_fields_with_no_presence=True) == document


@pytest.mark.parametrize("report", reports(), ids=["recorded", "artifact", "inference"])
def test_a_report_survives_the_way_to_the_wire_and_back(report: Report) -> None:
    message = json_format.ParseDict(to_json(report), pb.Report())
    parsed = pb.Report.FromString(message.SerializeToString())
    assert from_json(json_format.MessageToDict(parsed, always_print_fields_with_no_presence=True)) == report


def test_numbers_of_64_bits_are_text_by_their_type_whatever_evidence_calls_its_own() -> None:
    artifact = to_json(Artifact(sha256="ab", bytes=2**53 + 1))
    assert artifact["bytes"] == "9007199254740993"
    assert to_json(Execution(provider="CPU", device_memory_bytes=7))["deviceMemoryBytes"] == "7"
    evidence: dict[str, Any] = {"bytes": 5, "deviceMemoryBytes": 7, "sizes": [1, 2]}
    found = make_finding(FindingCode.NON_FINITE, "y", message="m", remedy="r", **evidence)
    assert to_json(found)["evidence"] == evidence


def int64_fields(kind: type[msgspec.Struct], message: Any) -> Iterator[tuple[str, bool, bool]]:
    """Yield the fields of a type and of all types in it: whether each is an int64 there, and in the contract."""
    for field in msgspec.structs.fields(kind):
        known = message.fields_by_name[field.name]
        yield field.name, field.type == Int64, known.type == FieldDescriptor.TYPE_INT64
        for each in (field.type, *get_args(field.type)):
            if isinstance(each, type) and issubclass(each, msgspec.Struct):
                yield from int64_fields(each, known.message_type)


def test_every_field_that_is_int64_in_the_contract_is_text() -> None:
    fields = list(int64_fields(Report, pb.Report.DESCRIPTOR))
    assert {name for name, here, _ in fields if here} == {"bytes", "device_memory_bytes"}
    assert [name for name, here, there in fields if here != there] == []


def test_progress_parses_into_the_message_of_its_name() -> None:
    test = TestProgress("site", "keepProb", Interval(estimate=0.5, lower=0.4, upper=0.6), decided=False)
    state = Progress(phase=Phase.SAMPLING, replicates=64, max_replicates=128, total_tests=1, tests=(test,))
    message = json_format.ParseDict(to_json(state), pb.Progress())
    assert message.phase == pb.Progress.SAMPLING
    assert message.tests[0].interval.upper == 0.6


def test_every_code_has_a_slug_and_severity_of_its_own() -> None:
    assert all(code == kind for code, kind in CATALOGUE.items())
    assert len({kind.slug for kind in CATALOGUE.values()}) == len(CATALOGUE)


@pytest.mark.parametrize(
    ("codes", "verdict"),
    [
        ([], Verdict.PASS),
        (["DA403"], Verdict.PASS),
        (["DA102"], Verdict.WARN),
        (["DA901"], Verdict.INCONCLUSIVE),
        (["DA102", "DA901"], Verdict.INCONCLUSIVE),
        (["DA301", "DA901", "DA102"], Verdict.FAIL),
    ],
)
def test_the_gravest_finding_makes_the_verdict(codes: list[str], verdict: Verdict) -> None:
    findings = [make_finding(CATALOGUE[code], "site", message="m", remedy="r") for code in codes]
    assert verdict_of(gravest_first(findings)) is verdict


def test_findings_are_sorted_by_gravity_then_code() -> None:
    findings = [
        make_finding(CATALOGUE[code], "site", message="m", remedy="r") for code in ("DA405", "DA305", "DA301", "DA102")
    ]
    assert [finding.code for finding in gravest_first(findings)] == ["DA301", "DA305", "DA102", "DA405"]


def test_evidence_that_is_not_known_is_left_out() -> None:
    found = make_finding(
        FindingCode.MEAN_SHIFT, "y", message="m", remedy="r", severity=Severity.ERROR, factor=1.0, more=None
    )
    assert found.evidence == {"factor": 1.0}
    assert found.severity is Severity.ERROR


def test_numbers_that_json_has_not_are_words_and_come_back_as_numbers() -> None:
    spread = Spread(min=-math.inf, median=math.nan, max=math.inf)
    output = Output(name="y", shape=(1,), survivor_ratio=spread)
    report = Report(verdict=Verdict.FAIL, summary="s", outputs=(output,), execution=Execution(provider="cpu"))
    document = json.loads(json.dumps(to_json(report), allow_nan=False))
    assert document["outputs"][0]["survivorRatio"] == {"min": "-Infinity", "median": "NaN", "max": "Infinity"}
    (found,) = from_json(document).outputs
    assert found.survivor_ratio is not None
    assert (found.survivor_ratio.min, found.survivor_ratio.max) == (-math.inf, math.inf)
    assert math.isnan(found.survivor_ratio.median)
