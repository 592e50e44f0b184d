"""Claims about signatures of webhooks: another implementation of the specification says the same."""

from __future__ import annotations

import json
import urllib.request

import pytest

from dropaudit_chaos.receivers import receiving
from dropaudit_chaos.suites.calls import Call, read_call
from dropaudit_worker.notifications.signing import sign

BODY = json.dumps({"run": {"comparison": {"status": "FAILED"}}}).encode()


@pytest.mark.parametrize(("secret", "body", "right"), [("s", BODY, True), ("t", BODY, False), ("s", b"{}", False)])
def test_a_receiver_that_knows_the_secret_sees_whether_a_call_is_the_senders(
    secret: str, body: bytes, right: bool
) -> None:
    with receiving() as receiver:
        headers = sign(BODY, secret, "msg_1", 1_700_000_000)
        urllib.request.urlopen(urllib.request.Request(receiver.url(), body, headers, method="POST")).close()
    assert [read_call(each, "s") for each in receiver.received] == [Call(json.loads(body), right)]
