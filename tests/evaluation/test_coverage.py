"""Coverage of both confidence sequences under continuous monitoring, and the code that measures it."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from scipy.stats import binomtest

from dropaudit.stats.keep_rate import keep_rate_interval
from dropaudit.stats.mean import BURN_IN, may_look, mean_interval
from dropaudit.stats.moments import RunningMoments
from dropaudit_evaluation.calibration.binomial import Proportion
from dropaudit_evaluation.calibration.keep_rate import accepted_counts, miss_probability, simulated_misses
from dropaudit_evaluation.calibration.looks import doubling, every_step
from dropaudit_evaluation.calibration.mean import Setting, Streams, Watched, unequal_weights, watch

EDGES = (0.005, 0.02, 0.05, 0.2, 0.5, 0.8, 0.95, 0.98, 0.995)


def covers(kept: int, cells: int, keep_prob: float, alpha: float) -> bool:
    found = keep_rate_interval(kept, cells, alpha)
    return found.lower <= keep_prob <= found.upper


@pytest.mark.parametrize("events", [0, 1, 7, 20])
def test_the_binomial_interval_is_the_exact_one(events: int) -> None:
    expected = binomtest(events, 20).proportion_ci(0.99, method="exact")
    found = Proportion(events, 20)
    assert (found.lower, found.upper) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_impossible_counts_have_no_interval() -> None:
    for events, trials in ((1, 0), (-1, 5), (6, 5)):
        with pytest.raises(ValueError, match="0 <= events <= trials"):
            Proportion(events, trials)


def test_looks_are_every_step_or_doubling() -> None:
    assert every_step(3, 6).tolist() == [3, 4, 5, 6]
    assert doubling(64, 1000).tolist() == [64, 128, 256, 512]
    with pytest.raises(ValueError, match="first <= last"):
        doubling(64, 63)


@pytest.mark.parametrize(("keep_prob", "alpha"), [(0.02, 0.1), (0.5, 0.3), (0.98, 0.01)])
def test_accepted_counts_are_those_whose_interval_covers(keep_prob: float, alpha: float) -> None:
    looks = np.array([1, 2, 3, 10, 40, 41, 200])
    fewest, most = accepted_counts(keep_prob, alpha, looks)
    for cells, low, high in zip(looks, fewest, most, strict=True):
        covered = [kept for kept in range(cells + 1) if covers(kept, int(cells), keep_prob, alpha)]
        assert covered == list(range(low, high + 1))


def test_the_exact_miss_probability_is_the_sum_over_all_streams() -> None:
    keep_prob, alpha, length = 0.3, 0.6, 9
    expected = 0.0
    for stream in product((0, 1), repeat=length):
        kept = np.cumsum(stream)
        if not all(covers(int(kept[n - 1]), n, keep_prob, alpha) for n in range(1, length + 1)):
            expected += keep_prob ** int(kept[-1]) * (1 - keep_prob) ** (length - int(kept[-1]))
    assert 0.05 < expected < 0.6
    assert miss_probability(keep_prob, alpha, every_step(1, length)) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("keep_prob", EDGES)
@pytest.mark.parametrize("alpha", [0.1, 0.01])
def test_the_keep_rate_is_missed_with_probability_below_alpha_looking_after_every_cell(
    keep_prob: float, alpha: float
) -> None:
    looks = every_step(1, 300)
    exact = miss_probability(keep_prob, alpha, looks)
    found = simulated_misses(keep_prob, alpha, looks, 1000, np.random.default_rng(1))
    assert exact < alpha
    assert found.lower <= exact <= found.upper


@pytest.mark.parametrize("keep_prob", EDGES)
def test_the_keep_rate_is_missed_no_more_often_than_alpha_on_the_audits_own_schedule(keep_prob: float) -> None:
    found = simulated_misses(keep_prob, 0.1, doubling(64, 2**16), 2000, np.random.default_rng(2))
    assert not found.refutes_at_most(0.1)


def test_vectorized_streams_are_what_one_stream_at_a_time_is() -> None:
    rng = np.random.default_rng(3)
    values = (rng.random((20, 400)) < 0.9) / 0.9
    looks = every_step(1, 400)
    seen = Streams.at(looks, values)
    for stream, look in ((0, 64), (5, 100), (11, 399), (19, 250)):
        moments = RunningMoments()
        moments.add(values[stream, : look + 1])
        assert seen.distances[stream, look] == pytest.approx(abs(moments.mean - 1), abs=1e-12)
        assert seen.sds[stream, look] == pytest.approx(moments.sd, rel=1e-9)
        assert seen.informative[stream, look] == may_look(moments)


def watched(elements: int, keep_prob: float, alpha: float, *, patient: bool, streams: int = 1000) -> Watched:
    rng = np.random.default_rng(4)
    setting = Setting(alpha, doubling(BURN_IN, 1024), patient)
    return watch(unequal_weights(elements, rng), keep_prob, [setting], streams, rng)[0]


@pytest.mark.parametrize("elements", [1, 10, 50])
@pytest.mark.parametrize("keep_prob", EDGES)
def test_patient_looks_decide_falsely_no_more_often_than_alpha(elements: int, keep_prob: float) -> None:
    assert not watched(elements, keep_prob, 0.01, patient=True).false_decisions.refutes_at_most(0.01)


@pytest.mark.parametrize("keep_prob", [0.02, 0.95, 0.98])
def test_impatient_looks_at_one_element_near_the_edges_do_decide_falsely_more_often(keep_prob: float) -> None:
    assert watched(1, keep_prob, 0.01, patient=False).false_decisions.refutes_at_most(0.01)


@pytest.mark.parametrize("keep_prob", [0.2, 0.5, 0.8])
def test_away_from_the_edges_misses_stay_below_alpha_without_patience(keep_prob: float) -> None:
    assert not watched(50, keep_prob, 0.1, patient=False).misses.refutes_at_most(0.1)


def test_a_decision_is_the_first_one() -> None:
    """The stream is far from 1 at its end, but its first look has decided that it is near."""
    values = np.concatenate([np.tile([0.999, 1.001], 50), np.full(300, 2.0)])[None]
    setting = Setting(0.01, np.array([100, 400]), patient=False)
    widths = np.array([mean_interval(int(n), 0.0, 1.0, 0.01).upper for n in setting.looks])
    assert Streams.at(setting.looks, values).judged(setting, widths, 0.02) == (1, 0)
