"""Claims about an accepted audit while everything breaks; `make chaos` breaks far more."""

from __future__ import annotations

from pathlib import Path

import pytest

from dropaudit_chaos.chaos import ChaosPlan, run
from dropaudit_chaos.faults import FAULTS

pytestmark = pytest.mark.system


def test_every_accepted_audit_ends_once_with_the_report_of_a_calm_run_whatever_breaks(tmp_path: Path) -> None:
    outcome = run(ChaosPlan(audits=30, faults_of_each=1, clients=3, seed=3, pause=0.5, kinds=12), tmp_path)
    assert outcome.ledger.lost == outcome.ledger.unknown == outcome.ledger.wrong == ()
    assert outcome.ledger.accepted == outcome.ledger.stored >= 30
    # Some need leave to mount disks, or git.
    assert set(outcome.impossible) <= {"full content disk", "full redis disk", "other version"}
    assert set(outcome.recovery) == set(FAULTS) - set(outcome.impossible)
