"""Claims about findings of outputs, from outputs that are made to differ by known amounts."""

from __future__ import annotations

import numpy as np
import pytest

from dropaudit.graph.draws.random_operators import RandomOperator
from dropaudit.graph.facts.weight_comparison import WeightComparison
from dropaudit.judge.compensation import compensations
from dropaudit.judge.non_finite import non_finite
from dropaudit.judge.output_findings import (
    judge_batch_statistics,
    judge_pair,
    judge_providers,
    unmeasured_output,
)
from dropaudit.measure.cases.reference import Reference
from dropaudit.measure.finding.pair_factors import PairStudy
from dropaudit.plan import Provider
from dropaudit.report import Finding, Severity
from dropaudit.subjects import Array

X = np.array([[3.0, -4.0]], dtype=np.float32)
ONE_MORE = np.array([[3.0, -4.5]], dtype=np.float32)
EQUAL = WeightComparison(5, (), (), ())
DIFFERENT = WeightComparison(3, ("a", "b"), (), ())


def reference(
    outputs: dict[str, Array],
    derived: dict[str, Array],
    gaps: dict[str, float] | None = None,
    other: tuple[RandomOperator, ...] = (),
) -> Reference:
    return Reference(outputs, derived, frozenset(), gaps or {}, other, ())


def judged(modes: Reference, pair: PairStudy | None) -> list[Finding]:
    return judge_pair(modes, pair, alike=compensations(pair, modes).explain_all)


def told(findings: list[Finding]) -> list[tuple[str, str]]:
    return [(finding.code, finding.subject) for finding in findings]


def test_providers_may_differ_by_a_thousandth_of_the_largest_value_and_not_by_two() -> None:
    here = {"y": X, "z": X}
    assert judge_providers(here, {"y": X + 3e-3, "z": X}, Provider.CUDA) == []
    assert told(judge_providers(here, {"y": X + 9e-3, "z": X}, Provider.CUDA)) == [("DA503", "y")]


def test_a_provider_is_named_with_the_distance() -> None:
    (found,) = judge_providers({"y": X}, {"y": X + np.array([[0.0, 1.0]], dtype=np.float32)}, Provider.CUDA)
    assert found.severity is Severity.ERROR
    assert found.message.startswith("Inference on cuda differs by 0.2 of the output's norm; expected at most 0.001 of ")
    assert found.evidence["provider"] == "cuda"
    assert found.evidence["distance"] == pytest.approx(0.2)


def test_without_another_provider_or_with_another_shape_there_is_nothing_to_compare() -> None:
    assert judge_providers({"y": X}, None, Provider.CUDA) == []
    assert judge_providers({"y": X}, {"y": X + 1}, None) == []
    assert judge_providers({"y": X}, {"y": (X + 1)[0]}, Provider.CUDA) == []
    assert judge_providers({"y": X}, {}, Provider.CUDA) == []


def test_batch_statistics_are_told_by_output_and_by_node() -> None:
    found = judge_batch_statistics(reference({}, {}, {"y": 0.125}), ("norm",))
    assert told(found) == [("DA502", "y"), ("DA502", "norm")]
    assert [each.severity for each in found] == [Severity.WARNING] * 2
    assert found[0].evidence == {"distance": 0.125}
    assert "by 0.125 of its norm" in found[0].message
    assert found[1].evidence == {}


def test_modes_that_differ_by_a_factor_are_left_to_the_sites() -> None:
    assert judged(reference({"y": X * 0.5}, {"y": X}), None) == []


def test_modes_that_differ_otherwise_are_a_gap() -> None:
    (found,) = judged(reference({"y": ONE_MORE, "z": X}, {"y": X, "z": X}), None)
    assert (found.code, found.subject) == ("DA502", "y")
    assert found.evidence["distance"] == pytest.approx(0.5 / np.sqrt(3**2 + 4.5**2))


def test_a_gap_that_batch_statistics_explain_is_none() -> None:
    assert judged(reference({"y": ONE_MORE}, {"y": X}, {"y": 0.1}), None) == []


def test_outputs_that_other_randomness_reaches_or_that_are_not_finite_are_left_out() -> None:
    noise = RandomOperator("noise", "RandomNormal", frozenset({"y"}))
    broken = np.array([[np.inf, 1.0]], dtype=np.float32)
    outputs, derived = {"y": ONE_MORE, "z": broken}, {"y": X, "z": X}
    assert judged(reference(outputs, derived, other=(noise,)), None) == []


def test_a_pair_without_factors_is_a_gap_or_other_weights() -> None:
    modes = reference({"y": ONE_MORE}, {"y": X})
    assert told(judged(modes, PairStudy(EQUAL, None))) == [("DA502", "y")]
    (found,) = judged(modes, PairStudy(DIFFERENT, None))
    assert (found.code, found.evidence["differentWeights"], found.evidence["matchedWeights"]) == (
        "DA504",
        ["a", "b"],
        3,
    )
    assert found.message.startswith("2 weights of the train artifact have other numbers in the inference artifact, 3 ")
    scaled = WeightComparison(3, (), (), (0.5, 0.25))
    (other,) = judged(modes, PairStudy(scaled, None))
    assert other.code == "DA504"
    assert other.message.startswith("Weights of the train artifact are multiplied by 0.5, 0.25 in the inference")
    both = judged(modes, PairStudy(WeightComparison(3, ("a",), (), (0.5,)), None))[0].message
    assert "others are multiplied by 0.5, 3 are the same" in both


def test_other_weights_are_told_of_the_worst_output_though_the_outputs_hardly_differ() -> None:
    modes = reference({"y": X * (1 + 1e-6), "z": X * (1 + 1e-4)}, {"y": X, "z": X})
    assert judged(modes, PairStudy(EQUAL, {}, 1e-4)) == []
    assert judged(modes, PairStudy(DIFFERENT, {}, 1e-5)) == []
    assert told(judged(modes, PairStudy(DIFFERENT, {}, 3e-5))) == [("DA504", "z")]
    renamed = WeightComparison(3, ("a",), ("a",), ())
    assert told(judged(modes, PairStudy(renamed, {}, 0.0))) == [("DA504", "z")]


def test_a_pair_without_an_output_in_common_has_none_to_tell_other_weights_of() -> None:
    assert judged(reference({}, {}), PairStudy(DIFFERENT, {}, 1.0)) == []


def test_at_most_eight_weights_are_listed() -> None:
    many = WeightComparison(0, tuple("abcdefghij"), (), ())
    (found,) = judged(reference({"y": ONE_MORE}, {"y": X}), PairStudy(many, None))
    assert found.evidence["differentWeights"] == list("abcdefgh")
    assert found.message.startswith("10 weights")


def test_an_output_that_cannot_be_compared_is_undecided_with_the_reason() -> None:
    found = unmeasured_output("y", "it has no elements")
    assert (found.code, found.subject) == ("DA901", "y")
    assert found.message == "The scale factor of this output was not measured: it has no elements."


def test_values_that_are_not_finite_are_counted_by_mode() -> None:
    found = non_finite("y", "train", 3)
    assert (found.code, found.severity) == ("DA501", Severity.ERROR)
    assert found.message == "3 values of the train output are NaN or infinite; all should be finite."
    assert found.evidence == {"mode": "train", "nonFinite": 3}
