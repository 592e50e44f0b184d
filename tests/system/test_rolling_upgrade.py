"""Claims about an upgrade under load; `make upgrade` goes part of the way back as well."""

from __future__ import annotations

from pathlib import Path

import pytest

from dropaudit_chaos.upgrade.newer_version import FORMAT
from dropaudit_chaos.upgrade.rolling import UPGRADE, run
from dropaudit_store.shared import formats

pytestmark = pytest.mark.system


def test_servers_and_workers_are_replaced_one_by_one_and_no_client_notices(tmp_path: Path) -> None:
    outcome = run(tmp_path, UPGRADE)
    assert outcome.failures == outcome.wrong == []
    assert len(outcome.accepted) >= 10
    # Both versions have written records, and both have read the other's.
    assert outcome.formats == {formats.FORMAT, FORMAT}
    assert [(each.finished, len(each.audits)) for each in outcome.runs] == [(True, 2)] * len(UPGRADE)
