"""Claims about numbers that moved: seldom a false one, and the real ones soon."""

from __future__ import annotations

import math
from itertools import pairwise

import msgspec
import numpy as np
import pytest

from dropaudit import ArtifactSubject, Plan, Role, audit
from dropaudit.changes.movement import (
    Quantity,
    are_disjoint,
    movements,
    widened_mean,
    widened_noise_rate,
    widened_rate,
    widening,
)
from dropaudit.measure.meters.intervals import keep_interval
from dropaudit.plan import Provider
from dropaudit.report import Family, Interval, Report, Scale
from dropaudit.stats.keep_rate import keep_rate_interval
from dropaudit.stats.mean import mean_interval
from support.graphs import dense
from support.reports import report_with

LOOKS = (64, 128, 256, 512, 1024, 2048)
ALPHA = 0.1
PAIRS = 400


def rate_at_its_worst(rng: np.random.Generator, rate: float, alpha: float) -> Interval:
    """Return the interval, of all looks at one stream of cells, whose nearer end lies nearest to the true rate."""
    kept = np.cumsum(rng.random(LOOKS[-1] * 8) < rate)
    found = [keep_interval(int(kept[8 * look - 1]), 8 * look, alpha) for look in LOOKS]
    return min(found, key=lambda each: min(rate - each.lower, each.upper - rate))


def mean_at_its_worst(rng: np.random.Generator, alpha: float) -> Interval:
    values = rng.normal(1.0, 0.2, LOOKS[-1])
    found = []
    for look in LOOKS:
        each = mean_interval(look, float(values[:look].mean()), float(values[:look].std()), alpha)
        found.append(Interval(estimate=each.estimate, lower=each.lower, upper=each.upper))
    return min(found, key=lambda each: min(1 - each.lower, each.upper - 1))


def most_by_chance(trials: int, chance: float) -> float:
    """Return what a share of this chance stays below but in one of ten thousand experiments."""
    return chance + 3.7 * math.sqrt(chance * (1 - chance) / trials)


@pytest.mark.parametrize("rate", [0.5, 0.9, 0.98])
def test_unmoved_rates_seldom_seem_to_have_moved_whenever_the_audits_stop(rate: float) -> None:
    rng = np.random.default_rng(7)
    factor = widening(1, ALPHA)
    worst = [widened_rate(rate_at_its_worst(rng, rate, ALPHA), factor) for _ in range(PAIRS)]
    missed = sum(each.excludes(rate) for each in worst) / len(worst)
    false = sum(are_disjoint(one, other) for one, other in pairwise(worst)) / (len(worst) - 1)
    assert missed <= most_by_chance(PAIRS, ALPHA / 2)
    assert false <= most_by_chance(PAIRS, ALPHA)


def test_unmoved_means_seldom_seem_to_have_moved_whenever_the_audits_stop() -> None:
    rng = np.random.default_rng(8)
    factor = widening(1, ALPHA)
    worst = [widened_mean(mean_at_its_worst(rng, ALPHA), factor) for _ in range(PAIRS)]
    missed = sum(each.excludes(1.0) for each in worst) / len(worst)
    false = sum(are_disjoint(one, other) for one, other in pairwise(worst)) / (len(worst) - 1)
    assert missed <= most_by_chance(PAIRS, ALPHA / 2)
    assert false <= most_by_chance(PAIRS, ALPHA)


@pytest.mark.parametrize(("kept", "cells"), [(512, 1024), (950, 1000), (64, 64), (3, 4000), (0, 50)])
@pytest.mark.parametrize("comparisons", [1, 200])
def test_a_widened_rate_holds_the_interval_of_the_level_that_its_comparisons_need(
    kept: int, cells: int, comparisons: int
) -> None:
    wide = widened_rate(keep_interval(kept, cells, 1e-3), widening(comparisons, 1e-3))
    exact = keep_rate_interval(kept, cells, 1e-3 / (2 * comparisons))
    assert wide.lower <= exact.lower
    assert exact.upper <= wide.upper


@pytest.mark.parametrize("comparisons", [1, 200])
def test_a_widened_mean_holds_the_interval_of_the_level_that_its_comparisons_need(comparisons: int) -> None:
    given = mean_interval(1000, 1.0, 0.3, 1e-3)
    wide = widened_mean(
        Interval(estimate=given.estimate, lower=given.lower, upper=given.upper), widening(comparisons, 1e-3)
    )
    exact = mean_interval(1000, 1.0, 0.3, 1e-3 / (2 * comparisons))
    assert wide.lower <= exact.lower
    assert exact.upper <= wide.upper


def test_intervals_are_widened_by_a_few_percent_for_one_pair_and_a_third_for_hundreds() -> None:
    assert widening(1, 1e-3) == pytest.approx(math.sqrt(1 + math.log(2) / math.log(1000)))
    assert 1.04 < widening(1, 1e-3) < 1.06
    assert 1.3 < widening(200, 1e-3) < 1.4


@pytest.mark.parametrize(("comparisons", "alpha"), [(0, 1e-3), (1, 0.0), (1, 0.6)])
def test_senseless_levels_are_refused(comparisons: int, alpha: float) -> None:
    with pytest.raises(ValueError, match="need comparisons"):
        widening(comparisons, alpha)


def audited(ratio: str, seed: int) -> Report:
    model = dense(f"y = Dropout(x, {ratio}, t)", columns=64, extra=", float half = {0.5}")
    return audit(ArtifactSubject(model, Role.TRAIN), Plan(provider=Provider.CPU, seed=seed))


def test_audits_of_one_model_with_other_seeds_moved_nowhere_and_another_rate_shows() -> None:
    first, *others = (audited("r", seed) for seed in range(6))
    assert [movements(first, other, {}, widening(1)) for other in others] == [()] * 5
    moved = movements(first, audited("half", 1), {}, widening(1))
    assert {each.quantity for each in moved} == {Quantity.KEEP_PROB, Quantity.SCALE}


def test_a_factor_that_depends_on_the_inputs_is_compared_only_on_the_same_ones() -> None:
    """Behind a steep tanh the factor is a number of the inputs too, which follow from the seed."""
    model = dense("d = Dropout(x, r, t)  e = Mul(d, q)  y = Tanh(e)", columns=64)
    plan = Plan(provider=Provider.CPU)
    one, other = (
        audit(ArtifactSubject(model, Role.TRAIN), msgspec.structs.replace(plan, seed=seed)) for seed in (0, 1)
    )
    factor = msgspec.structs.replace(other.outputs[0], scale_factor=Interval(estimate=0.5, lower=0.49, upper=0.51))
    far = msgspec.structs.replace(other, outputs=(factor,))
    assert movements(one, other, {}, widening(1)) == ()
    assert movements(one, far, {}, widening(1)) == ()
    same = msgspec.structs.replace(far, execution=msgspec.structs.replace(far.execution, seed=0))
    assert [each.quantity for each in movements(one, same, {}, widening(1))] == [Quantity.SCALE_FACTOR]


def site_of(report: Report, **changed: object) -> Report:
    return msgspec.structs.replace(report, sites=(msgspec.structs.replace(report.sites[0], **changed),))


def test_a_gaussian_rate_is_widened_where_its_variance_is_estimated() -> None:
    # q = 1 / (1 + v): variances 0.8 to 1.25 around 1, half as far again on both sides.
    found = widened_noise_rate(Interval(estimate=0.5, lower=1 / 2.25, upper=1 / 1.8), 1.5)
    assert found.lower == pytest.approx(1 / (1 + 1.375))
    assert found.upper == pytest.approx(1 / (1 + 0.7))


def test_a_rate_that_lies_outside_is_named_with_both_intervals() -> None:
    before = report_with()
    after = site_of(before, keep_prob=Interval(estimate=0.6, lower=0.59, upper=0.61))
    (moved,) = movements(before, after, {}, widening(1))
    assert (moved.quantity, moved.subject) == (Quantity.KEEP_PROB, "drop")
    assert (moved.before.estimate, moved.after.estimate) == (0.4997, 0.6)


def test_intervals_that_barely_miss_each_other_are_no_movement() -> None:
    before = report_with()
    after = site_of(before, keep_prob=Interval(estimate=0.5066, lower=0.5032, upper=0.51))
    assert movements(before, after, {}, widening(1)) == ()
    assert movements(before, after, {}, 1.0) != ()


def test_the_scale_of_a_site_moves_when_the_constant_is_another() -> None:
    before = report_with()
    after = site_of(before, scale=Scale(min=1.5, median=1.5, max=1.5, expected=2))
    assert [each.quantity for each in movements(before, after, {}, 1.0)] == [Quantity.SCALE]
    rounded = site_of(before, scale=Scale(min=2.0005, median=2.0005, max=2.0005, expected=2))
    assert movements(before, rounded, {}, 1.0) == ()


def test_a_scale_that_varies_is_no_constant_to_compare() -> None:
    before = site_of(report_with(), scale=Scale(min=0.1, median=1, max=3), family=Family.GAUSSIAN)
    after = site_of(report_with(), scale=Scale(min=0.1, median=0.8, max=2), family=Family.GAUSSIAN)
    assert movements(before, after, {}, 1.0) == ()
