"""Claims about masks compared exactly."""

from __future__ import annotations

import numpy as np
import pytest

from dropaudit.stats.masks import agree_for_certain, chance_of_agreement, correlated_runs, shared_axes

ALPHA = 1e-6


def draw(
    shape: tuple[int, ...], keep_prob: float = 0.7, seed: int = 0
) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    return np.random.default_rng(seed).random(shape) < keep_prob


def test_two_coins_agree_half_of_the_time_in_each_cell() -> None:
    assert chance_of_agreement(0.5, 10) == pytest.approx(2.0**-10)
    assert chance_of_agreement(1.0, 10) == 1.0


def test_equal_masks_of_enough_cells_agree_for_certain() -> None:
    mask = draw((8, 16))
    everywhere = np.ones_like(mask)
    assert agree_for_certain(mask, mask.copy(), everywhere, ALPHA)
    assert not agree_for_certain(mask, draw((8, 16), seed=1), everywhere, ALPHA)


def test_few_equal_cells_say_nothing() -> None:
    mask = draw((1, 4))
    assert not agree_for_certain(mask, mask.copy(), np.ones_like(mask), ALPHA)


def test_cells_that_tell_nothing_are_not_compared() -> None:
    mask = draw((8, 16))
    other = mask.copy()
    other[0] = ~other[0]
    informative = np.ones_like(mask)
    informative[0] = False
    assert agree_for_certain(mask, other, informative, ALPHA)


@pytest.mark.parametrize("axis", [1, 2])
def test_the_axis_along_which_a_mask_is_stretched_is_found(axis: int) -> None:
    shape = [8, 5, 6, 7]
    shape[axis] = 1
    kept = np.broadcast_to(draw(tuple(shape)), (8, 5, 6, 7))
    assert shared_axes(np.asarray(kept), np.ones(kept.shape, dtype=bool), ALPHA) == (axis,)


def test_independent_cells_share_no_axis() -> None:
    kept = draw((8, 5, 6, 7))
    assert shared_axes(kept, np.ones_like(kept), ALPHA) == ()


def test_a_stretched_mask_is_found_although_the_first_step_tells_nothing() -> None:
    """A recurrent state begins at zero, where kept and dropped are alike."""
    kept = np.asarray(np.broadcast_to(draw((8, 1, 12)), (8, 6, 12))).copy()
    informative = np.ones_like(kept)
    kept[:, 0], informative[:, 0] = False, False
    assert shared_axes(kept, informative, ALPHA) == (1,)


def test_independent_runs_are_not_called_correlated() -> None:
    assert all(correlated_runs(draw((256, 64), seed=seed), 0.7, 0.01) is None for seed in range(50))


def test_a_cell_that_is_never_kept_is() -> None:
    kept = draw((256, 64))
    kept[:, 0] = False
    dispersion = correlated_runs(kept, 0.7, 1e-9)
    assert dispersion is not None
    assert dispersion > 2


@pytest.mark.parametrize("value", [True, False])
def test_masks_of_one_value_share_no_axis(value: bool) -> None:
    kept = np.full((8, 5, 6), value)
    assert shared_axes(kept, np.ones_like(kept), ALPHA) == ()


def test_a_single_cell_that_differs_refutes_sharing_wherever_it_lies() -> None:
    kept = np.asarray(np.broadcast_to(draw((8, 1, 12)), (8, 6, 12))).copy()
    kept[3, 5, 7] = ~kept[3, 5, 7]
    assert shared_axes(kept, np.ones_like(kept), ALPHA) == ()


def test_cells_that_tell_nothing_refute_no_sharing() -> None:
    kept = np.asarray(np.broadcast_to(draw((8, 1, 12)), (8, 6, 12))).copy()
    informative = np.ones_like(kept)
    for place in ((0, 0, 0), (3, 1, 7), (5, 5, 2)):
        kept[place], informative[place] = ~kept[place], False
    assert shared_axes(kept, informative, ALPHA) == (1,)


def test_few_shared_cells_say_nothing() -> None:
    kept = np.array([[True, True], [False, False]])
    assert shared_axes(kept, np.ones_like(kept), ALPHA) == ()
    assert shared_axes(kept, np.zeros_like(kept), 1.0) == ()


def test_the_chance_must_be_below_alpha_and_not_at_it() -> None:
    mask = np.array([True, False])
    everywhere = np.ones_like(mask)
    assert not agree_for_certain(mask, mask, everywhere, chance_of_agreement(0.5, 2))
    assert agree_for_certain(mask, mask, everywhere, np.nextafter(chance_of_agreement(0.5, 2), 1))


def test_masks_of_other_shapes_do_not_agree() -> None:
    assert not agree_for_certain(draw((8, 16)), draw((16, 8)), np.ones((8, 16), bool), 0.5)
