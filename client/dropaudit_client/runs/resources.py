"""Runs and their parts, as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from dropaudit.changes.members import MemberChange


@dataclass(frozen=True, slots=True)
class RunCounts:
    """How many audits of a run are in which state, and what their reports say themselves."""

    total: int = 0
    queued: int = 0
    running: int = 0
    succeeded: int = 0
    failed: int = 0
    cancelled: int = 0
    passed: int = 0
    warn: int = 0
    fail: int = 0
    inconclusive: int = 0
    reused: int = 0

    @property
    def ended(self) -> int:
        """Audits in a final state."""
        return self.succeeded + self.failed + self.cancelled


@dataclass(frozen=True, slots=True)
class ResolvedFile:
    """A file that a member stands for; `version` is 0, and `uri` empty, where it has none."""

    display_name: str
    sha256: str
    version: int
    uri: str


# Recorded outputs have no file; they are shown with one that says nothing.
NO_FILES = (ResolvedFile("", "", 0, ""),)


@dataclass(frozen=True, slots=True)
class ResolvedMember:
    """A subject that a member of a suite stands for; `position` counts the suite's members from 0."""

    display_name: str
    position: int
    files: tuple[ResolvedFile, ...] = ()


@dataclass(frozen=True, slots=True)
class Preview:
    """The audits that a suite would make, at most a thousand, how many there are, and warnings."""

    members: tuple[ResolvedMember, ...]
    total: int
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Changes since another run; `base` is empty, and `status` FIRST, where there is none."""

    base: str
    status: str
    counts: Mapping[str, int]
    members: tuple[MemberChange, ...] = ()
    shortened: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Delivery:
    """A notification of a run on its way to a receiver: PENDING, DELIVERED or DEAD."""

    name: str
    run: str
    webhook_url: str
    trigger: str
    state: str
    attempts: int
    last_error: str
    create_time: datetime | None
    attempt_time: datetime | None
    next_time: datetime | None


@dataclass(frozen=True, slots=True)
class Receiver:
    """Whom to tell of runs: ON_CHANGE, ON_FAILURE, ON_RECOVERY or ALWAYS. What is signed needs a secret."""

    webhook_url: str
    trigger: str = "ON_CHANGE"
    secret: str = field(default="", repr=False)
    form: str = "JSON"
