"""Properties of filters and conditions: what is written is what is meant, and no index leaves out an audit."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dropaudit_server.requests.filter_words import BadFilter
from dropaudit_server.requests.filters import read_filter
from dropaudit_store.audits.conditions import And, Condition, Has, Not, Or, between, cover, fulfils
from properties.audit_conditions import AUDITS, CASES, CONDITIONS, WORDS, Case

Audit = tuple[frozenset[str], float]


@given(case=CASES, audits=st.lists(AUDITS, min_size=1, max_size=5))
def test_a_filter_means_what_it_says(case: Case, audits: list[Audit]) -> None:
    text, meant = case
    read = read_filter(text)
    assert [fulfils(read, *each) for each in audits] == [fulfils(meant, *each) for each in audits]


@given(case=CASES, blanks=st.text(" \t\n", max_size=5))
def test_blanks_around_a_filter_and_its_parentheses_change_nothing(case: Case, blanks: str) -> None:
    assert read_filter(f"{blanks}({blanks}{case[0]}{blanks}){blanks}") == read_filter(case[0])


ODD = st.text(string.ascii_letters + "0123456789 \t\n\"'\\()<>=!:.-*/_äµ\0", max_size=60)
PIECES = st.sampled_from(
    [
        "state",
        "=",
        "FAILED",
        "AND",
        "OR",
        "NOT",
        "-",
        "(",
        ")",
        "labels",
        ".",
        "create_time",
        ">",
        '"',
        "2026-01-01",
        ":",
    ]
)


@given(text=st.one_of(st.text(max_size=60), ODD, st.lists(PIECES, max_size=12).map(" ".join)))
def test_any_text_is_a_filter_or_is_refused_in_a_sentence(text: str) -> None:
    try:
        read_filter(text)
    except BadFilter as error:
        said = str(error)
    else:
        said = "a filter"
    assert said


@given(condition=CONDITIONS, audit=AUDITS, sizes=st.dictionaries(st.sampled_from(WORDS), st.integers(0, 9)))
def test_no_audit_that_fulfils_a_condition_is_outside_its_indexes(
    condition: Condition, audit: Audit, sizes: dict[str, int]
) -> None:
    terms, created = audit
    covered = cover(condition, lambda term: sizes.get(term, 0))
    lowest, highest = between(condition)
    if fulfils(condition, terms, created):
        assert covered is None or covered & terms
        assert lowest <= created <= highest


@given(parts=st.lists(CONDITIONS, min_size=1, max_size=3), audit=AUDITS)
def test_not_all_is_some_not(parts: list[Condition], audit: Audit) -> None:
    several = tuple(parts)
    assert fulfils(Not(And(several)), *audit) == fulfils(Or(tuple(map(Not, several))), *audit)
    assert fulfils(Not(Or(several)), *audit) == fulfils(And(tuple(map(Not, several))), *audit)


@given(small=st.sampled_from(WORDS), large=st.sampled_from(WORDS))
def test_of_two_indexes_the_smaller_is_read(small: str, large: str) -> None:
    if small != large:
        assert cover(And((Has(large), Has(small))), lambda term: 1 if term == small else 2) == frozenset((small,))


@pytest.mark.parametrize("depth", [20, 21, 1000])
def test_parentheses_end_somewhere(depth: int) -> None:
    text = "(" * depth + "state=FAILED" + ")" * depth
    if depth > 20:
        with pytest.raises(BadFilter, match="at most"):
            read_filter(text)
    else:
        assert read_filter(text) == read_filter("state=FAILED")
