"""Records of a run beside its head: members, counts and how it was concluded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from dropaudit_store.records import AuditRequest, AuditState


class _Record(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    pass


class ResolvedFile(_Record, frozen=True, kw_only=True):
    """A file that a member stands for, as it was when the run began; `version` is 0 where it has none."""

    display_name: str = ""
    sha256: str = ""
    version: int = 0
    uri: str = ""


class RunMember(_Record, frozen=True, kw_only=True):
    """One subject of a run.

    Attributes:
        display_name: tells it from the run's other members, and finds it again in other runs.
        position: which of the suite's members it comes from.
        request: what is asked for.
    """

    display_name: str
    position: int
    files: tuple[ResolvedFile, ...] = ()
    request: AuditRequest


@dataclass(frozen=True, slots=True)
class Assigned:
    """The audit of a member; empty where it could not be made any more, for `reason`."""

    audit: str = ""
    reused: bool = False
    state: AuditState | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class RunCounts:
    """How many audits of a run are in which state, and what they found; `change` grows with every change."""

    total: int
    left: int
    reused: int
    states: Mapping[AuditState, int]
    verdicts: Mapping[str, int]
    end_time: float | None
    change: int


class MemberVerdict(_Record, frozen=True, kw_only=True):
    """A member's report under accepted findings: the verdict, and the findings in the report's JSON form."""

    verdict: str
    accepted: tuple[dict[str, Any], ...] = ()


class RunResult(_Record, frozen=True, kw_only=True):
    """How a run was concluded.

    Attributes:
        verdict: the run's, accepted findings left out; empty where audits have expired.
        verdicts: of members whose report has accepted findings, by their index.
        comparison: what changed since the run before, as a message in its JSON form; None where that failed.
        baseline: what changed since the baseline; None without one.
    """

    verdict: str
    verdicts: dict[str, MemberVerdict] = {}
    comparison: dict[str, Any] | None = None
    baseline: dict[str, Any] | None = None
