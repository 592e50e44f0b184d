"""Claims about whatever may stand in a document: it is read, or told to be wrong with a line that it has."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dropaudit_client.documents.checking import checked, field_names
from dropaudit_client.documents.fields import Part
from dropaudit_client.documents.local import LocalDocument
from dropaudit_client.documents.located import parse_located
from dropaudit_client.documents.problems import InvalidDocument, Problem
from dropaudit_client.documents.suites import SuitesDocument

KEYS = st.sampled_from(sorted({*field_names(LocalDocument), *field_names(SuitesDocument), "nightly", "x"}))
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.dates(),
    st.datetimes(),
    st.binary(max_size=4),
    st.text("ab*&!%@`'\"{}[]:,#|>-?\n \t\x00é\U0001f600", max_size=8),
    st.sampled_from(["train", "* * * * *", "DA304", "*.onnx", "10m", "Europe/Berlin", "2027-01-31"]),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=4)),
    max_leaves=12,
)


def problems(text: str | bytes, model: type[Part]) -> tuple[Problem, ...]:
    try:
        checked(parse_located(text, "d.yaml"), model)
    except InvalidDocument as error:
        return error.problems or (Problem(0, 0, "", ""),)
    return ()


def assert_told(text: str, model: type[Part]) -> None:
    lines = len(text.splitlines()) + 1
    found = problems(text, model)
    assert all(1 <= each.line <= lines and each.column >= 1 and each.message for each in found)


@pytest.mark.parametrize("model", [LocalDocument, SuitesDocument])
@given(value=VALUES)
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_any_values_are_read_or_told_to_be_wrong(model: type[Part], value: Any) -> None:
    assert_told(yaml.safe_dump(value), model)


@pytest.mark.parametrize("model", [LocalDocument, SuitesDocument])
@given(text=st.text("ab:-[]{}&*!|>'\"%@#?, \n\t0.~<=", max_size=40), content=st.binary(max_size=40))
@settings(deadline=None)
def test_any_text_is_read_or_told_to_be_wrong(model: type[Part], text: str, content: bytes) -> None:
    assert_told(text, model)
    assert all(each.line >= 1 and each.message for each in problems(content, model))
