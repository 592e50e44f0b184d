"""Instants in messages."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp


def time_of(message: Message, field: str) -> datetime | None:
    """Return the instant in a field, None where it is absent."""
    if not message.HasField(field):
        return None
    stamp: Timestamp | Any = getattr(message, field)
    found: datetime = stamp.ToDatetime(tzinfo=UTC)
    return found
