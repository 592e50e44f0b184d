"""Claims about what a sequential test says at a look, and how much more of a sample it asks for."""

from __future__ import annotations

import math

import pytest

from dropaudit import ArtifactSubject, Plan, Role, audit
from dropaudit.plan import Provider
from dropaudit.report import Interval, Verdict
from dropaudit.stats.sequential.tests import Equivalence, Outcome, Width
from support.graphs import dense


def bounds(lower: float, estimate: float, upper: float) -> Interval:
    return Interval(estimate=estimate, lower=lower, upper=upper)


@pytest.mark.parametrize(
    ("found", "outcome"),
    [
        (bounds(0.99, 1.0, 1.01), Outcome.INSIDE),
        (bounds(0.98, 1.0, 1.02), Outcome.INSIDE),
        (bounds(0.97, 1.0, 1.01), Outcome.OPEN),
        (bounds(1.01, 1.03, 1.05), Outcome.OPEN),
        (bounds(1.03, 1.04, 1.05), Outcome.OUTSIDE),
        (bounds(0.90, 0.95, 0.97), Outcome.OUTSIDE),
    ],
)
def test_equivalence_decides_once_the_bounds_lie_on_one_side_of_the_margin(found: Interval, outcome: Outcome) -> None:
    assert Equivalence(1.0, 0.02).outcome(found) is outcome


@pytest.mark.parametrize(
    ("found", "times"),
    [
        (bounds(0.96, 1.00, 1.04), 4.0),  # both must halve
        (bounds(0.97, 1.01, 1.02), 4.0),  # 0.04 down must become 0.02
        (bounds(0.99, 1.00, 1.06), 9.0),  # the one that is further out
        (bounds(1.00, 1.04, 1.08), 4.0),  # the target is not refuted yet
        (bounds(1.005, 1.04, 1.075), 49 / 16),  # it is: 0.035 down must become 0.02
        (bounds(0.92, 0.96, 1.00), 4.0),
        (bounds(0.9799, 1.0, 1.02), 1.1),  # never less than a tenth more
    ],
)
def test_what_is_asked_for_would_bring_the_bounds_to_one_side(found: Interval, times: float) -> None:
    """A bound comes in as one over the root of the sample."""
    test = Equivalence(1.0, 0.02)
    assert test.times_as_many(found) == pytest.approx(times)
    shrink = math.sqrt(test.times_as_many(found)) * (1 + 1e-9)
    estimate = found.estimate
    later = bounds(estimate - (estimate - found.lower) / shrink, estimate, estimate + (found.upper - estimate) / shrink)
    assert test.outcome(later) is not Outcome.OPEN


def test_an_estimate_far_off_by_chance_does_not_promise_a_quick_decision() -> None:
    """A keep rate of 0.7 that was estimated as 0.72 +- 0.03 is not decided by a few replicates more."""
    assert Equivalence(0.7, 0.005).times_as_many(bounds(0.69, 0.72, 0.75)) == pytest.approx(36)


def test_no_sample_decides_where_the_target_is_refuted_and_the_estimate_lies_on_the_margin() -> None:
    assert Equivalence(1.0, 0.02).times_as_many(bounds(1.01, 1.02, 1.03)) == math.inf


def test_a_width_is_reached_or_open() -> None:
    assert Width(0.01).outcome(bounds(0.5, 0.504, 0.509)) is Outcome.INSIDE
    assert Width(0.01).outcome(bounds(0.49, 0.5, 0.51)) is Outcome.OPEN
    assert Width(0.01).times_as_many(bounds(0.49, 0.5, 0.51)) == pytest.approx(4.0)


@pytest.mark.parametrize(
    "body", ["y = Dropout(x, r, t)", "n = RandomNormalLike<mean = 1.0, scale = 0.6546537>(x)  y = Mul(x, n)"]
)
def test_advice_for_a_narrow_tolerance_is_more_than_there_was(body: str) -> None:
    """With a tolerance of 0.002 and 2,000 replicates of 128 elements: about eighty times as many would be needed."""
    plan = Plan(provider=Provider.CPU, tolerance=0.002, max_replicates=2000)
    report = audit(ArtifactSubject(dense(body), Role.TRAIN), plan)
    assert report.verdict is Verdict.INCONCLUSIVE
    open_tests = [finding for finding in report.findings if finding.code == "DA901"]
    assert open_tests
    for finding in open_tests:
        assert "about 1.0 times" not in finding.remedy
        assert finding.evidence["factorMore"] > 2
