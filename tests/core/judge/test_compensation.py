"""Claims about the factor between two modes, from arrays whose factor is known."""

from __future__ import annotations

import numpy as np
import pytest

from dropaudit.graph.facts.weight_comparison import WeightComparison
from dropaudit.graph.site import GraphSite
from dropaudit.judge.compensation import (
    Compensation,
    branch_compensation,
    compensations,
    output_factor,
)
from dropaudit.measure.cases.reference import Reference
from dropaudit.measure.finding.pair_factors import PairStudy
from dropaudit.report import Implementation, Placement
from dropaudit.subjects import Array

X = np.array([[1.0, -2.0], [3.0, 0.5]], dtype=np.float32)
SITE = GraphSite("drop", (), Implementation.DROPOUT_OP, Placement.UNKNOWN, 0.5, "x", "y")
OTHER = GraphSite("other", (), Implementation.DROPOUT_OP, Placement.UNKNOWN, 0.5, "h", "z")


def reference(outputs: dict[str, Array], derived: dict[str, Array]) -> Reference:
    return Reference(outputs, derived, frozenset(), {}, (), ())


def weights(*factors: float) -> WeightComparison:
    return WeightComparison(1, (), (), factors)


@pytest.mark.parametrize("factor", [0.3, 0.999, 1.0, 4.0])
def test_outputs_that_differ_by_a_factor_have_it(factor: float) -> None:
    assert output_factor(X * np.float32(factor), X) == pytest.approx(factor, rel=1e-6)


def test_one_array_has_the_factor_1_if_it_is_finite() -> None:
    broken = np.array([1.0, np.inf])
    assert output_factor(X, X) == 1.0
    assert output_factor(broken, broken) is None


@pytest.mark.parametrize(
    ("inference", "derived"),
    [
        (-X, X),
        (X + 1, X),
        (np.array([np.nan, 1.0]), np.array([1.0, 1.0])),
        (np.array([1.0, 1.0]), np.array([np.inf, 1.0])),
        (np.array([1.0]), np.array([0.0])),
    ],
    ids=["negative", "moved", "not a number", "infinite", "of zero"],
)
def test_outputs_that_differ_otherwise_have_no_factor(inference: Array, derived: Array) -> None:
    assert output_factor(inference, derived) is None


def test_zeros_are_equal_to_zeros() -> None:
    assert output_factor(np.zeros(3), np.zeros((3,))) == 1.0


def test_a_thousandth_of_noise_is_a_factor_still_and_a_hundredth_is_none() -> None:
    noise = np.random.default_rng(0).standard_normal(1000)
    x = np.random.default_rng(1).standard_normal(1000)
    assert output_factor(2 * (x + 2e-4 * noise), x) == pytest.approx(2, rel=1e-3)
    assert output_factor(2 * (x + 1e-2 * noise), x) is None
    assert output_factor(x + 8e-4 * noise, x) == pytest.approx(1, rel=1e-3)
    assert output_factor(x + 1.5e-3 * noise, x) is None


def test_a_factor_is_near_within_a_thousandth_of_it() -> None:
    assert Compensation(0.5004).is_near(0.5)
    assert not Compensation(0.5006).is_near(0.5)
    assert not Compensation(0.4994).is_near(0.5)
    assert not Compensation(None).is_near(1.0)
    assert Compensation().is_near(1.0)


def test_of_several_outputs_the_one_farthest_from_1_tells_the_factor() -> None:
    found = branch_compensation(reference({"a": X, "b": X * 0.25, "c": X * 2}, {"a": X, "b": X, "c": X}))
    assert found.factor == pytest.approx(0.25)


def test_one_output_without_a_factor_leaves_none() -> None:
    assert branch_compensation(reference({"a": X, "b": X + 1}, {"a": X, "b": X})).factor is None


def test_without_outputs_nothing_is_compensated() -> None:
    assert branch_compensation(reference({}, {})).factor == 1.0


def test_a_pair_has_a_factor_for_each_site_and_1_for_those_that_have_none() -> None:
    same = reference({"a": X}, {"a": X})
    pair = PairStudy(weights(), {SITE: 0.5})
    assert compensations(pair, same).of(SITE).factor == 0.5
    assert compensations(pair, same).of(OTHER).factor == 1.0
    assert compensations(PairStudy(weights(), None), same).of(SITE).factor is None
    assert compensations(None, reference({"a": X * 2}, {"a": X})).of(SITE).factor == pytest.approx(2)


def test_factors_explain_all_unless_something_else_differs() -> None:
    same, other = reference({"a": X * 2}, {"a": X}), reference({"a": X + 1}, {"a": X})
    assert compensations(None, same).explain_all
    assert compensations(PairStudy(weights(), {}), other).explain_all
    assert not compensations(None, other).explain_all
    assert not compensations(PairStudy(weights(), None), same).explain_all
