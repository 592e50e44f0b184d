"""The audit against 500 graphs that a grammar drew and a Monte Carlo judged."""

from __future__ import annotations

from dropaudit.plan import Plan, Provider
from dropaudit_evaluation.spellings.study import study
from dropaudit_evaluation.spellings.text import symptom

SEED, COUNT = 1, 500


def test_five_hundred_spellings_are_judged_right() -> None:
    results = study(SEED, range(COUNT), Plan(provider=Provider.CPU), 2, lambda _: None)
    assert [f"{each.label.file} {symptom(each)}" for each in results if each.disagreements] == []
