"""Claims about intervals in a few characters."""

from __future__ import annotations

import math

import pytest

from dropaudit_client.terminal.sparkline import MOST, sparkline


@pytest.mark.parametrize(
    ("widths", "drawn"),
    [
        ([], ""),
        ([1.0], ""),
        ([8.0, 4.0, 1.0], "█▄▁"),
        ([1.0, 1.0], "██"),
        ([0.0, 0.0], "▁▁"),
        ([1.0, math.nan], ""),
        ([math.inf, 1.0], ""),
        ([1.0, -1.0], "█▁"),
    ],
)
def test_widths_are_bars_beside_the_largest(widths: list[float], drawn: str) -> None:
    assert sparkline(widths) == drawn


def test_of_many_looks_the_first_and_the_last_are_shown() -> None:
    drawn = sparkline([1000.0, *(900.0 for _ in range(500)), 1.0])
    assert len(drawn) == MOST
    assert (drawn[0], drawn[-1]) == ("█", "▁")
