from __future__ import annotations

from dropaudit.errors import InvalidModel, OutOfMemory
from dropaudit_store.records import Failure
from dropaudit_worker.making.safe_failure import safe_failure


def test_a_failure_keeps_its_reason_and_quotes_nothing_that_steers_a_terminal() -> None:
    expected = Failure(reason="INVALID_MODEL", message=r"node '\x1b[31m\u202e' is broken")
    assert safe_failure(InvalidModel("node '\x1b[31m\u202e' is broken")) == expected
    assert safe_failure(Failure(reason="INVALID_MODEL", message="node '\x1b[31m\u202e' is broken")) == expected


def test_a_failure_is_of_a_thousand_bytes_at_most() -> None:
    told = safe_failure(Failure(reason="INTERNAL", message="ä" * 1000)).message
    assert told == "ä" * 448 + "…"


def test_a_lack_of_memory_names_the_setting_of_the_workers_which_the_core_does_not_know() -> None:
    assert "DROPAUDIT" not in OutOfMemory().message
    told = safe_failure(OutOfMemory("the session")).message
    assert told.endswith("or give it more (DROPAUDIT_MEMORY_LIMIT_MEBIBYTES of the workers)")
