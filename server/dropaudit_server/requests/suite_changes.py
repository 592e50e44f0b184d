"""From an UpdateSuite to the change it asks for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from dropaudit_proto.v1 import audit_pb2 as pb
from dropaudit_server.members.requests import AskedMember, stored_members
from dropaudit_server.requests.names import resource_id
from dropaudit_server.requests.operator_rules import Rules
from dropaudit_server.requests.suite_receivers import with_secrets
from dropaudit_server.requests.tensors import PutTensors
from dropaudit_server.requests.violations import Violations
from dropaudit_server.suite_fields import FIELDS
from dropaudit_store.records import Suite

_OUTPUT_ONLY = ("name", "create_time", "update_time", "etag", "last_run")


@dataclass(frozen=True, slots=True)
class SuiteChange:
    """A checked UpdateSuite: the new values by the record's field names; the tensors of members are not stored yet."""

    id: str
    values: Mapping[str, Any]
    members: tuple[AskedMember, ...] | None
    etag: str = ""
    validate_only: bool = False

    @property
    def models(self) -> tuple[str, ...]:
        """SHA-256 of each model that the suite would name."""
        return tuple(model for each in self.members or () for model in each.models)

    def applied(self, suite: Suite, put: PutTensors, now: float) -> Suite:
        """Store the tensors and return the changed record."""
        values = dict(self.values)
        if self.members is not None:
            values |= stored_members(self.members, put)
        if "targets" in values:
            values["targets"] = with_secrets(values["targets"], suite.targets)
        return msgspec.structs.replace(suite, **values, update_time=now)


def update_suite(request: pb.UpdateSuiteRequest, rules: Rules) -> SuiteChange:
    """Read an UpdateSuite: without a mask every field that is set changes. Raises InvalidRequest."""
    suite_id, violations = resource_id(request.suite.name, "suites", "suite.name"), Violations(rules)
    paths = list(request.update_mask.paths) or [field.name for field, _ in request.suite.ListFields()]
    if paths == ["*"]:
        paths = [path for path in FIELDS if "." not in path]
    values: dict[str, Any] = {}
    for path in paths:
        if path in FIELDS:
            values |= FIELDS[path](request.suite, violations)
        elif path not in _OUTPUT_ONLY:
            violations.add("update_mask", f"{path!r} cannot be changed; {', '.join(FIELDS)} can")
    violations.check()
    members = values.pop("members", None)
    return SuiteChange(suite_id, values, members, request.suite.etag, request.validate_only)
