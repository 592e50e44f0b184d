"""Claims about calls where no server answers: they end soon, and say so in a sentence."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from dropaudit_client import AuditClient
from dropaudit_client.channel import channel_options
from dropaudit_client.errors import ServiceUnavailable

SENTENCE = r"no server answers at .*; start one with `dropaudit up`, or give another --address"
CALLS: dict[str, Callable[[AuditClient], object]] = {
    "watch": lambda client: list(client.watch("audits/1")),
    "get": lambda client: client.get_audit("audits/1"),
    "list": lambda client: list(client.list_audits()),
    "upload": lambda client: client.upload_model(b"model"),
    "create suite": lambda client: client.create_suite("nightly", []),
}


@pytest.fixture(params=["refuses", "says nothing"])
def address(request: pytest.FixtureRequest) -> Iterator[str]:
    """Yield where a connection is refused, or taken and left without a word."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        if request.param == "says nothing":
            held.listen()
        yield f"127.0.0.1:{held.getsockname()[1]}"


@pytest.mark.parametrize("call", CALLS)
def test_every_call_says_that_no_server_answers(call: str, address: str) -> None:
    with AuditClient(address) as client, pytest.raises(ServiceUnavailable, match=SENTENCE):
        CALLS[call](client)


def test_connecting_and_all_pauses_between_tries_take_two_seconds_together() -> None:
    options: dict[str, Any] = dict(channel_options())
    (policy,) = (
        each["retryPolicy"] for each in json.loads(options["grpc.service_config"])["methodConfig"] if len(each) > 1
    )
    first = float(policy["initialBackoff"].removesuffix("s"))
    pauses = [first * policy["backoffMultiplier"] ** number for number in range(policy["maxAttempts"] - 1)]
    # The library varies each pause by a fifth.
    assert options["grpc.min_reconnect_backoff_ms"] / 1000 + 1.2 * sum(pauses) <= 2.1
