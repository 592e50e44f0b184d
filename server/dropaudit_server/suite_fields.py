"""The fields of a suite's message that a caller may set, each with what reads it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
from google.protobuf.timestamp_pb2 import Timestamp

from dropaudit.acceptance import AcceptedFinding, Range
from dropaudit.errors import AuditError, InvalidArgument
from dropaudit_proto.v1 import audit_pb2 as pb
from dropaudit_server.members.requests import read_members
from dropaudit_server.requests.audit_requests import labels, options
from dropaudit_server.requests.names import run_ids
from dropaudit_server.requests.suite_receivers import read_targets
from dropaudit_server.requests.suite_schedules import READERS, Read, read_schedule
from dropaudit_server.requests.violations import InvalidRequest, Violations

_MOST_ACCEPTED = 1000


def _baseline(suite: pb.Suite, violations: Violations) -> dict[str, Any]:
    if not suite.baseline:
        return {"baseline": ""}
    try:
        _, run_id = run_ids(suite.baseline)
    except InvalidRequest:
        run_id = ""
    if not run_id or (suite.name and not suite.baseline.startswith(f"{suite.name}/runs/")):
        violations.add("suite.baseline", f"must be a run of the suite, {suite.name or 'suites/…'}/runs/…")
    return {"baseline": run_id}


def _accepted(suite: pb.Suite, violations: Violations) -> dict[str, Any]:
    if len(suite.accepted_findings) > _MOST_ACCEPTED:
        violations.add("suite.accepted_findings", f"at most {_MOST_ACCEPTED}")
    found = []
    for position, each in enumerate(suite.accepted_findings):
        path = f"suite.accepted_findings[{position}]"
        for field in ("member", "subject"):
            violations.short(getattr(each, field), f"{path}.{field}")
        violations.short(each.acceptance.accepted_by, f"{path}.acceptance.accepted_by")
        found.append(_accepted_finding(each, path, violations))
    return {"accepted": tuple(each for each in found if each is not None)}


def _accepted_finding(message: pb.AcceptedFinding, path: str, violations: Violations) -> dict[str, Any] | None:
    """Read an accepted finding in the form that the core has of it."""
    acceptance = message.acceptance
    try:
        bounds = Range(lower=message.range.lower, upper=message.range.upper) if message.HasField("range") else None
        expire = _instant(acceptance.expire_time) if acceptance.HasField("expire_time") else None
        found = AcceptedFinding(
            code=message.code,
            reason=acceptance.reason,
            subject=message.subject,
            member=message.member,
            accepted_by=acceptance.accepted_by,
            expire_time=expire,
            range=bounds,
        )
    except AuditError as error:
        field = {"reason": "acceptance.reason", "expire_time": "acceptance.expire_time"}.get(
            error.facts.get("field", ""), error.facts.get("field", "code")
        )
        violations.add(f"{path}.{field}", error.message)
        return None
    kept: dict[str, Any] = msgspec.to_builtins(found)
    return kept


def _instant(stamp: Timestamp) -> datetime:
    try:
        found: datetime = stamp.ToDatetime(tzinfo=UTC)
    except (ValueError, OverflowError) as error:
        raise InvalidArgument("it must be an instant of the years 1 to 9999", field="expire_time") from error
    return found


# Each returns values by the names of the record's fields.
FIELDS: Mapping[str, Read] = {
    "display_name": lambda suite, violations: {
        "display_name": violations.short(suite.display_name, "suite.display_name")
    },
    "members": lambda suite, violations: {"members": read_members(suite, violations)},
    "options": lambda suite, violations: {"plan": options(suite.options, "suite.options", violations)},
    "schedule": read_schedule,
    **READERS,
    "baseline": _baseline,
    "notifications": read_targets,
    "labels": lambda suite, violations: {"labels": labels(suite.labels, "suite.labels", violations)},
    "accepted_findings": _accepted,
    "always_audit": lambda suite, _: {"always_audit": suite.always_audit},
}
