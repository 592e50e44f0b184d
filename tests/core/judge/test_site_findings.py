"""Claims about the findings of one site, from measurements made by hand; their words are in tests/golden."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from dropaudit.graph.site import GraphSite, Law
from dropaudit.graph.sites.laws import alpha_law
from dropaudit.judge.compensation import Compensation
from dropaudit.judge.measured_site import MeasuredSite
from dropaudit.judge.site_findings import judge_site
from dropaudit.measure.meters.site_meters import SiteMeter
from dropaudit.report import Implementation
from support.made_evidence import MANY, mask_meter, noise_meter, rates_meter, site

Q = 0.8
KEPT = int(Q * MANY)
RATES = (0.5, 0.6, 0.7, 0.8)
NONE, HALF = Compensation(None), Compensation(0.5)


def codes(
    meter: SiteMeter,
    factor: float | None = 1.0,
    of: GraphSite | None = None,
    *,
    follows: bool = False,
    reaching: str = "",
) -> list[str]:
    found = judge_site(MeasuredSite(of or site(), meter, follows), Compensation(factor), (reaching,))
    assert all(finding.subject == "drop" for finding in found)
    return [finding.code for finding in found]


@pytest.mark.parametrize(
    ("factor", "expected"),
    [(1.25, []), (1.0, ["DA301"]), (1.5625, ["DA302"]), (5.0, ["DA202"]), (1.7, ["DA303"]), (0.8, ["DA303"])],
)
def test_the_factor_on_kept_values_names_the_finding(factor: float, expected: list[str]) -> None:
    assert codes(mask_meter(KEPT, (factor,))) == expected


@pytest.mark.parametrize(
    ("factor", "at_inference", "expected"),
    [
        (1.25, 0.8, ["DA302"]),
        (1.25, 1.25, ["DA302"]),
        (1.25, 0.7, ["DA303"]),
        (1.25, None, []),
        (1.0, 0.8, ["DA304"]),
        (1.0, 0.7, ["DA303"]),
        (1.0, None, ["DA301"]),
        (2.5, 2.0, []),
        (2.5, 1.0, ["DA303"]),
    ],
)
def test_inference_is_asked_what_it_does_about_the_scale(
    factor: float, at_inference: float | None, expected: list[str]
) -> None:
    assert codes(mask_meter(KEPT, (factor,)), at_inference) == expected


@pytest.mark.parametrize(
    ("kept", "declared", "expected"),
    [
        (KEPT, 0.8, []),
        (KEPT, 0.5, ["DA201"]),
        (KEPT, 0.2, ["DA202"]),
        (MANY, 0.8, ["DA101"]),
    ],
)
def test_the_kept_rate_is_compared_with_the_callers(kept: int, declared: float, expected: list[str]) -> None:
    assert codes(mask_meter(kept, declared=declared)) == expected


def test_an_open_rate_is_said_to_be_with_and_without_a_declaration() -> None:
    assert codes(mask_meter(80, cells=100, declared=Q)) == ["DA901"]
    assert codes(mask_meter(80, cells=100), of=site(declared=None)) == ["DA901"]


def test_a_rate_that_is_known_and_not_declared_is_no_finding() -> None:
    assert codes(mask_meter(KEPT), of=site(declared=None)) == []


@pytest.mark.parametrize(
    ("cells", "factor", "inert"),
    [(1000, 1.25, True), (999, 1.25, False), (1000, 1.0, False), (1000, 1 + 9e-7, False), (1000, 1 + 1.1e-6, True)],
)
def test_a_thousand_cells_that_are_all_kept_and_scaled_are_inert(cells: int, factor: float, inert: bool) -> None:
    found = codes(mask_meter(cells, (factor,), cells=cells), of=site(declared=None))
    assert (found == ["DA101"]) is inert


def test_a_site_with_a_declared_rate_that_keeps_all_is_inert_by_its_rate() -> None:
    (finding,) = judge_site(MeasuredSite(site(), mask_meter(MANY, (1.25,), declared=Q)), Compensation())
    assert finding.evidence == {"declaredKeepProb": Q, "cells": MANY}


def test_one_cell_that_is_dropped_makes_a_mask_that_is_not_inert() -> None:
    assert "DA101" not in codes(mask_meter(MANY - 1, (1.25,)))


def test_no_finite_scale_is_expected_of_a_site_that_declares_to_keep_nothing() -> None:
    (found,) = judge_site(MeasuredSite(site(declared=0.0), mask_meter(0, (3.0,))), Compensation())
    assert (found.code, found.evidence["expected"]) == ("DA303", float("inf"))


def test_a_site_that_saw_zeros_alone_is_not_judged() -> None:
    assert codes(mask_meter(0, (), cells=0)) == ["DA901"]
    assert codes(mask_meter(KEPT, ())) == ["DA901"]


def test_a_factor_that_varies_is_undecided() -> None:
    assert codes(mask_meter(KEPT, (1.0, 2.0))) == ["DA901"]


@pytest.mark.parametrize(
    "of", [site(other="h"), site(uneven=True), site(maker="noise")], ids=["other", "uneven", "noise"]
)
def test_of_sites_whose_factor_says_nothing_the_rate_alone_is_judged(of: GraphSite) -> None:
    assert codes(mask_meter(KEPT, (1.7,)), of=of, reaching="noise") == []
    assert codes(mask_meter(KEPT, (1.7,), declared=0.5), of=of, reaching="noise") == ["DA201"]


def test_of_a_site_whose_mask_another_decides_the_scale_alone_is_judged() -> None:
    assert codes(mask_meter(MANY, (1.25,), declared=0.5), of=site(), follows=True) == []
    assert codes(mask_meter(MANY, (1.25,)), of=site(), follows=True) == []
    assert codes(mask_meter(MANY, (1.7,)), of=site(), follows=True) == ["DA303"]


RIGHT = alpha_law(Q)


@pytest.mark.parametrize(
    ("law", "factor", "expected"),
    [
        (RIGHT, RIGHT.slope, []),
        (Law(RIGHT.slope, 0.5, RIGHT.dropped), RIGHT.slope, ["DA303"]),
        (Law(RIGHT.slope, RIGHT.shift, -1.0), RIGHT.slope, ["DA303"]),
        (RIGHT, 1.25, ["DA303"]),
    ],
    ids=["right", "shift", "dropped", "slope"],
)
def test_alpha_dropout_has_a_slope_a_shift_and_a_value_for_what_is_dropped(
    law: Law, factor: float, expected: list[str]
) -> None:
    found = judge_site(MeasuredSite(site(law=law), mask_meter(KEPT, (factor,), law=law)), Compensation())
    assert [finding.code for finding in found] == expected
    assert all(finding.evidence["expected"] == pytest.approx(RIGHT.slope) for finding in found)
    assert all(f"a = {RIGHT.slope:.6g} at keep probability" in finding.message for finding in found)


def test_the_law_of_alpha_dropout_tells_a_keep_probability_that_the_measured_rate_only_surrounds() -> None:
    """The share that was seen is one thousandth off, as may be where no rate can be read off the graph."""
    right, wrong = alpha_law(Q + 0.001), alpha_law(Q + 0.05)
    for law, expected in ((right, []), (wrong, ["DA303"]), (replace(right, shift=right.shift + 0.01), ["DA303"])):
        of = site(declared=None, law=law)
        found = judge_site(MeasuredSite(of, mask_meter(KEPT, (law.slope,), law=law)), Compensation())
        assert [finding.code for finding in found] == expected


BY_STANDARD = site(declared=0.2, implementation=Implementation.BERNOULLI)


@pytest.mark.parametrize(
    ("factor", "declared", "expected"),
    [
        (1.25, None, ["DA408"]),
        (5.0, None, ["DA408", "DA202"]),
        (1.0, None, ["DA408", "DA301"]),
        (1.25, 0.8, ["DA408"]),
        (5.0, 0.8, ["DA408", "DA202"]),
    ],
    ids=["as run", "as written", "unscaled", "as run, declared", "as written, declared"],
)
def test_bernoulli_is_judged_as_it_runs(factor: float, declared: float | None, expected: list[str]) -> None:
    assert codes(mask_meter(KEPT, (factor,), declared=declared), of=BY_STANDARD) == expected


def test_bernoulli_that_may_keep_what_it_says_is_like_any_other_mask() -> None:
    half = site(declared=0.5, implementation=Implementation.BERNOULLI)
    assert codes(mask_meter(MANY // 2, (2.0,)), of=half) == []
    assert codes(mask_meter(KEPT), of=site(declared=None, implementation=Implementation.BERNOULLI)) == []


@pytest.mark.parametrize(
    ("mean", "declared", "factor", "expected"),
    [
        (1.0, None, 1.0, []),
        (1.0, 0.8, 1.0, []),
        (1.0, 0.8, None, []),
        (0.8, None, 1.0, ["DA303"]),
        (1.0, None, 0.5, ["DA303"]),
        (1.0, 0.5, 1.0, ["DA201"]),
        (0.8, 0.5, 0.5, ["DA303", "DA303", "DA201"]),
    ],
)
def test_gaussian_dropout_has_mean_1_and_a_spread_that_says_how_much_is_dropped(
    mean: float, declared: float | None, factor: float | None, expected: list[str]
) -> None:
    """At q = .8 the variance is p/q = .25."""
    assert codes(noise_meter(mean, 0.5, declared=declared), factor) == expected


def test_noise_of_few_cells_is_undecided_and_of_fewer_not_judged() -> None:
    assert codes(noise_meter(1.0, 0.5, values=1000)) == ["DA901"]
    assert codes(noise_meter(1.0, 0.5, values=10)) == []


@pytest.mark.parametrize(
    ("scale", "power", "factor", "expected"),
    [
        (1.0, -1.0, 1.0, []),
        (1.0, -1.0, None, []),
        (1.0, -1.0, 0.5, ["DA303"]),
        (1.0, 0.0, 1.0, ["DA301"]),
        (1.0, -2.0, 1.0, ["DA302"]),
        (1.1, -1.0, 1.0, ["DA303"]),
    ],
)
def test_rates_by_feature_are_scaled_by_their_own(
    scale: float, power: float, factor: float | None, expected: list[str]
) -> None:
    assert codes(rates_meter(RATES, scale, power), factor) == expected
