"""Claims about what noise does to an output, against the definitions."""

from __future__ import annotations

import numpy as np
import pytest

from dropaudit.stats.effect import RunningEffect

REFERENCE = np.array([[3.0, -4.0]])
"""Squared norm 25."""


def effect_of(*pieces: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> tuple[float, float]:
    running = RunningEffect(REFERENCE)
    for piece in pieces:
        running.add(piece)
    return running.effect.mean_gap, running.effect.variance


def test_an_output_that_is_the_reference_has_no_gap_and_no_scatter() -> None:
    assert effect_of(np.repeat(REFERENCE[None], 3, axis=0)) == (0.0, 0.0)


def test_an_output_of_half_the_size_has_a_gap_of_minus_a_half_and_no_scatter() -> None:
    assert effect_of(np.repeat(REFERENCE[None] / 2, 4, axis=0)) == pytest.approx((-0.5, 0.0))


def test_scatter_around_the_reference_has_no_gap() -> None:
    """Twice and nothing: each replicate is |ref| away from the mean, which is the reference."""
    assert effect_of(np.stack([2 * REFERENCE, 0 * REFERENCE])) == pytest.approx((0.0, 1.0))


def test_gap_and_scatter_are_those_of_the_definitions_however_the_sample_is_cut() -> None:
    sample = np.random.default_rng(0).normal(size=(64, 1, 2)) + REFERENCE
    flat = sample.reshape(64, 2)
    gap = float((flat @ REFERENCE[0]).mean() / 25 - 1)
    variance = float(np.square(flat - flat.mean(axis=0)).sum(axis=1).mean() / 25)
    assert effect_of(sample) == pytest.approx((gap, variance), rel=1e-9)
    assert effect_of(sample[:1], sample[1:40], sample[40:]) == pytest.approx((gap, variance), rel=1e-9)


def test_beside_a_reference_of_zeros_the_scatter_is_absolute() -> None:
    running = RunningEffect(np.zeros(2))
    running.add(np.array([[1.0, 0.0], [-1.0, 0.0]]))
    assert (running.effect.mean_gap, running.effect.variance) == (0.0, 1.0)


def test_before_the_first_replicate_there_is_no_effect() -> None:
    with pytest.raises(ValueError, match="no replicates"):
        _ = RunningEffect(REFERENCE).effect


def test_single_precision_is_summed_in_double() -> None:
    """A sum of 2^25 in single precision loses ones."""
    running = RunningEffect(np.array([1.0], np.float32))
    for size in (2.0**25, 1.0, 1.0):
        running.add(np.array([[1 + size]], np.float32))
    assert running.effect.mean_gap == pytest.approx((2.0**25 + 2) / 3, rel=1e-12)
