"""Claims about cells of a mask that share draws."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from dropaudit.stats.design_effect import DesignEffect
from dropaudit.stats.keep_rate import keep_rate_interval

RATE, RUNS = 0.7, 4096


def effect_of(masks: NDArray[np.bool_]) -> float:
    found = DesignEffect()
    for part in np.array_split(masks, 7):
        found.add(part.sum(axis=1), np.full(len(part), part.shape[1]))
    return found.value


def drawn(cells: int, seed: int = 3, runs: int = RUNS) -> NDArray[np.bool_]:
    return np.random.default_rng(seed).random((runs, cells)) < RATE


def test_independent_cells_say_what_they_count_for() -> None:
    assert effect_of(drawn(24)) == pytest.approx(1.0, abs=0.07)


@pytest.mark.parametrize("times", [2, 8])
def test_repeated_cells_say_as_much_less_as_they_are_repeated(times: int) -> None:
    assert effect_of(np.repeat(drawn(24), times, axis=1)) == pytest.approx(times, rel=0.07)


def test_cells_that_balance_each_other_count_for_no_more_than_independent_ones() -> None:
    half = np.random.default_rng(4).random((RUNS, 8)) < 0.5
    assert effect_of(np.concatenate([half, ~half], axis=1)) == 1.0


@pytest.mark.parametrize("masks", [drawn(12, runs=63), np.ones((RUNS, 12), dtype=bool)])
def test_before_shares_have_varied_long_enough_a_replicate_counts_as_one_cell(masks: NDArray[np.bool_]) -> None:
    assert effect_of(masks) == 12


def test_replicates_without_cells_say_nothing() -> None:
    found = DesignEffect()
    found.add(np.zeros(100, dtype=int), np.zeros(100, dtype=int))
    assert found.value == 1.0


def misses(effect_counts: bool, rate: float = 0.9**5) -> int:
    """Count of 200 samples those whose interval misses the rate of overlapping windows at one of eight looks."""
    rng, missed = np.random.default_rng(11), 0
    for _ in range(200):
        windows = np.lib.stride_tricks.sliding_window_view(rng.random((1024, 20)) < 0.9, 5, axis=1)
        missed += any(not holds for holds in looked(np.asarray(windows.all(axis=-1)), effect_counts, rate))
    return missed


def looked(masks: NDArray[np.bool_], effect_counts: bool, rate: float) -> list[bool]:
    found, kept, cells, holds = DesignEffect(), 0, 0, []
    for part in np.array_split(masks, 8):
        found.add(part.sum(axis=1), np.full(len(part), part.shape[1]))
        kept, cells = kept + int(part.sum()), cells + part.size
        effect = found.value if effect_counts else 1.0
        interval = keep_rate_interval(kept / effect, cells / effect, 0.01)
        holds.append(interval.lower <= rate <= interval.upper)
    return holds


def test_the_interval_of_cells_in_overlapping_windows_covers_their_rate_at_every_look() -> None:
    assert misses(effect_counts=True) <= 6


def test_without_the_effect_it_does_not() -> None:
    assert misses(effect_counts=False) >= 15
