"""Claims about models that nobody should run: each ends its own audit, with a reason, and harms nobody else's."""

from __future__ import annotations

from pathlib import Path

import pytest

from dropaudit.report import Verdict
from dropaudit.safe_text import is_unsafe
from dropaudit_chaos.siege.besiege import LIMIT_SECONDS, Siege, besiege
from dropaudit_chaos.siege.hostile import hostile_models
from support.command import dropaudit

pytestmark = pytest.mark.system

MODELS = hostile_models()
_VERDICTS = {verdict.value for verdict in Verdict}
_REASONS = {"INVALID_MODEL", "EXECUTION_FAILED", "TIME_LIMIT_EXCEEDED", "MEMORY_LIMIT_EXCEEDED", "WORKER_LOST"}
# What ends at the hard limit: twice the limit, and what it takes to notice.
_LONGEST_SECONDS = 2 * LIMIT_SECONDS + 10


@pytest.fixture(scope="module")
def siege(tmp_path_factory: pytest.TempPathFactory) -> Siege:
    """Every kind, once, at one real worker."""
    return besiege(MODELS, tmp_path_factory.mktemp("siege"))


def test_there_are_more_than_sixty_kinds_and_each_ends_with_a_verdict_or_a_reason(siege: Siege) -> None:
    assert len(siege.ended) >= 60
    strange = {kind: each for kind, each in siege.ended.items() if each.outcome not in _VERDICTS | _REASONS}
    assert strange == {}


def test_none_takes_longer_than_the_limit_and_only_what_nothing_ends_costs_a_child(siege: Siege) -> None:
    assert {kind for kind, each in siege.ended.items() if each.seconds > _LONGEST_SECONDS} == set()
    lost = {kind for kind, each in siege.ended.items() if each.outcome == "WORKER_LOST"}
    assert lost <= {"time: products without end"}


def test_every_healthy_audit_in_between_is_made_and_no_parent_dies(siege: Siege) -> None:
    assert (siege.harmed, siege.neighbours, siege.restarted) == (0, len(siege.ended), False)


def test_no_reason_steers_a_terminal(siege: Siege) -> None:
    reasons = {kind: each.message for kind, each in siege.ended.items() if each.outcome in _REASONS}
    assert {
        kind for kind, message in reasons.items() if any(map(is_unsafe, message)) or len(message.encode()) > 1000
    } == set()
    assert r"\x1b" in reasons["names: an unknown operator's, with escapes"]


def test_external_data_is_refused_whatever_it_names(siege: Siege) -> None:
    outside = {kind: each.outcome for kind, each in siege.ended.items() if kind.startswith("external data")}
    assert len(outside) >= 8
    assert set(outside.values()) == {"INVALID_MODEL"}


def test_no_name_steers_the_terminal_of_the_command(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    for kind in (
        "names: escapes for a terminal",
        "names: an unknown operator's, with escapes",
        "names: right to left",
        "names: line breaks",
    ):
        path.write_bytes(MODELS[kind])
        ended = dropaudit("run", path, "--replicates", 64)
        said = (ended.stdout + ended.stderr).replace("\n", "")
        assert said.isprintable(), kind
        assert "Traceback" not in said
