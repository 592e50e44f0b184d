"""Signatures of webhooks, in the form of the Standard Webhooks specification (version 1, symmetric).

    webhook-id         names the notification; the same when it is sent again
    webhook-timestamp  seconds since the epoch at which it was sent
    webhook-signature  "v1," and the base64 of HMAC-SHA256(key, "{id}.{timestamp}.{body}")

The timestamp is part of what is signed, so a message that somebody recorded cannot be sent again later, and the id lets
a receiver drop what it has seen. Libraries of that specification verify it in most languages.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Mapping

ID, TIMESTAMP, SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"
TOLERANCE_SECONDS = 300
_PREFIX = "whsec_"


def sign(body: bytes, secret: str, message_id: str, timestamp: int) -> dict[str, str]:
    """Return the headers that sign a body.

    Args:
        secret: any text; where it begins with `whsec_`, the rest is the key in base64.
        message_id: without a full stop.
    """
    return {ID: message_id, TIMESTAMP: str(timestamp), SIGNATURE: f"v1,{_digest(body, secret, message_id, timestamp)}"}


def verify(body: bytes, headers: Mapping[str, str], secret: str, now: float) -> bool:
    """Whether headers sign a body with this secret, at most five minutes from now; names in lower case."""
    message_id, sent = headers.get(ID, ""), headers.get(TIMESTAMP, "")
    if not (sent.isascii() and sent.isdigit()) or abs(now - int(sent)) > TOLERANCE_SECONDS:
        return False
    expected = _digest(body, secret, message_id, int(sent))
    given = [each.partition(",")[2] for each in headers.get(SIGNATURE, "").split() if each.startswith("v1,")]
    return any(hmac.compare_digest(each.encode(), expected.encode()) for each in given)


def _digest(body: bytes, secret: str, message_id: str, timestamp: int) -> str:
    signed = f"{message_id}.{timestamp}.".encode() + body
    return base64.b64encode(hmac.digest(_key(secret), signed, "sha256")).decode()


def _key(secret: str) -> bytes:
    if secret.startswith(_PREFIX):
        try:
            return base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
        except binascii.Error:
            pass
    return secret.encode()
