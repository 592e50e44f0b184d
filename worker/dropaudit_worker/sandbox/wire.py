"""The protocol between a worker and its sandbox: JSON and raw bytes, so that reading it runs nothing.

A frame is the length of a message in four bytes, the message, and the raw content that the message announces.
"""

from __future__ import annotations

from typing import Any

import msgspec

from dropaudit_store.records import Spec

# No report is longer.
MOST_ANSWER_BYTES = 256 << 20
_LENGTH_BYTES = 4


class _Message(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    pass


class AuditJob(_Message, frozen=True, kw_only=True):
    """An audit to make: its content follows, the models first and then the archive of tensors, if there is one."""

    number: int
    spec: Spec
    sizes: tuple[int, ...]


class InspectJob(_Message, frozen=True, kw_only=True):
    """A model to look at, which follows."""

    number: int
    sizes: tuple[int, ...]


class Stop(_Message, frozen=True, kw_only=True):
    """The job of this number is to end."""

    number: int


Asked = AuditJob | InspectJob | Stop
Job = AuditJob | InspectJob


class Ready(_Message, frozen=True, kw_only=True):
    """The sandbox takes jobs; `missing` is what the kernel did not give it."""

    missing: tuple[str, ...] = ()


class Told(_Message, frozen=True, kw_only=True):
    """How far an audit is: the JSON form of Progress."""

    progress: dict[str, Any]


class Made(_Message, frozen=True, kw_only=True):
    """The end of a job: the JSON form of a report, or of sites.

    Attributes:
        memory_bytes: most memory that the sandbox has taken so far.
        hits: prepared artifacts that the sandbox had kept.
        misses: artifacts that it had to prepare.
    """

    report: dict[str, Any] | None = None
    sites: tuple[dict[str, Any], ...] = ()
    memory_bytes: int = 0
    hits: int = 0
    misses: int = 0


class Refused(_Message, frozen=True, kw_only=True):
    """The job cannot be done, for a reason that its caller can do something about."""

    reason: str
    message: str


class Stopped(_Message, frozen=True, kw_only=True):
    """The job was ended as it was to be."""


class Failed(_Message, frozen=True, kw_only=True):
    """The job failed unexpectedly; `trace` is for the log."""

    trace: str


Answer = Ready | Told | Made | Refused | Stopped | Failed
Ending = Made | Refused | Stopped | Failed

_ASKED = msgspec.json.Decoder(Asked)
_ANSWER = msgspec.json.Decoder(Answer)


class Garbled(Exception):
    """The received bytes are not a frame."""


def encoded(message: Asked | Answer) -> bytes:
    """Return the frame of a message, without the raw content that follows it."""
    content = msgspec.json.encode(message)
    return len(content).to_bytes(_LENGTH_BYTES, "big") + content


def decoded_asked(content: bytes) -> Asked:
    """Read what a worker asks."""
    found: Asked = _ASKED.decode(content)
    return found


class Answers:
    """Puts the bytes that a sandbox sends together. It may send anything."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def add(self, chunk: bytes) -> None:
        """Take the next bytes."""
        self._buffer += chunk

    def next(self) -> Answer | None:
        """Return the next whole answer, None when there is none yet. Raises Garbled."""
        if len(self._buffer) < _LENGTH_BYTES:
            return None
        length = int.from_bytes(self._buffer[:_LENGTH_BYTES], "big")
        if length > MOST_ANSWER_BYTES:
            raise Garbled(f"an answer of {length} bytes is too long")
        end = _LENGTH_BYTES + length
        if len(self._buffer) < end:
            return None
        content = bytes(self._buffer[_LENGTH_BYTES:end])
        del self._buffer[:end]
        try:
            answer: Answer = _ANSWER.decode(content)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise Garbled(f"an answer cannot be read: {error}") from error
        return answer
