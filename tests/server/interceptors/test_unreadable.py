"""Claims about requests whose bytes are no message."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from support.calls import refusal_of

SERVICE = "/dropaudit.v1.AuditService/"
WRONG = b"\xff\xff\xff"


def test_bytes_that_are_no_message_are_refused_and_nothing_is_told_of_the_inside(channel: Any) -> None:
    calls: list[Callable[[], object]] = [
        lambda: channel.unary_unary(f"{SERVICE}GetAudit")(WRONG, timeout=10),
        lambda: list(channel.unary_stream(f"{SERVICE}WatchAudit")(WRONG, timeout=10)),
        lambda: channel.stream_unary(f"{SERVICE}UploadModel")(iter([WRONG]), timeout=10),
    ]
    for call in calls:
        refusal = refusal_of(call)
        assert (refusal.code, refusal.reason) == ("INVALID_ARGUMENT", "INVALID_REQUEST")
        assert refusal.violations == {"request": "its bytes do not parse as this call's message; see the contract"}
