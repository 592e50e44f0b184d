"""From suite messages to records."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dropaudit_proto.v1 import audit_pb2 as pb
from dropaudit_server.members.requests import AskedMember, stored_members
from dropaudit_server.requests.names import check_request_id, resource_id
from dropaudit_server.requests.operator_rules import Rules
from dropaudit_server.requests.tensors import PutTensors
from dropaudit_server.requests.violations import Violations
from dropaudit_server.suite_fields import FIELDS
from dropaudit_store.records import Suite

_SUITE_ID = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


@dataclass(frozen=True, slots=True)
class RequestedSuite:
    """A checked CreateSuite: its values by the record's field names; the tensors of its members are not stored yet."""

    id: str
    values: Mapping[str, Any]
    members: tuple[AskedMember, ...]
    validate_only: bool = False

    @property
    def models(self) -> tuple[str, ...]:
        """SHA-256 of each model the suite names."""
        return tuple(model for member in self.members for model in member.models)

    def stored(self, put: PutTensors, now: float) -> Suite:
        """Store the tensors and return the record."""
        kept = stored_members(self.members, put)
        return Suite(id=self.id, **self.values, **kept, create_time=now, update_time=now)


def create_suite(request: pb.CreateSuiteRequest, rules: Rules) -> RequestedSuite:
    """Read a CreateSuite. Raises InvalidRequest."""
    violations = Violations(rules)
    if request.suite_id and not _SUITE_ID.fullmatch(request.suite_id):
        violations.add("suite_id", "lower-case letters, digits and hyphens, 63 at most, no hyphen at an end")
    suite_id = request.suite_id or f"suite-{uuid.uuid4().hex[:12]}"
    return _asked(request.suite, suite_id, violations, validate_only=request.validate_only)


def preview_suite(request: pb.PreviewSuiteRequest, rules: Rules) -> str | RequestedSuite:
    """Return the id of a stored suite, or the suite itself, that a PreviewSuite is about. Raises InvalidRequest."""
    violations = Violations(rules)
    match request.WhichOneof("what"):
        case "name":
            return resource_id(request.name, "suites")
        case "suite":
            only = pb.Suite(members=request.suite.members, options=request.suite.options)
            return _asked(only, "preview", violations)
    violations.add("name", "set one of name and suite")
    violations.check()
    return ""


def _asked(suite: pb.Suite, suite_id: str, violations: Violations, *, validate_only: bool = False) -> RequestedSuite:
    values: dict[str, Any] = {}
    for path, read in FIELDS.items():
        if "." not in path:
            values |= read(suite, violations)
    if suite.baseline:
        violations.add("suite.baseline", "a new suite has no runs; pin one of them later")
    violations.check()
    return RequestedSuite(suite_id, values, values.pop("members"), validate_only)


def run_suite(request: pb.RunSuiteRequest) -> tuple[str, str]:
    """Return the suite and the request id of a RunSuite. Raises InvalidRequest."""
    suite_id, violations = resource_id(request.name, "suites"), Violations()
    check_request_id(request.request_id, violations)
    violations.check()
    return suite_id, request.request_id
