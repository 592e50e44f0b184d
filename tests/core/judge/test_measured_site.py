"""Claims about what is known of a site's rate, and of the factor that makes up for it."""

from __future__ import annotations

import pytest

from dropaudit.judge.compensation import Compensation
from dropaudit.judge.measured_site import MeasuredSite
from support.made_evidence import MANY, mask_meter, measured, noise_meter, site

Q = 0.8
KEPT = int(Q * MANY)


@pytest.mark.parametrize(("number", "may_be"), [(0.8, True), (0.8007, True), (0.8009, False), (0.7993, True)])
def test_a_declared_rate_is_compared_at_the_precision_two_graphs_agree_to(number: float, may_be: bool) -> None:
    assert measured(KEPT, 1.25).may_be_kept_rate(number) is may_be


def test_a_rate_that_is_only_measured_may_be_anything_in_its_interval() -> None:
    found = measured(800, 1.25, cells=1000, of=site(declared=None))
    interval = found.meter.interval
    assert interval is not None
    assert found.may_be_kept_rate(interval.lower)
    assert found.may_be_kept_rate(interval.upper)
    assert not found.may_be_kept_rate(interval.lower - 1e-6)
    assert not found.may_be_kept_rate(interval.upper + 1e-6)


def test_borders_widen_what_a_measured_rate_may_be() -> None:
    found = measured(800, 1.25, cells=1000, of=site(declared=None, has_borders=True))
    interval = found.meter.interval
    assert interval is not None
    assert found.may_be_kept_rate(interval.lower - 0.0349)
    assert found.may_be_kept_rate(interval.upper + 0.0349)
    assert not found.may_be_kept_rate(interval.lower - 0.0351)
    assert not found.may_be_kept_rate(interval.upper + 0.0351)


def test_of_noise_that_is_not_known_yet_the_declared_rate_counts() -> None:
    found = MeasuredSite(site(), noise_meter(1.0, 0.5, values=10))
    assert found.meter.interval is None
    assert found.may_be_kept_rate(0.8)
    assert not found.may_be_kept_rate(0.7)


def test_a_keep_probability_of_zero_is_no_kept_rate() -> None:
    assert not measured(0, of=site(declared=0.0)).may_be_kept_rate(0.0)


@pytest.mark.parametrize(
    ("factor", "at_inference", "made_up_for"),
    [(1.0, 0.8, True), (1.0, 0.5, False), (1.25, 1.0, True), (2.0, 1.6, True), (2.0, 0.4, False), (1.0, None, False)],
)
def test_inference_makes_up_for_what_its_factor_over_the_sites_own_is_the_kept_rate(
    factor: float, at_inference: float | None, made_up_for: bool
) -> None:
    assert measured(KEPT, factor).is_made_up_for(Compensation(at_inference)) is made_up_for


def test_what_varies_is_not_made_up_for() -> None:
    assert not MeasuredSite(site(), mask_meter(KEPT, (1.0, 2.0))).is_made_up_for(Compensation(0.8))
