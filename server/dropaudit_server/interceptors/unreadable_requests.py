"""Requests that cannot be parsed: gRPC would answer UNKNOWN, and disclose what happened inside."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

from google.protobuf.message import DecodeError

from dropaudit_server.requests.violations import InvalidRequest

# Takes the place of a message until somebody is there who can refuse it.
_UNREADABLE = object()


def lenient(deserialize: Callable[[bytes], Any]) -> Callable[[bytes], Any]:
    """Return a deserializer that leaves it to `readable` to refuse bytes that are not a message."""

    def read(content: bytes) -> Any:
        try:
            return deserialize(content)
        except DecodeError:
            return _UNREADABLE

    return read


def readable(request: Any) -> Any:
    """Return a request, or the messages of one, that were read by `lenient`. Raises InvalidRequest."""
    return _each(request) if hasattr(request, "__aiter__") else _checked(request)


async def _each(messages: AsyncIterator[Any]) -> AsyncIterator[Any]:
    async for message in messages:
        yield _checked(message)


def _checked(message: Any) -> Any:
    if message is _UNREADABLE:
        raise InvalidRequest([("request", "its bytes do not parse as this call's message; see the contract")])
    return message
