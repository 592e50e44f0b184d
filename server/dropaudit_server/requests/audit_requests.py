"""From a CreateAudit to what it asks for, with every violation of the contract at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dropaudit.errors import InvalidArgument
from dropaudit.plan import Plan, Provider
from dropaudit_proto.v1 import audit_pb2 as pb
from dropaudit_server.requests import subject_messages as subjects
from dropaudit_server.requests.filters import audit_filter
from dropaudit_server.requests.names import check_request_id
from dropaudit_server.requests.operator_rules import Rules
from dropaudit_server.requests.paging import ListRequest, Page, page_of
from dropaudit_server.requests.subject_messages import RequestedSubject
from dropaudit_server.requests.tensors import PutTensors
from dropaudit_server.requests.violations import Violations
from dropaudit_store.audits.listing import Query
from dropaudit_store.records import Priority, Spec
from dropaudit_store.shared.byte_limits import TITLE_BYTES

PROVIDERS = {
    pb.PROVIDER_UNSPECIFIED: Provider.AUTO,
    pb.PROVIDER_AUTO: Provider.AUTO,
    pb.PROVIDER_CPU: Provider.CPU,
    pb.PROVIDER_CUDA: Provider.CUDA,
}
PRIORITIES = {
    pb.Audit.PRIORITY_UNSPECIFIED: Priority.INTERACTIVE,
    pb.Audit.INTERACTIVE: Priority.INTERACTIVE,
    pb.Audit.BATCH: Priority.BATCH,
}

_LONGEST_KEY, _LONGEST_VALUE = 63, 256


@dataclass(frozen=True, slots=True)
class RequestedAudit:
    """A checked CreateAudit."""

    asked: RequestedSubject
    plan: Plan
    labels: dict[str, str]
    priority: Priority
    display_name: str
    request_id: str
    validate_only: bool

    def spec(self, put: PutTensors) -> Spec:
        """Store the tensors and return the spec."""
        return Spec(subject=self.asked.stored(put), plan=self.plan)


def create_audit(request: pb.CreateAuditRequest, rules: Rules) -> RequestedAudit:
    """Read a CreateAudit. Raises InvalidRequest."""
    violations = Violations(rules)
    asked = _asked(request, "", violations)
    violations.check()
    return asked


def batch_create_audits(request: pb.BatchCreateAuditsRequest, rules: Rules) -> list[RequestedAudit]:
    """Read a BatchCreateAudits. Raises InvalidRequest."""
    violations = Violations(rules)
    if not 1 <= len(request.requests) <= rules.batch:
        violations.add("requests", f"give 1 to {rules.batch} requests")
        violations.check()
    asked = [_asked(each, f"requests[{position}].", violations) for position, each in enumerate(request.requests)]
    if len({each.validate_only for each in request.requests}) > 1:
        violations.add("requests", "validate_only must be the same in all of them")
    violations.check()
    return asked


def _asked(request: pb.CreateAuditRequest, path: str, violations: Violations) -> RequestedAudit:
    audit = request.audit
    check_request_id(request.request_id, violations, f"{path}request_id")
    return RequestedAudit(
        asked=subjects.of_spec(audit.spec, f"{path}audit.spec", violations),
        plan=options(audit.spec.options, f"{path}audit.spec.options", violations),
        labels=labels(audit.labels, f"{path}audit.labels", violations),
        priority=violations.meaning(PRIORITIES, audit.priority, f"{path}audit.priority"),
        display_name=violations.short(audit.display_name, f"{path}audit.display_name", TITLE_BYTES),
        request_id=request.request_id,
        validate_only=request.validate_only,
    )


def labels(given: Mapping[str, str], path: str, violations: Violations) -> dict[str, str]:
    """Read labels."""
    if len(given) > violations.rules.labels:
        violations.add(path, f"at most {violations.rules.labels} labels")
    for key, value in given.items():
        if not 1 <= len(key) <= _LONGEST_KEY or len(value) > _LONGEST_VALUE:
            violations.add(f"{path}[{key[:_LONGEST_KEY]}]", "a key has 1 to 63 characters, a value at most 256")
    return dict(given)


def list_audits(request: pb.ListAuditsRequest) -> tuple[Query, Page]:
    """Read a ListAudits. Raises InvalidRequest."""
    violations = Violations()
    condition = audit_filter(request.filter, violations)
    order = " ".join(request.order_by.split()) or "create_time desc"
    if order not in ("create_time", "create_time asc", "create_time desc"):
        violations.add("order_by", "must be create_time, create_time asc or create_time desc")
    page = page_of(request, "audits", request.filter, order, violations=violations)
    violations.check()
    return Query(condition, order == "create_time desc", page.cursor), page


def list_page(request: ListRequest, *scope: str) -> Page:
    """Read which page of a list without a filter is asked for. Raises InvalidRequest."""
    violations = Violations()
    page = page_of(request, *scope, violations=violations)
    violations.check()
    return page


def options(message: pb.AuditOptions, path: str, violations: Violations) -> Plan:
    """Read options; zero is the default."""
    given = {
        name: getattr(message, name)
        for name in ("alpha", "tolerance", "max_replicates", "seed")
        if getattr(message, name)
    }
    provider = violations.meaning(PROVIDERS, message.provider, f"{path}.provider")
    # Checked one by one, since a plan names only the first value that is out of range.
    wrong = {name: sentence for name, value in given.items() if (sentence := _refusal(name, value))}
    if message.max_replicates > violations.rules.replicates:
        wrong.setdefault("max_replicates", f"at most {violations.rules.replicates} in this service")
    for name, sentence in wrong.items():
        violations.add(f"{path}.{name}", sentence)
    compared = message.compare_provider and violations.meaning(
        PROVIDERS, message.compare_provider, f"{path}.compare_provider"
    )
    given = {} if wrong else given
    return Plan(provider=provider, compare_provider=compared or None, **given)


def _refusal(name: str, value: Any) -> str | None:
    try:
        Plan(**{name: value})
    except InvalidArgument as error:
        return error.message
    return None
