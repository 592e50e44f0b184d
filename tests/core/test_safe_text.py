from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dropaudit.safe_text import is_unsafe, safe

TEXTS = st.text(st.characters(exclude_categories=[]))
# Those that Unicode lists as explicit directional formatting characters, and the marks.
BIDI_MARKS = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
CONTROLS = "".join(map(chr, [*range(0x20), *range(0x7F, 0xA0)]))


@pytest.mark.parametrize("char", BIDI_MARKS + CONTROLS + "\u2028\u2029\ufeff\ud800\ufffe\uffff\U0010ffff")
def test_what_steers_a_terminal_or_turns_text_around_is_unsafe_and_spelled_out(char: str) -> None:
    assert is_unsafe(char)
    told = safe(f"a{char}b")
    assert told.isascii()
    assert told.isprintable()
    assert told[:2] == "a\\"
    assert told.encode("ascii").decode("unicode_escape") == f"a{char}b"


@pytest.mark.parametrize("text", ["drop", "größe 1", "層/ドロップ", "🙂", "a\u00a0b", "\\x1b", ""])
def test_other_text_stays_as_it_is(text: str) -> None:
    assert safe(text) == text


def test_the_spelling_is_that_of_python() -> None:
    assert safe("\x1b[31m\u202e\n") == r"\x1b[31m\u202e\n"


@given(TEXTS)
def test_a_safe_text_is_one_line_of_utf_8_without_unsafe_characters(text: str) -> None:
    told = safe(text)
    told.encode()
    assert len(told.splitlines()) <= 1
    assert {unicodedata.category(char) for char in told}.isdisjoint({"Cc", "Cf", "Cs", "Zl", "Zp"})
    assert safe(told) == told


@given(TEXTS, st.integers(min_value=3, max_value=40))
def test_a_limit_is_in_bytes_and_is_kept(text: str, most: int) -> None:
    told, whole = safe(text, most), safe(text)
    assert len(told.encode()) <= most
    if len(whole.encode()) <= most:
        assert told == whole
    else:
        assert told.endswith("…")
        assert whole.startswith(told[:-1])
        # Another character would not have fitted.
        assert len((whole[: len(told)]).encode()) + 3 > most


def test_a_text_of_two_byte_letters_is_cut_between_letters() -> None:
    assert safe("ä" * 10, 10) == "äää…"
    assert safe("ä" * 5, 10) == "ä" * 5


def test_a_text_of_megabytes_is_cut_before_it_is_spelled_out() -> None:
    assert safe("\x00" * 10_000_000, 11) == r"\x00\x00…"
