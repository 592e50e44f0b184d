"""Claims about the mean of outputs in train mode, from meters that have seen known factors."""

from __future__ import annotations

import pytest

from dropaudit.judge.output_findings import judge_outputs
from dropaudit.measure.meters.output_meter import OutputMeter
from dropaudit.measure.sampling.sequential_loop import Meters
from dropaudit.plan import Plan
from dropaudit.report import Attribution, Finding, Severity
from support.made_evidence import output_meter

# Scale factors that are twice as likely to be decided: 1.3 on average, or 1 with a wide and with a narrow spread.
MOVED, WIDE, NARROW = (1.2, 1.4), (0.0, 2.0), (0.99, 1.01)


def judged(
    meter: OutputMeter,
    *,
    linear: bool = True,
    tested: bool = True,
    noted: bool = False,
    gaps: dict[str, float] | None = None,
) -> list[Finding]:
    meters = Meters([], [(meter, meter.name)], frozenset({"y"} if tested else ()), frozenset({"y"} if noted else ()))
    causes = tuple(
        Attribution(site=name, mean_gap_alone=gap, mean_gap_without=0.0, variance_alone=0.0, variance_without=0.0)
        for name, gap in (gaps or {}).items()
    )
    return judge_outputs(meters, {"y": linear}, {"y": causes} if causes else {}, Plan())


def codes(findings: list[Finding]) -> list[str]:
    return [finding.code for finding in findings]


def test_a_mean_that_stays_is_no_finding() -> None:
    assert judged(output_meter(NARROW)) == []


@pytest.mark.parametrize(("linear", "severity"), [(True, Severity.ERROR), (False, Severity.INFO)])
def test_a_mean_that_moves_is_a_fault_behind_linear_operators_alone(linear: bool, severity: Severity) -> None:
    (found,) = judged(output_meter(MOVED), linear=linear)
    assert (found.code, found.subject, found.severity) == ("DA305", "y", severity)
    assert found.evidence["estimate"] == pytest.approx(1.3)
    assert found.evidence["lower"] < 1.3 < found.evidence["upper"]
    assert (found.evidence["tolerance"], found.evidence["linear"]) == (0.02, linear)
    assert "site" not in found.evidence
    assert found.message.endswith("between the sites and this output.")


def test_the_site_that_moves_the_mean_most_either_way_is_named() -> None:
    (found,) = judged(output_meter(MOVED), gaps={"a": 0.1, "b": -0.4, "c": 0.3})
    assert found.evidence["site"] == "b"
    assert found.message.endswith(" Site 'b' alone moves it by -0.4, the most of 3.")


def test_an_open_test_is_undecided_where_the_verdict_waits_for_it() -> None:
    assert codes(judged(output_meter(WIDE))) == ["DA901"]
    assert judged(output_meter(WIDE), tested=False, noted=True) == []


def test_an_output_that_is_noted_is_judged_as_far_as_it_is_known() -> None:
    assert codes(judged(output_meter(MOVED), tested=False, noted=True)) == ["DA305"]
    assert judged(output_meter(MOVED), tested=False) == []


def test_too_few_replicates_are_said_of_what_is_tested() -> None:
    (found,) = judged(output_meter(MOVED, runs=63))
    assert found.code == "DA901"
    assert "65536 replicates are too few to estimate it" in found.message
    assert judged(output_meter(MOVED, runs=63), tested=False, noted=True) == []


def test_an_output_whose_reference_is_zero_is_undecided_once_it_moves() -> None:
    meter = OutputMeter("y", output_meter(MOVED).weights.reshape(1, 2) * 0, 0.02, 1e-3)
    assert judged(meter) == []
    meter.read(output_meter(MOVED).weights.reshape(1, 1, 2), pictured=1)()
    (found,) = judged(meter)
    assert "its inference-mode values are zero, or no larger than what rounding leaves" in found.message
    assert found.remedy == "Audit with inputs for which the output is not zero."


def test_values_that_are_not_finite_are_all_that_is_said_of_an_output() -> None:
    (found,) = judged(output_meter((1.0, float("nan"))), tested=False)
    assert (found.code, found.subject, found.evidence["mode"]) == ("DA501", "y", "train")
    assert codes(judged(output_meter((1.0, float("nan"))))) == ["DA501"]
