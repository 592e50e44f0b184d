"""Claims about the order in one mask."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from dropaudit.stats.scatter import is_patterned, is_scattered

ROWS, COLUMNS = np.indices((16, 16))
# Two of every four neighbours, each pair another one.
TWO_OF_FOUR = np.argsort(np.random.default_rng(0).random((16, 4, 4)), axis=-1).reshape(16, 16) < 2

PATTERNS: dict[str, NDArray[np.bool_]] = {
    "blocks": ROWS // 4 == COLUMNS // 4,
    "permutation": COLUMNS == (ROWS + 8) % 16,
    "chessboard": (ROWS + COLUMNS) % 2 == 0,
    "every other": np.arange(16) % 2 == 0,
}
# Windows of eight in rows of forty, which begin anywhere.
WINDOWS = (np.arange(40) - np.random.default_rng(4).integers(0, 33, (12, 1))) % 40 >= 8
CLUSTERS: dict[str, NDArray[np.bool_]] = {
    "band": np.abs(ROWS - COLUMNS) < 3,
    "triangle": ROWS >= COLUMNS,
    "window": (np.arange(32) >= 8) & (np.arange(32) < 20),
    "windows": WINDOWS,
}
ORDERED = {**PATTERNS, **CLUSTERS, "two of four": TWO_OF_FOUR}


@pytest.mark.parametrize("name", ORDERED)
def test_what_has_an_order_is_not_scattered(name: str) -> None:
    assert not is_scattered(ORDERED[name])


@pytest.mark.parametrize("name", PATTERNS)
def test_what_alternates_or_keeps_as_many_in_all_lines_is_a_pattern(name: str) -> None:
    assert is_patterned(PATTERNS[name])


@pytest.mark.parametrize("name", CLUSTERS)
def test_cells_that_hang_together_are_no_pattern(name: str) -> None:
    assert not is_patterned(CLUSTERS[name])


@pytest.mark.parametrize("shape", [(8,), (16,), (8, 16), (4, 3, 10), (64, 64)], ids=str)
@pytest.mark.parametrize("keep_prob", [0.2, 0.5, 0.9])
def test_independent_cells_are_scattered_and_no_pattern(shape: tuple[int, ...], keep_prob: float) -> None:
    rng = np.random.default_rng(1)
    drawn = [mask for mask in (rng.random(shape) < keep_prob for _ in range(400)) if 0 < mask.mean() < 1]
    # Up to six tests at 3.5 standard deviations, which of few cells is not quite so rare.
    assert np.mean([is_scattered(mask) for mask in drawn]) > 0.98
    assert np.mean([is_patterned(mask) for mask in drawn]) < 0.01
