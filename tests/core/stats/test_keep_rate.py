"""Claims about the confidence sequence for a keep probability."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import binomtest

from dropaudit.stats.keep_rate import keep_rate_interval


def test_no_cells_refute_nothing() -> None:
    found = keep_rate_interval(0, 0, 0.01)
    assert (found.lower, found.upper) == (0.0, 1.0)


def test_the_edges_solve_the_defining_equation() -> None:
    from scipy.special import betaln

    kept, cells, alpha = 23, 50, 1e-3
    found = keep_rate_interval(kept, cells, alpha)
    for edge in (found.lower, found.upper):
        log_ratio = betaln(0.5 + kept, 0.5 + cells - kept) - betaln(0.5, 0.5)
        log_ratio -= kept * np.log(edge) + (cells - kept) * np.log1p(-edge)
        assert log_ratio == pytest.approx(np.log(1 / alpha), rel=1e-9)


def test_kept_and_dropped_are_mirror_images() -> None:
    kept, dropped = keep_rate_interval(30, 100, 0.01), keep_rate_interval(70, 100, 0.01)
    assert kept.lower == pytest.approx(1 - dropped.upper, abs=1e-12)
    assert kept.upper == pytest.approx(1 - dropped.lower, abs=1e-12)


def test_all_kept_leaves_one_possible() -> None:
    found = keep_rate_interval(1000, 1000, 0.01)
    assert found.upper == 1.0
    assert 0.97 < found.lower < 1.0


def test_the_edges_solve_the_equation_of_both_halves_where_a_probability_is_expected() -> None:
    from scipy.special import betaln

    kept, cells, alpha, expected, weight = 8_030, 10_000, 1e-3, 0.8, 10_000
    found = keep_rate_interval(kept, cells, alpha, expected)

    def mixture(a: float, b: float) -> float:
        return float(betaln(a + kept, b + cells - kept) - betaln(a, b))

    wide, near = mixture(0.5, 0.5), mixture(weight * expected, weight * (1 - expected))
    evidence = np.logaddexp(wide, near) - np.log(2)
    for edge in (found.lower, found.upper):
        likelihood = kept * np.log(edge) + (cells - kept) * np.log1p(-edge)
        assert evidence - likelihood == pytest.approx(np.log(1 / alpha), rel=1e-6)


def test_what_is_expected_and_comes_is_known_more_narrowly() -> None:
    plain, told = (keep_rate_interval(24_000, 30_000, 1e-3, expected) for expected in (None, 0.8))
    assert told.upper - told.lower < 0.9 * (plain.upper - plain.lower)


def test_what_is_expected_and_does_not_come_is_refuted_all_the_same() -> None:
    """A mixture of halves costs no more than the logarithm of two."""
    found = keep_rate_interval(3_000, 10_000, 1e-3, 0.8)
    plain = keep_rate_interval(3_000, 10_000, 0.5e-3)
    assert found.upper < 0.35
    assert plain.lower <= found.lower <= found.upper <= plain.upper


@pytest.mark.parametrize("expected", [0.0, 1.0])
def test_an_expectation_of_all_or_nothing_is_none(expected: float) -> None:
    assert keep_rate_interval(30, 100, 0.01, expected) == keep_rate_interval(30, 100, 0.01)


@pytest.mark.parametrize(("kept", "cells", "alpha"), [(-1, 5, 0.1), (6, 5, 0.1), (1, 5, 0.0), (1, 5, 1.0)])
def test_impossible_counts_are_refused(kept: int, cells: int, alpha: float) -> None:
    with pytest.raises(ValueError, match="need 0 <= kept <= cells"):
        keep_rate_interval(kept, cells, alpha)


@pytest.mark.parametrize("expected", [None, "true", "wrong"])
@pytest.mark.parametrize("keep_prob", [0.02, 0.5, 0.95])
def test_watched_all_along_it_misses_no_more_often_than_alpha(keep_prob: float, expected: str | None) -> None:
    """Whatever was expected: a mixture that is fixed beforehand covers, right or wrong."""
    told = {None: None, "true": keep_prob, "wrong": (keep_prob + 0.3) % 1}[expected]
    alpha, streams = 0.1, 400
    rng = np.random.default_rng(7)
    misses = 0
    looks = np.unique(np.geomspace(1, 2000, 40).astype(int))
    for _ in range(streams):
        kept = np.cumsum(rng.random(2000) < keep_prob)
        intervals = (keep_rate_interval(int(kept[n - 1]), int(n), alpha, told) for n in looks)
        misses += any(not found.lower <= keep_prob <= found.upper for found in intervals)
    assert binomtest(misses, streams, alpha, alternative="greater").pvalue > 1e-3


@pytest.mark.parametrize("cells", [1, 10, 1000])
def test_where_nothing_was_kept_the_upper_end_has_a_closed_form(cells: int) -> None:
    """n log(1 - q) = log B(1/2, n + 1/2) - log B(1/2, 1/2) + log alpha."""
    alpha = 1e-3
    evidence = math.lgamma(0.5) + math.lgamma(cells + 0.5) - math.lgamma(cells + 1) - math.log(math.pi)
    found = keep_rate_interval(0, cells, alpha)
    assert (found.lower, found.estimate) == (0.0, 0.0)
    assert found.upper == pytest.approx(min(1.0, 1 - math.exp((evidence + math.log(alpha)) / cells)), rel=1e-9)
    assert keep_rate_interval(cells, cells, alpha).lower == pytest.approx(1 - found.upper, rel=1e-9)
