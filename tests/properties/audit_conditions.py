"""Random conditions over audits, and filters that say the same."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from dropaudit.findings import CATALOGUE
from dropaudit.report import Verdict
from dropaudit_store.audits import terms
from dropaudit_store.audits.conditions import SIGNS, And, Condition, Created, Has, Not, Or
from dropaudit_store.records import AuditState

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SHAS = tuple(digit * 64 for digit in "0a")
Case = tuple[str, Condition]
"""A filter and what it means."""


def quoted(text: str) -> str:
    """Return a text as a quoted value of a filter."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def equality(name: str, value: str, term: str) -> st.SearchStrategy[Case]:
    """Return restrictions of a field to a value."""
    return st.sampled_from(
        [
            (f"{name} = {value}", Has(term)),
            (f"{name}:{value}", Has(term)),
            (f"{name}!={value}", Not(Has(term))),
        ]
    )


def _created(sign: str, seconds: int) -> Case:
    instant = EPOCH + timedelta(seconds=seconds)
    text = f'create_time {sign} "{instant.isoformat()}"'
    return text, Created(sign, instant.timestamp() * 1000)


LABELS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
RESTRICTIONS: st.SearchStrategy[Case] = st.one_of(
    st.sampled_from(AuditState).flatmap(lambda each: equality("state", each.value, terms.state_term(each))),
    st.sampled_from(Verdict).flatmap(lambda each: equality("verdict", each.value, terms.verdict_term(each))),
    st.sampled_from(list(CATALOGUE)).flatmap(lambda each: equality("finding", each, terms.finding_term(each))),
    st.sampled_from(SHAS).flatmap(lambda each: equality("model", f'"models/{each}"', terms.model_term(each))),
    st.tuples(LABELS.filter(bool), LABELS.filter(lambda value: value != "*")).flatmap(
        lambda each: equality(f"labels.{quoted(each[0])}", quoted(each[1]), terms.label_term(*each))
    ),
    st.builds(_created, st.sampled_from(list(SIGNS)), st.integers(min_value=0, max_value=4)),
)


def _all(parts: list[Case], word: str) -> Case:
    return word.join(f"({text})" for text, _ in parts), And(tuple(meaning for _, meaning in parts))


def _any(parts: list[Case]) -> Case:
    return " OR ".join(f"({text})" for text, _ in parts), Or(tuple(meaning for _, meaning in parts))


def _extended(parts: st.SearchStrategy[Case]) -> st.SearchStrategy[Case]:
    several = st.lists(parts, min_size=2, max_size=3)
    return st.one_of(
        st.builds(_all, several, st.sampled_from([" AND ", " "])),
        several.map(_any),
        st.tuples(st.sampled_from(["NOT ", "-", "NOT\n"]), parts).map(
            lambda each: (f"{each[0]}({each[1][0]})", Not(each[1][1]))
        ),
    )


CASES: st.SearchStrategy[Case] = st.recursive(RESTRICTIONS, _extended, max_leaves=8)
CONDITIONS: st.SearchStrategy[Condition] = st.one_of(st.just(And(())), CASES.map(lambda each: each[1]))
WORDS = sorted(
    {
        *map(terms.state_term, AuditState),
        *map(terms.verdict_term, Verdict),
        *map(terms.finding_term, CATALOGUE),
        *map(terms.model_term, SHAS),
    }
)
AUDITS = st.tuples(
    st.frozensets(st.sampled_from(WORDS), max_size=6),
    st.integers(min_value=0, max_value=4000).map(float),
)
"""Terms and the instant of creation, in milliseconds."""
