"""Claims about mutated models and requests; `make fuzz` feeds far more, with another seed."""

from __future__ import annotations

from pathlib import Path

import pytest

from dropaudit_chaos.fuzz import fuzz_loader
from dropaudit_chaos.fuzz_readers import fuzz_readers
from dropaudit_chaos.fuzz_server import fuzz_server

pytestmark = pytest.mark.system


def test_a_mutated_model_gets_a_typed_error_or_a_report_and_kills_no_process() -> None:
    found = fuzz_loader(10_000, seed=7)
    assert found.surprises == []
    assert found.inputs == sum(found.outcomes.values()) == 10_000
    # Not everything is refused at the door.
    assert found.outcomes["inspected"] > 100
    assert found.outcomes["INVALID_MODEL"] > 1000


def test_mutated_filters_tokens_archives_and_requests_are_read_or_refused_in_short() -> None:
    inputs, outcomes, surprises, _ = fuzz_readers(5000, 7)
    assert surprises == []
    assert inputs == sum(outcomes.values())
    # Not everything is refused at the door.
    for name in ("filter", "archive", "token file", "CreateAudit", "UpdateSuite"):
        assert outcomes[f"{name}: read"] > 5
        assert outcomes[f"{name}: refused"] > 50


def test_a_mutated_request_gets_an_answer_or_a_refusal_and_the_server_goes_on(tmp_path: Path) -> None:
    inputs, outcomes, surprises, _ = fuzz_server(4000, 7, tmp_path)
    assert surprises == []
    assert inputs == sum(outcomes.values())
    assert outcomes["OK"] > 50
    assert outcomes["INVALID_ARGUMENT"] > 1000
