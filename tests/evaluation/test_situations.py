"""Claims about every situation in which an audit is easily wrong: the faulty graph is found, its twin left in peace."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from dropaudit import Plan
from dropaudit.plan import Provider
from dropaudit_evaluation.corpus import Row, evaluate
from dropaudit_models.specimens.situations import SITUATIONS, Situation
from dropaudit_models.specimens.situations.writing import write_situations

PLAN = Plan(provider=Provider.CPU)


def unseen(row: Row) -> None:
    """Show no progress."""


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Row]:
    """Every situation's audit, by name; made in processes of their own, since one of them ends a careless runtime's."""
    folder = write_situations(tmp_path_factory.mktemp("situations")).parent
    rows = evaluate(folder, PLAN, processes=2, progress=unseen).rows
    by_name = {row.label.file.removesuffix(".onnx"): row for row in rows}
    return lambda name: by_name[name]


@pytest.mark.parametrize("situation", SITUATIONS, ids=lambda situation: situation.name)
def test_a_situation_gets_its_answer(situation: Situation, evaluated: Callable[[str], Row]) -> None:
    assert evaluated(situation.name).disagreements == ()
