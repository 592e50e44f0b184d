"""Audits in the store, as the server makes them, and what becomes of them."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import redis

from dropaudit.plan import Plan, Provider, Role
from dropaudit_models import export
from dropaudit_store.audits.lifecycle import AuditStore
from dropaudit_store.content.blobs import BlobStore
from dropaudit_store.records import ArtifactRef, AuditRecord, AuditRequest, Spec, SubjectRef
from support.services import eventually

PLAN = Plan(provider=Provider.CPU)


def undecided(replicates: int) -> Plan:
    """Return a plan that never decides, since its tolerance is finer than so few replicates can tell."""
    return Plan(provider=Provider.CPU, tolerance=1e-6, max_replicates=replicates)


def stored(blobs: BlobStore, name: str, folder: Path) -> ArtifactRef:
    """Store a reference model, to be audited in role train."""
    return ArtifactRef(model=blobs.put(stored_content(name, folder)), role=Role.TRAIN)


def stored_content(name: str, folder: Path) -> bytes:
    """Return a reference model as ONNX."""
    return export(name, folder).read_bytes()


def ask(store: AuditStore, subject: SubjectRef, plan: Plan = PLAN) -> str:
    """Make an audit that waits, and return its id."""
    return store.create(AuditRequest(spec=Spec(subject=subject, plan=plan))).id


def finished(store: AuditStore, audit_id: str) -> AuditRecord:
    """Wait for the end of an audit."""
    eventually(lambda: store.get(audit_id).state.is_final, f"audits/{audit_id} does not end", 60.0)
    return store.get(audit_id)


def kinds_of_events(client: redis.Redis, audit_id: str) -> list[str]:
    """Return the kinds of an audit's events so far."""
    found = cast(list[tuple[str, dict[str, str]]], client.xrange(f"dropaudit:events:{audit_id}"))
    return [fields["kind"] for _, fields in found]
