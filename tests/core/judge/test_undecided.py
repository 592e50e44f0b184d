"""Claims about the advice for a test that is open, from tests whose remaining samples are known."""

from __future__ import annotations

import pytest

from dropaudit.judge.undecided import undecided
from dropaudit.report import Interval, Severity
from dropaudit.stats.sequential.tests import Equivalence, Width


def around(estimate: float, way: float) -> Interval:
    return Interval(estimate=estimate, lower=estimate - way, upper=estimate + way)


def test_an_interval_three_times_as_wide_as_the_margin_needs_nine_times_as_many() -> None:
    found = undecided("drop", "keep rate", around(0.5, 0.03), Equivalence(0.5, 0.01))
    assert (found.code, found.subject, found.severity) == ("DA901", "drop", Severity.INFO)
    assert found.message == "The keep rate 0.5 [0.47, 0.53] is undecided at the replicate limit."
    assert found.remedy in (
        "Allow about 9.0 times as many replicates, or audit a larger input.",
        "Allow about 9.1 times as many replicates, or audit a larger input.",
    )
    assert found.evidence["factorMore"] == pytest.approx(9)
    assert (found.evidence["estimate"], found.evidence["lower"], found.evidence["upper"]) == (0.5, 0.47, 0.53)


def test_the_advice_is_rounded_up() -> None:
    found = undecided("y", "scale factor", around(1.0, 0.03), Width(0.0375))
    # (0.06 / 0.0375)^2 = 2.56
    assert found.remedy == "Allow about 2.6 times as many replicates, or audit a larger input."


def test_where_a_million_times_as_many_would_not_do_the_tolerance_must_give_way() -> None:
    found = undecided("y", "scale factor", around(1.0, 0.5), Width(0.0009))
    assert found.remedy == "Widen the tolerance, or audit a larger input."
    assert found.evidence["factorMore"] == pytest.approx((1 / 0.0009) ** 2)
    nearly = undecided("y", "scale factor", around(1.0, 0.5), Width(0.0011))
    assert nearly.remedy.startswith("Allow about ")


def test_what_no_sample_decides_has_no_number_of_replicates() -> None:
    at_the_edge = Interval(estimate=1.01, lower=1.005, upper=1.02)
    found = undecided("y", "scale factor", at_the_edge, Equivalence(1.0, 0.01))
    assert "factorMore" not in found.evidence
    assert found.remedy == "Widen the tolerance, or audit a larger input."
