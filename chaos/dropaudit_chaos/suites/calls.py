"""The calls of a suite, as somebody else would read them: the signature is computed by none of the sender's code."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dropaudit_chaos.receivers import Received


@dataclass(frozen=True, slots=True)
class Call:
    """A call that arrived: what it says, and whether its signature is right."""

    body: Mapping[str, Any]
    signed: bool

    @property
    def status(self) -> str:
        """What it says became of the run."""
        return str(self.body["run"]["comparison"]["status"])


def read_call(received: Received, secret: str) -> Call:
    """Read a call, and check its signature as the Standard Webhooks specification says.

    Args:
        secret: the key of the signature.
    """
    headers = received.headers
    signed = f"{headers.get('webhook-id')}.{headers.get('webhook-timestamp')}.".encode() + received.body
    digest = hmac.new(secret.encode(), signed, hashlib.sha256).digest()
    is_right = headers.get("webhook-signature") == f"v1,{base64.b64encode(digest).decode()}"
    return Call(json.loads(received.body), is_right)
