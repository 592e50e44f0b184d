"""Claims about following a draw through operators."""

from __future__ import annotations

import pytest

from dropaudit.graph.draws.noise_algebra import (
    Blend,
    Data,
    Fill,
    Jittered,
    Line,
    Masked,
    Normal,
    TwoPoint,
    Uniform,
    step,
)
from dropaudit.graph.sites.laws import alpha_law, holds_folded_scale

U = Uniform("u", 0.0, 1.0)
MASK = TwoPoint("u", 0.8)
X, Z = Data("x"), Data("z")


def test_a_threshold_makes_two_values() -> None:
    assert step("Less", (U, Fill(0.8))) == MASK
    assert step("GreaterOrEqual", (U, Fill(0.75))) == TwoPoint("u", 0.25)
    assert step("Less", (Fill(0.75), U)) == TwoPoint("u", 0.25)


def test_floor_and_ceil_of_a_shifted_draw_make_two_values() -> None:
    assert step("Floor", (Uniform("u", 0.75, 1.75),)) == TwoPoint("u", 0.75)
    assert step("Ceil", (Uniform("u", -0.25, 0.75),)) == TwoPoint("u", 0.75)
    assert step("Floor", (Uniform("u", 0.0, 3.0),)) is None


def test_a_mask_makes_two_lines_of_data() -> None:
    assert step("Mul", (X, TwoPoint("u", 0.8, 1.25, 0.0))) == Masked("u", 0.8, "x", Line(1.25, 0), Line(0, 0))


def test_a_select_spelled_as_two_products_is_one_mask() -> None:
    kept = step("Mul", (X, MASK))
    dropped = step("Mul", (Fill(0.0), TwoPoint("u", 0.8, 0.0, 1.0)))
    assert kept is not None
    assert dropped is not None
    joined = step("Add", (kept, dropped))
    assert isinstance(joined, Masked)
    assert (joined.kept, joined.dropped, joined.keep_prob, joined.is_dropout) == (Line(1, 0), 0.0, 0.8, True)


def test_alpha_dropout_is_two_lines_with_shifts() -> None:
    law = alpha_law(0.8)
    kept = step("Mul", (X, TwoPoint("u", 0.8, law.slope, 0.0)))
    assert kept is not None
    joined = step("Add", (kept, TwoPoint("u", 0.8, law.shift, law.dropped)))
    assert isinstance(joined, Masked)
    assert joined.kept == Line(law.slope, law.shift)
    assert joined.dropped == law.dropped


def test_alpha_dropout_keeps_mean_and_variance() -> None:
    """Of a standard normal x: E = q b + p d = 0 and E2 = q (a^2 + b^2) + p d^2 = 1 (Klambauer et al. 2017)."""
    for q in (0.3, 0.5, 0.9):
        law = alpha_law(q)
        assert q * law.shift + (1 - q) * law.dropped == pytest.approx(0, abs=1e-12)
        assert q * (law.slope**2 + law.shift**2) + (1 - q) * law.dropped**2 == pytest.approx(1)


def test_zoneout_is_a_choice_between_data_and_no_dropout() -> None:
    one, other = step("Mul", (X, MASK)), step("Mul", (Z, TwoPoint("u", 0.8, 0.0, 1.0)))
    assert one is not None
    assert other is not None
    assert step("Add", (one, other)) == Blend("u", 0.8)
    assert step("Where", (MASK, X, Z)) == Blend("u", 0.8)


def test_noise_of_two_draws_is_not_one_mask() -> None:
    assert step("Mul", (MASK, TwoPoint("v", 0.5))) is None


def test_gaussian_dropout_multiplies_around_one() -> None:
    noise = step("Add", (Normal("n", 0.0, 0.5), Fill(1.0)))
    assert noise is not None
    found = step("Mul", (X, noise))
    assert found == Jittered("n", "x", 1.0, 0.5)
    assert isinstance(found, Jittered)
    assert found.keep_prob == pytest.approx(0.8)


def test_noise_around_zero_is_no_dropout() -> None:
    found = step("Mul", (X, Normal("n", 0.0, 1.0)))
    assert isinstance(found, Jittered)
    assert not found.is_dropout


@pytest.mark.parametrize(
    ("factor", "keep_prob", "folded"),
    [(3 / 0.7, 0.7, True), (8**0.5 / 0.7, 0.7, True), (3.0, 0.7, False), (8**0.5, 0.7, False), (6.0, 0.5, False)],
)
def test_a_scale_inside_an_ordinary_factor_is_told_by_how_round_it_is(
    factor: float, keep_prob: float, folded: bool
) -> None:
    assert holds_folded_scale(factor, keep_prob) is folded
