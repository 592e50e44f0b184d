"""Masks on weights, alpha and Gaussian dropout, and two sites in a row, against their definitions in plain numpy."""

from __future__ import annotations

import numpy as np
import pytest

from dropaudit.report import Family
from support.definitions import ALPHA_PRIME, Floats, alpha_affine, mask
from support.monte_carlo import (
    DENSE,
    FIRST,
    REPLICATES,
    STANDARD_ERRORS,
    Model,
    Q,
    Sample,
    audited,
    check_keep_rate_and_scale,
    check_scale_factor,
    data,
    graph,
    lstm,
    weights,
)

A, B = alpha_affine(Q)
NOISE = float(np.sqrt((1 - Q) / Q))


def weight_drop(rng: np.random.Generator, x: Floats) -> Sample:
    """Mask the recurrent weights once a forward pass: R m / q."""
    drawn = mask(rng, (REPLICATES, *FIRST.r.shape), Q)
    train = FIRST.run(np.broadcast_to(x, (REPLICATES, *x.shape)), FIRST.r * drawn / Q)
    return Sample(train, FIRST.run(x), int(drawn.sum()), drawn.size, 1 / Q)


def alpha(rng: np.random.Generator, x: Floats) -> Sample:
    """a (h m + alpha' (1 - m)) + b: nothing becomes zero, and what is kept is a h + b."""
    h = x @ DENSE
    drawn = mask(rng, (REPLICATES, *h.shape), Q)
    return Sample(A * (h * drawn + ALPHA_PRIME * (1 - drawn)) + B, h, int(drawn.sum()), drawn.size, A)


def gaussian(rng: np.random.Generator, x: Floats) -> Sample:
    """h N(1, p/q): nothing becomes zero."""
    h = x @ DENSE
    return Sample(h * rng.normal(1, NOISE, (REPLICATES, *h.shape)), h)


def twice(rng: np.random.Generator, x: Floats) -> Sample:
    """h m m' / q^2, with independent masks."""
    h = x @ DENSE
    drawn = mask(rng, (REPLICATES, *h.shape), Q) * mask(rng, (REPLICATES, *h.shape), Q)
    return Sample(h * drawn / Q**2, h, int(drawn.sum()), drawn.size, 1 / Q**2)


WEIGHT_DROP = Model(
    graph(
        f"d = Dropout(firstr, r, t)  {lstm('x', 'first', 'h', recurrent='d')} y = Identity(h)", weights(FIRST, "first")
    ),
    weight_drop,
    linear=False,
)
ALPHA = Model(
    graph(
        "h = MatMul(x, A)  u = RandomUniformLike(h)  k = Less(u, q)  m = Cast<to = 1>(k)  n = Sub(one, m)"
        "  kept = Mul(h, m)  sunk = Mul(n, prime)  both = Add(kept, sunk)  s = Mul(both, a)  y = Add(s, b)",
        {"A": DENSE, "prime": np.array(ALPHA_PRIME), "a": np.array(A), "b": np.array(B)},
    ),
    alpha,
    linear=True,
)
GAUSSIAN = Model(
    graph(f"h = MatMul(x, A)  n = RandomNormalLike<mean = 1.0, scale = {NOISE!r}>(h)  y = Mul(h, n)", {"A": DENSE}),
    gaussian,
    linear=True,
)
TWICE = Model(graph("h = MatMul(x, A)  d = Dropout(h, r, t)  y = Dropout(d, r, t)", {"A": DENSE}), twice, linear=True)


def drawn(model: Model) -> Sample:
    return model.simulate(np.random.default_rng(15), data())


def test_weight_drop_keeps_scales_and_shifts_as_its_definition() -> None:
    report, sample = audited(WEIGHT_DROP), drawn(WEIGHT_DROP)
    check_keep_rate_and_scale(report, sample)
    check_scale_factor(report, sample)


def test_alpha_dropout_keeps_and_scales_as_its_definition() -> None:
    """Its output's scale factor is not 1 by design, so the audit need not measure it."""
    report, sample = audited(ALPHA), drawn(ALPHA)
    assert report.sites[0].family is Family.ALPHA
    check_keep_rate_and_scale(report, sample)


def test_alpha_dropout_keeps_mean_and_variance_of_normal_activations() -> None:
    """The definition itself, so that the numbers above are those of Klambauer et al."""
    rng = np.random.default_rng(16)
    h, m = rng.standard_normal(400_000), mask(rng, (400_000,), Q)
    y = A * (h * m + ALPHA_PRIME * (1 - m)) + B
    assert y.mean() == pytest.approx(0, abs=STANDARD_ERRORS / np.sqrt(h.size))
    assert y.var() == pytest.approx(1, abs=STANDARD_ERRORS * (y**2).std() / np.sqrt(h.size))


def test_gaussian_dropout_keeps_the_mean_and_drops_nothing() -> None:
    report, sample = audited(GAUSSIAN), drawn(GAUSSIAN)
    assert report.sites[0].family is Family.GAUSSIAN
    assert report.outputs[0].zero_fraction == 0.0
    check_scale_factor(report, sample)


def test_two_sites_in_a_row_keep_the_product_of_their_rates() -> None:
    report, sample = audited(TWICE), drawn(TWICE)
    assert [site.declared_keep_prob for site in report.sites] == pytest.approx([Q, Q])
    assert sample.kept is not None
    dropped = 1 - sample.kept / sample.cells
    audited_cells = report.execution.replicates * sample.inference.size
    room = STANDARD_ERRORS * np.sqrt(dropped * (1 - dropped) * (1 / sample.cells + 1 / audited_cells))
    assert report.outputs[0].zero_fraction == pytest.approx(dropped, abs=room)
    check_scale_factor(report, sample)
