"""From an UpdateSuite to the change it asks for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from dropaudit_proto.v1 import audit_pb2 as pb
from dropaudit_server.requests.audit_requests import labels, options
from dropaudit_server.requests.names import resource_id
from dropaudit_server.requests.operator_rules import Rules
from dropaudit_server.requests.subject_messages import RequestedSubject
from dropaudit_server.requests.suite_requests import check_cron, check_unserved, read_members, stored_members
from dropaudit_server.requests.tensors import PutTensors
from dropaudit_server.requests.violations import Violations
from dropaudit_store.records import Glob, Suite


@dataclass(frozen=True, slots=True)
class SuiteChange:
    """A checked UpdateSuite: the new values by the record's field names; the tensors of members are not stored yet."""

    id: str
    values: Mapping[str, Any]
    members: tuple[RequestedSubject | Glob, ...] | None

    @property
    def models(self) -> tuple[str, ...]:
        """SHA-256 of each model that the suite would name."""
        return tuple(
            model for each in self.members or () if isinstance(each, RequestedSubject) for model in each.models
        )

    def applied(self, suite: Suite, put: PutTensors, now: float) -> Suite:
        """Store the tensors and return the changed record."""
        members = suite.members if self.members is None else stored_members(self.members, put)
        return msgspec.structs.replace(suite, **self.values, members=members, update_time=now)


def update_suite(request: pb.UpdateSuiteRequest, rules: Rules) -> SuiteChange:
    """Read an UpdateSuite: without a mask every field that is set changes. Raises InvalidRequest."""
    suite_id, violations = resource_id(request.suite.name, "suites", "suite.name"), Violations(rules)
    paths = list(request.update_mask.paths) or [field.name for field, _ in request.suite.ListFields()]
    if paths == ["*"]:
        paths = [path for path in _READERS if "." not in path]
    values: dict[str, Any] = {}
    for path in paths:
        if path in _READERS:
            values |= _READERS[path](request.suite, violations)
        elif path not in _OUTPUT_ONLY:
            violations.add("update_mask", f"{path!r} cannot be changed; {', '.join(_READERS)} can")
    check_unserved(request.suite, violations)
    violations.check()
    members = values.pop("members", None)
    return SuiteChange(suite_id, values, members)


_OUTPUT_ONLY = ("name", "create_time", "update_time")


def _schedule(suite: pb.Suite, violations: Violations) -> dict[str, Any]:
    if not suite.HasField("schedule"):
        return {"cron": "", "paused": False}
    return _cron(suite, violations) | {"paused": suite.schedule.paused}


def _cron(suite: pb.Suite, violations: Violations) -> dict[str, Any]:
    check_cron(suite.schedule.cron, violations)
    return {"cron": suite.schedule.cron}


_READERS: Mapping[str, Callable[[pb.Suite, Violations], dict[str, Any]]] = {
    "display_name": lambda suite, violations: {
        "display_name": violations.short(suite.display_name, "suite.display_name")
    },
    "members": lambda suite, violations: {"members": read_members(suite, violations)},
    "options": lambda suite, violations: {"plan": options(suite.options, "suite.options", violations)},
    "schedule": _schedule,
    "schedule.cron": _cron,
    "schedule.paused": lambda suite, _: {"paused": suite.schedule.paused},
    "labels": lambda suite, violations: {"labels": labels(suite.labels, "suite.labels", violations)},
}
