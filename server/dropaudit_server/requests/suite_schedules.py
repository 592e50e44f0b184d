"""Schedules and receivers of a suite's message."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from dropaudit.schedules import CronError, ZoneError, next_due, parse, zone
from dropaudit_proto.v1 import audit_pb2 as pb
from dropaudit_server.requests.violations import Violations
from dropaudit_server.responses import timestamp
from dropaudit_store.records import Overlap, Suite

OVERLAPS = {
    pb.Schedule.OVERLAP_UNSPECIFIED: Overlap.SKIP,
    pb.Schedule.SKIP: Overlap.SKIP,
    pb.Schedule.QUEUE: Overlap.QUEUE,
    pb.Schedule.CANCEL_OLD: Overlap.CANCEL_OLD,
}
_OVERLAP = {
    Overlap.SKIP: pb.Schedule.SKIP,
    Overlap.QUEUE: pb.Schedule.QUEUE,
    Overlap.CANCEL_OLD: pb.Schedule.CANCEL_OLD,
}
_LONGEST_GRACE = 86_400
_WHERE = "suite.schedule"


def read_schedule(suite: pb.Suite, violations: Violations) -> dict[str, Any]:
    """Read a schedule as the fields of a suite's record; without one they are those of none."""
    if not suite.HasField("schedule"):
        return {"cron": "", "paused": False, "time_zone": "", "overlap": Overlap.SKIP, "grace_seconds": 0.0}
    return {name: value for read in READERS.values() for name, value in read(suite, violations).items()}


def _cron(suite: pb.Suite, violations: Violations) -> dict[str, Any]:
    try:
        parse(suite.schedule.cron)
    except CronError as error:
        violations.add(f"{_WHERE}.cron", str(error))
    return {"cron": suite.schedule.cron}


def _time_zone(suite: pb.Suite, violations: Violations) -> dict[str, Any]:
    try:
        zone(suite.schedule.time_zone)
    except ZoneError as error:
        violations.add(f"{_WHERE}.time_zone", str(error))
    return {"time_zone": suite.schedule.time_zone}


def _overlap(suite: pb.Suite, violations: Violations) -> dict[str, Any]:
    return {"overlap": violations.meaning(OVERLAPS, suite.schedule.overlap, f"{_WHERE}.overlap")}


def _grace(suite: pb.Suite, violations: Violations) -> dict[str, Any]:
    grace = suite.schedule.grace
    seconds = grace.seconds + grace.nanos / 1e9
    if not 0 <= seconds <= _LONGEST_GRACE:
        violations.add(f"{_WHERE}.grace", "from 0 to a day")
    return {"grace_seconds": seconds}


Read = Callable[[pb.Suite, Violations], dict[str, Any]]
READERS: Mapping[str, Read] = {
    "schedule.cron": _cron,
    "schedule.paused": lambda suite, _: {"paused": suite.schedule.paused},
    "schedule.time_zone": _time_zone,
    "schedule.overlap": _overlap,
    "schedule.grace": _grace,
}


def schedule(record: Suite, now: float) -> pb.Schedule | None:
    """Return the message of a suite's schedule; None without one."""
    if not record.cron:
        return None
    message = pb.Schedule(cron=record.cron, paused=record.paused, time_zone=record.time_zone)
    if record.overlap is not Overlap.SKIP:
        message.overlap = _OVERLAP[record.overlap]
    if record.grace_seconds:
        message.grace.FromMilliseconds(round(record.grace_seconds * 1000))
    if not record.paused and (due := _next(record, now)):
        message.next_time.CopyFrom(due)
    return message


def _next(record: Suite, now: float) -> Any:
    try:
        due = next_due(parse(record.cron), zone(record.time_zone), datetime.fromtimestamp(now, UTC))
    except (CronError, ZoneError):
        # An earlier version took other lines.
        return None
    return timestamp(due.timestamp()) if due else None


def paths(names: Sequence[str]) -> list[str]:
    """Return the paths of a mask without those that others stand for."""
    whole = "schedule" in names
    return [name for name in names if not (whole and name.startswith("schedule."))]
