"""Claims about the speed benchmark: what it times is what it says, and its page is what it measured."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import speed
from cases import CASES, Case
from contender import STATISTICS, all_statistics, ort_loop, second_audit, verdict
from driver import contenders, medians
from scaling import Series

SMALL = Case(hidden=8, batch=2, time=3)
FOLDER = Path(speed.__file__).parent


def test_contenders_answer_in_turn_from_processes_of_their_own() -> None:
    with contenders([STATISTICS, "ORT loop"], "cpu") as found:
        seconds = medians(found, SMALL, 200, 1)
    assert set(seconds) == {STATISTICS, "ORT loop"}
    assert all(0 < value < 60 for value in seconds.values())


@pytest.mark.parametrize("make", [all_statistics, ort_loop, second_audit, verdict])
def test_every_contender_without_a_framework_runs(make: object) -> None:
    assert callable(make)
    make(SMALL, "cpu")(150)


def test_a_power_law_has_its_exponent() -> None:
    values = (1, 2, 4, 8, 16)
    assert Series("n", values, tuple(3 * value**1.5 for value in values)).exponent == pytest.approx(1.5)


def test_fixed_costs_do_not_hide_the_exponent() -> None:
    values = (1, 2, 4, 1000, 2000, 4000)
    assert Series("n", values, tuple(2.0 + value for value in values)).exponent == pytest.approx(1.0, abs=0.01)


def test_the_page_says_what_was_measured() -> None:
    result = json.loads((FOLDER / "speed.json").read_text(encoding="utf-8"))
    assert (FOLDER / "README.md").read_text(encoding="utf-8") == speed.document(result) + "\n"


def test_the_models_are_those_that_the_table_names() -> None:
    assert CASES["hidden 128"] == Case(hidden=128, layers=1, output=0.5, batch=5, time=16, features=2)
    assert CASES["hidden 512"] == Case(hidden=512)
    assert CASES["3 layers"] == Case(layers=3, between=0.3)
