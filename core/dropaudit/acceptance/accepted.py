"""Which findings somebody accepts: why, who, until when, and how far their numbers may go."""

from __future__ import annotations

import math
from datetime import date, datetime, time, timedelta, tzinfo
from fnmatch import fnmatchcase

import msgspec

from dropaudit.changes.found import subjects_of
from dropaudit.errors import InvalidArgument
from dropaudit.explain import UnknownCode
from dropaudit.findings import CATALOGUE
from dropaudit.report import Acceptance, Finding

LONGEST_REASON = 512
# Names of the main number of a finding in its evidence; the first that is there counts.
_MAIN_NUMBERS = ("estimate", "factor", "inferenceFactor", "distance", "dispersion", "keepProbOfBoth", "max")


class Range(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Where the main number of a finding may lie, both ends included.

    Raises:
        InvalidArgument: the ends are not finite numbers, the smaller first.
    """

    lower: float
    upper: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.lower) and math.isfinite(self.upper) and self.lower <= self.upper):
            raise InvalidArgument(
                f"a range is two numbers, the smaller first, not {self.lower:g} and {self.upper:g}", field="range"
            )

    def holds(self, finding: Finding) -> bool:
        """Whether the finding's evidence has a main number, and it lies inside."""
        value = main_number(finding)
        return value is not None and self.lower <= value <= self.upper


def main_number(finding: Finding) -> float | None:
    """Return the number that a finding is mainly about; None where its evidence has none."""
    values = (finding.evidence[name] for name in _MAIN_NUMBERS if name in finding.evidence)
    return next((float(value) for value in values if isinstance(value, int | float)), None)


class AcceptedFinding(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Findings of one code that are accepted.

    Attributes:
        code: of the findings.
        reason: why they are accepted.
        subject: shell pattern of sites and outputs, or a name as it is; empty: all.
        member: shell pattern of the members of a suite or the files of a run, or a name as it is; empty: all.
        accepted_by: who accepts them.
        expire_time: the instant from which this no longer holds, with a time zone; None: it holds for good.
        range: where their main number may lie; None: anywhere.

    Raises:
        UnknownCode: there is no such finding.
        InvalidArgument: no reason, too long a one, or an instant without a time zone.
    """

    code: str
    reason: str
    subject: str = "*"
    member: str = "*"
    accepted_by: str = ""
    expire_time: datetime | None = None
    range: Range | None = None

    def __post_init__(self) -> None:
        if self.code not in CATALOGUE:
            raise UnknownCode(self.code)
        if not self.reason.strip() or len(self.reason.encode()) > LONGEST_REASON:
            raise InvalidArgument(
                f"{self.code} needs a reason to be accepted for, of at most {LONGEST_REASON} bytes", field="reason"
            )
        if self.expire_time is not None and self.expire_time.utcoffset() is None:
            raise InvalidArgument(f"the time at which {self.code} expires needs a time zone", field="expire_time")

    @property
    def acceptance(self) -> Acceptance:
        """The acceptance as a report tells it."""
        return Acceptance(reason=self.reason, accepted_by=self.accepted_by, expire_time=self.expire_time)

    def has_expired(self, now: datetime) -> bool:
        """Whether it no longer holds."""
        return self.expire_time is not None and self.expire_time <= now

    def covers(self, finding: Finding, member: str, now: datetime) -> bool:
        """Whether it holds for everything that a finding is about."""
        return (
            finding.code == self.code
            and not self.has_expired(now)
            and _matches(member, self.member)
            and all(_matches(name, self.subject) for name in subjects_of(finding))
            and (self.range is None or self.range.holds(finding))
        )


def _matches(name: str, pattern: str) -> bool:
    """Whether a name matches; names of nodes may hold brackets, so the name itself always does."""
    return pattern in ("", name) or fnmatchcase(name, pattern)


def end_of_day(day: date, zone: tzinfo) -> datetime:
    """Return the instant at which a day is over in a time zone: what is accepted until a day is so all through it."""
    return datetime.combine(day + timedelta(days=1), time(), zone)
