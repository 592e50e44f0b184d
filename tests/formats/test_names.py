from __future__ import annotations

import pytest

from dropaudit_formats.names import cut_middle


@pytest.mark.parametrize(
    ("name", "most", "told"),
    [
        ("encoder", 7, "encoder"),
        ("encoder", 6, "enc…er"),
        ("encoder", 5, "en…er"),
        ("encoder", 2, "e…"),
        ("encoder", 1, "…"),
        ("a\x1bc", 6, r"a\x1bc"),
        ("a\x1bcd", 5, r"a\…cd"),
    ],
)
def test_a_long_name_loses_its_middle(name: str, most: int, told: str) -> None:
    assert cut_middle(name, most) == told


def test_a_name_of_megabytes_keeps_both_ends() -> None:
    assert cut_middle("a" * 3_000_000 + "b" * 3_000_000, 8) == "aaaa…bbb"
    # Of what is far too long only the ends are spelled out: the marks in the middle are gone before.
    assert cut_middle("\x1b" * 10 + "x" * 100 + "\x1b" * 10, 10) == r"\x1b\…\x1b"
