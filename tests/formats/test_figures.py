from __future__ import annotations

from datetime import UTC, datetime

import pytest

from dropaudit.report import Acceptance, Interval, Scale, Site, Spread
from dropaudit_formats import figures

UNTIL = datetime(2027, 1, 2, 3, 4, tzinfo=UTC)


@pytest.mark.parametrize(
    ("acceptance", "told"),
    [
        (Acceptance(reason="meant so"), "Accepted: meant so"),
        (Acceptance(reason="meant so", accepted_by="anna"), "Accepted by anna: meant so"),
        (Acceptance(reason="meant so", expire_time=UNTIL), "Accepted until 2027-01-02 03:04 UTC: meant so"),
    ],
)
def test_an_acceptance_is_a_sentence_of_what_is_known(acceptance: Acceptance, told: str) -> None:
    assert figures.acceptance(acceptance) == told


def test_numbers_have_four_digits_and_what_is_not_known_a_dash() -> None:
    assert [figures.number(value) for value in (None, 0.0, 1 / 3, 123456.0)] == ["-", "0", "0.3333", "1.235e+05"]
    assert figures.interval(None) == "-"
    assert figures.interval(Interval(estimate=0.5, lower=0.4, upper=0.6)) == "0.5 [0.4, 0.6]"


def test_a_spread_is_one_number_where_its_ends_read_alike() -> None:
    assert figures.spread(None) == "-"
    assert figures.spread(Spread(min=1.00001, median=1.00002, max=1.00003)) == "1"
    assert figures.spread(Spread(min=1, median=2, max=3)) == "1 / 2 / 3"


def test_a_scale_tells_the_expected_one_where_it_is_known() -> None:
    assert figures.scale(Scale(min=1, median=1, max=1, expected=1.25), ", ") == "1, expected 1.25"
    assert figures.scale(Scale(min=1, median=1, max=1), ", ") == "1"
    assert figures.scale(None, ", ") == "-"


def test_a_default_session_keeps_a_site_or_removes_it_or_nobody_knows() -> None:
    assert [figures.activity(value) for value in (None, True, False)] == ["-", "active", "removed"]


def test_the_users_code_is_told_as_far_as_it_is_known() -> None:
    both = Site(name="drop", module="encoder.dropout", location="model.py:7")
    assert figures.code(both) == "encoder.dropout at model.py:7"
    assert figures.code(Site(name="drop", location="model.py:7")) == "model.py:7"
    assert figures.code(Site(name="drop")) == ""
