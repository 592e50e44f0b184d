"""Claims about the declared verdicts of well-known architectures."""

from __future__ import annotations

from pathlib import Path

import pytest

from dropaudit.plan import Role
from dropaudit.report import Verdict
from dropaudit_models.torch.architectures.__main__ import run
from dropaudit_models.torch.architectures.catalogue import ARCHITECTURES, REASONS, Architecture, Exporter, Mode, Trait
from dropaudit_models.torch.architectures.declared import declared, declared_pair
from dropaudit_models.torch.architectures.rows import rows
from dropaudit_models.torch.architectures.table import table

DOCUMENT = Path(__file__).parent.parent.parent / "docs" / "architectures.md"
EACH = pytest.mark.parametrize("architecture", ARCHITECTURES, ids=lambda each: each.name)


def test_the_document_holds_the_table() -> None:
    """Where it does not: `python -m dropaudit_models.torch.architectures` prints the tables."""
    assert DOCUMENT.read_text(encoding="utf-8").endswith(f"\n\n{table()}")


def test_the_command_prints_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([]) == 0
    assert capsys.readouterr().out == table()


def test_every_trait_has_a_reason_and_a_network() -> None:
    held = {trait for each in ARCHITECTURES for exporter in Exporter for trait in each.holds(exporter)}
    assert held == set(Trait) == set(REASONS)


def test_each_artifact_has_a_row_for_each_role_and_each_pair_has_one() -> None:
    found = {(row["file"], row["role"], row.get("inference")) for row in rows()}
    assert len(found) == len(rows()) == len(ARCHITECTURES) * len(Exporter) * (len(Mode) * len(Role) + 1)


@EACH
def test_an_answer_contradicts_itself_nowhere(architecture: Architecture) -> None:
    for exporter in Exporter:
        answers = [declared(architecture, exporter, mode, role) for mode in Mode for role in Role]
        for answer in (*answers, declared_pair(architecture, exporter)):
            assert not answer.codes & answer.not_codes
            assert len(answer.verdicts) == 1
            assert answer.no_errors != (answer.verdicts == (Verdict.FAIL,)) or answer.verdicts == (Verdict.WARN,)


@EACH
def test_no_train_artifact_may_be_served(architecture: Architecture) -> None:
    for exporter in Exporter:
        assert declared(architecture, exporter, Mode.TRAIN, Role.INFERENCE).verdicts == (Verdict.FAIL,)
