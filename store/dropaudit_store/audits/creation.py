"""An audit to create, as the script takes it that makes audits."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import msgspec

from dropaudit_store.audits.terms import models_of, request_terms, tensors_of
from dropaudit_store.errors import RecordTooLarge
from dropaudit_store.records import AuditRequest
from dropaudit_store.shared.byte_limits import REQUEST_BYTES


@dataclass(frozen=True, slots=True)
class AuditToCreate:
    """An audit to create. The same `request_id` returns the audit it made first."""

    request: AuditRequest
    request_id: str = ""

    def arguments(self, audit_id: str) -> list[str]:
        """Return what the script takes of one audit. Raises RecordTooLarge."""
        request, subject = self.request, self.request.spec.subject
        # Labels come in any order: equal requests must have equal bodies.
        body = msgspec.json.encode(request, order="deterministic")
        if len(body) > REQUEST_BYTES:
            raise RecordTooLarge("an audit", len(body), REQUEST_BYTES)
        lists = (request_terms(request), models_of(subject), tensors_of(subject))
        return [
            audit_id,
            body.decode(),
            # A repeated call is the same call whatever its model has been named meanwhile.
            hashlib.sha256(msgspec.json.encode(request.asked, order="deterministic")).hexdigest(),
            self.request_id,
            request.priority.value,
            *("\n".join(each) for each in lists),
            request.run,
        ]
