"""The messages that are posted: the payload as JSON, or as a message for Slack."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from dropaudit_worker.notifications.signing import sign
from dropaudit_worker.notifications.slack import slack_message


class Form(StrEnum):
    """The form of a message."""

    JSON = "JSON"
    SLACK = "SLACK"


@dataclass(frozen=True, slots=True)
class Receiver:
    """Where notifications go; without a secret nothing is signed."""

    webhook_url: str = field(repr=False)
    secret: str = field(default="", repr=False)
    form: Form = Form.JSON


@dataclass(frozen=True, slots=True)
class Message:
    """A message to post."""

    body: bytes
    headers: Mapping[str, str]


def message_for(receiver: Receiver, payload: Mapping[str, Any], message_id: str, now: float) -> Message:
    """Return the message to a receiver.

    Args:
        payload: `{"type", "trigger", "run", "links"}`, the run in its proto3 JSON form.
        message_id: the same for every attempt at one notification.
        now: seconds since the epoch; each attempt is signed anew.
    """
    content = slack_message(payload) if receiver.form is Form.SLACK else payload
    body = json.dumps(content, separators=(",", ":"), allow_nan=False).encode()
    headers = {"content-type": "application/json", "user-agent": "dropaudit"}
    if receiver.secret:
        headers |= sign(body, receiver.secret, message_id, int(now))
    return Message(body, headers)
