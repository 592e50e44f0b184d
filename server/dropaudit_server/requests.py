"""From a CreateAudit to what it asks for, with every violation of the contract at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dropaudit.errors import InvalidArgument
from dropaudit.plan import Plan, Provider
from dropaudit_proto.v1 import audit_pb2 as pb
from dropaudit_server import subjects
from dropaudit_server.names import check_request_id
from dropaudit_server.subjects import Asked
from dropaudit_server.tensors import PutTensors
from dropaudit_server.violations import Violations
from dropaudit_store.records import Priority, Spec

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


@dataclass(frozen=True, slots=True)
class AskedAudit:
    """A checked CreateAudit."""

    asked: Asked
    plan: Plan
    labels: dict[str, str]
    priority: Priority
    request_id: str
    validate_only: bool

    def spec(self, put: PutTensors) -> Spec:
        """Store the tensors and return the spec."""
        return Spec(subject=self.asked.stored(put), plan=self.plan)


def create_audit(request: pb.CreateAuditRequest) -> AskedAudit:
    """Read a CreateAudit. Raises InvalidRequest."""
    violations = Violations()
    asked = subjects.of_spec(request.audit.spec, "audit.spec", violations)
    plan = options(request.audit.spec.options, "audit.spec.options", violations)
    priority = violations.meaning(PRIORITIES, request.audit.priority, "audit.priority")
    check_request_id(request.request_id, violations)
    violations.check()
    return AskedAudit(
        asked=asked,
        plan=plan,
        labels=dict(request.audit.labels),
        priority=priority,
        request_id=request.request_id,
        validate_only=request.validate_only,
    )


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
