"""From suite messages to records."""

from __future__ import annotations

import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from celery.schedules import ParseException, crontab

from dropaudit.plan import Plan
from dropaudit_proto.v1 import audit_pb2 as pb
from dropaudit_server.requests.audit_requests import labels, options
from dropaudit_server.requests.names import check_request_id, resource_id
from dropaudit_server.requests.operator_rules import Rules
from dropaudit_server.requests.subject_messages import ROLES, RequestedSubject, artifact, pair
from dropaudit_server.requests.tensors import PutTensors
from dropaudit_server.requests.violations import Violations
from dropaudit_store.records import Glob, Member, RecordedRef, Suite

_LONGEST_CRON, _SHOWN = 256, 80
_SUITE_ID = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


@dataclass(frozen=True, slots=True)
class RequestedSuite:
    """A checked CreateSuite; the tensors of its members are not stored yet."""

    id: str
    message: pb.Suite
    members: tuple[RequestedSubject | Glob, ...]
    plan: Plan

    @property
    def models(self) -> tuple[str, ...]:
        """SHA-256 of each model the suite names."""
        return tuple(
            model for member in self.members if isinstance(member, RequestedSubject) for model in member.models
        )

    def stored(self, put: PutTensors, now: float) -> Suite:
        """Store the tensors and return the record."""
        return Suite(
            id=self.id,
            display_name=self.message.display_name,
            members=stored_members(self.members, put),
            plan=self.plan,
            cron=self.message.schedule.cron,
            paused=self.message.schedule.paused,
            labels=dict(self.message.labels),
            create_time=now,
            update_time=now,
        )


def stored_members(members: Sequence[RequestedSubject | Glob], put: PutTensors) -> tuple[Member, ...]:
    """Store the tensors of members and return their records."""
    return tuple(_member(member, put) for member in members)


def _member(member: RequestedSubject | Glob, put: PutTensors) -> Member:
    if isinstance(member, Glob):
        return member
    subject = member.stored(put)
    if isinstance(subject, RecordedRef):
        raise TypeError("a suite holds no recorded outputs: SuiteMember has no field for them")
    return subject


def create_suite(request: pb.CreateSuiteRequest, rules: Rules) -> RequestedSuite:
    """Read a CreateSuite. Raises InvalidRequest."""
    violations = Violations(rules)
    if request.suite_id and not _SUITE_ID.fullmatch(request.suite_id):
        violations.add("suite_id", "lower-case letters, digits and hyphens, 63 at most, no hyphen at an end")
    violations.short(request.suite.display_name, "suite.display_name")
    members = read_members(request.suite, violations)
    if request.suite.HasField("schedule"):
        check_cron(request.suite.schedule.cron, violations)
    check_unserved(request.suite, violations)
    labels(request.suite.labels, "suite.labels", violations)
    plan = options(request.suite.options, "suite.options", violations)
    violations.check()
    return RequestedSuite(request.suite_id or f"suite-{uuid.uuid4().hex[:12]}", request.suite, members, plan)


def read_members(suite: pb.Suite, violations: Violations) -> tuple[RequestedSubject | Glob, ...]:
    """Read the members of a suite."""
    if not 1 <= len(suite.members) <= violations.rules.batch:
        violations.add("suite.members", f"give 1 to {violations.rules.batch} members")
    return tuple(
        _asked(member, f"suite.members[{position}]", violations) for position, member in enumerate(suite.members)
    )


def check_unserved(suite: pb.Suite, violations: Violations) -> None:
    """Note fields that nobody acts on: taking them would be a promise."""
    for field in ("baseline", "notifications"):
        if getattr(suite, field):
            violations.add(f"suite.{field}", "is not served by this version; leave it empty")


def _asked(member: pb.SuiteMember, path: str, violations: Violations) -> RequestedSubject | Glob:
    match member.WhichOneof("member"):
        case "artifact":
            return artifact(member.artifact, f"{path}.artifact", violations)
        case "pair":
            return pair(member.pair, f"{path}.pair", violations)
        case "glob" if member.glob.pattern:
            role = violations.meaning(ROLES, member.glob.role, f"{path}.glob.role")
            return Glob(pattern=violations.short(member.glob.pattern, f"{path}.glob.pattern"), role=role)
    violations.add(path, "set one of artifact, pair and glob")
    return Glob(pattern="")


def check_cron(cron: str, violations: Violations) -> None:
    """Note a violation for an invalid cron line."""
    try:
        if len(cron) > _LONGEST_CRON:
            raise ValueError
        crontab.from_string(cron)
    except (ParseException, ValueError):
        violations.add(
            "suite.schedule.cron", f"five cron fields are needed, such as '0 3 * * *', not {cron[:_SHOWN]!r}"
        )


def run_suite(request: pb.RunSuiteRequest) -> tuple[str, str]:
    """Return the suite and the request id of a RunSuite. Raises InvalidRequest."""
    suite_id, violations = resource_id(request.name, "suites"), Violations()
    check_request_id(request.request_id, violations)
    violations.check()
    return suite_id, request.request_id
