"""Claims about how long a watch goes on while no server answers."""

from __future__ import annotations

import pytest

from dropaudit_client.errors import ServiceError, ServiceUnavailable
from dropaudit_client.retrying import RetryPolicy

GONE = ServiceUnavailable("SERVICE_UNAVAILABLE", "no server answers", "UNAVAILABLE")
REFUSED = ServiceError("AUDIT_NOT_FOUND", "there is none", "NOT_FOUND")


def pauses(patience: RetryPolicy) -> list[float]:
    """Return the pauses until the error is raised."""
    found = list[float]()
    try:
        while True:
            found.append(patience.pause(GONE))
    except ServiceUnavailable:
        return found


def test_where_no_server_has_ever_answered_nothing_is_waited_for() -> None:
    assert pauses(RetryPolicy(60.0, answered=False)) == []


def test_a_server_that_went_away_is_waited_for_with_growing_pauses() -> None:
    assert pauses(RetryPolicy(5.0)) == pytest.approx([0.2, 0.4, 0.8, 1.6, 3.2])


def test_an_answer_makes_patience_whole_again_and_shows_that_there_is_a_server() -> None:
    patience = RetryPolicy(0.5, answered=False)
    patience.heard()
    assert pauses(patience) == pytest.approx([0.2, 0.4])
    patience.heard()
    assert pauses(patience) == pytest.approx([0.2, 0.4])


def test_a_refusal_is_final() -> None:
    with pytest.raises(ServiceError, match="there is none"):
        RetryPolicy(60.0).pause(REFUSED)
