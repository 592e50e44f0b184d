"""Runs in the JSON form of the contract's messages, for receivers outside."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from dropaudit.changes import MemberChange, RunChange, Standing
from dropaudit.changes.found import ChangedFinding
from dropaudit.report import to_json
from dropaudit.shortening import cut, shortened_list
from dropaudit_store.records import AuditState, Run
from dropaudit_store.runs.records import RunCounts, RunResult
from dropaudit_store.shared.byte_limits import COMPARISON_BYTES, NAME_BYTES

_KINDS = ("new", "fixed", "returned", "newly_accepted", "persisting")
# Of what a comparison tells, so many members are posted.
_MOST_POSTED = 50


@dataclass
class Told:
    """Counters that members are compared with and that are then dropped."""

    base: str = ""
    persisting: int = 0
    counts: Counter[str] = field(default_factory=Counter)

    def add(self, change: MemberChange) -> None:
        """Count what changed of a member."""
        self.persisting += len(change.findings.persisting)
        self.counts["newFindings"] += len(change.findings.new) + len(change.findings.returned)
        self.counts["fixedFindings"] += len(change.findings.fixed)
        self.counts["moved"] += len(change.moved)
        self.counts["verdicts"] += _verdict(change.before) != _verdict(change.after)
        self.counts["runtimes"] += change.runtime_changed


def comparison_of(
    change: RunChange, told: Told, audit_of: Callable[[str], str], base_audit_of: Callable[[str], str]
) -> dict[str, Any]:
    """Return a Comparison in its JSON form, gravest members first, of a megabyte at most."""
    counts = dict(told.counts) if told.base else {}
    for name, kind in (("added", "ADDED"), ("removed", "REMOVED"), ("replaced", "REPLACED")):
        counts[name] = change.counts.get(kind, 0) if told.base else 0
    members = [
        _member(each, audit_of(each.member), base_audit_of(each.member))
        for each in sorted(change.members, key=_gravity)
    ]
    kept, said = shortened_list(members, "members", COMPARISON_BYTES)
    return {
        "base": told.base,
        "status": change.status.value,
        "counts": {**counts, "persistingFindings": told.persisting},
        "members": kept,
        "shortened": said,
    }


_STATUSES = ("FAILED", "CHANGED", "RECOVERED", "FIRST", "UNCHANGED")


def _gravity(change: MemberChange) -> tuple[int, int, int]:
    failing = change.after is not None and change.after.is_failing
    return _STATUSES.index(change.status.value), not failing, -len(change.findings.new)


def _member(change: MemberChange, audit: str, base_audit: str) -> dict[str, Any]:
    found: dict[str, Any] = {
        "displayName": change.member,
        "kind": change.kind.value,
        "status": change.status.value,
        "findings": list(_findings(change)),
        "measures": [
            {
                "subject": each.subject,
                "quantity": each.quantity.value,
                "before": to_json(each.before),
                "after": to_json(each.after),
            }
            for each in change.moved
        ],
        "renamed": change.renamed,
        **_sides(change),
    }
    if audit:
        found["audit"] = f"audits/{audit}"
    if base_audit:
        found["baseAudit"] = f"audits/{base_audit}"
    return found


def _sides(change: MemberChange) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if change.before and change.before.verdict:
        found["baseVerdict"] = change.before.verdict.value
    if change.after and change.after.verdict:
        found["verdict"] = change.after.verdict.value
    if change.after and change.after.reason:
        found["failure"] = cut(f"{change.after.reason}: {change.after.summary}".removesuffix(": "), NAME_BYTES)
    old, new = (each or Standing() for each in (change.before, change.after))
    if change.runtime_changed:
        found |= {"runtimeVersion": new.runtime_version, "baseRuntimeVersion": old.runtime_version}
    if old.digests != new.digests:
        found |= {"sha256": list(new.digests), "baseSha256": list(old.digests)}
    return found


def _findings(change: MemberChange) -> Iterator[dict[str, Any]]:
    for kind in _KINDS:
        for each in getattr(change.findings, kind):
            yield _finding(each, kind.upper())


def _finding(found: ChangedFinding, kind: str) -> dict[str, Any]:
    told: dict[str, Any] = {
        "kind": kind,
        "code": found.code,
        "severity": found.severity.value,
        "subject": ", ".join(found.sites) or found.subject,
        "message": cut(found.message, NAME_BYTES),
    }
    return told | ({"baseSeverity": found.was.value} if found.was else {})


def _verdict(standing: Standing | None) -> str | None:
    return standing.verdict.value if standing and standing.verdict else None


def run_document(run: Run, counts: RunCounts, result: RunResult) -> dict[str, Any]:
    """Return a finished run in the JSON form of its message, without audits."""
    document: dict[str, Any] = {
        "name": run.name,
        "state": "CANCELLED" if run.phase.value == "CANCELLED" else "FINISHED",
        "trigger": run.trigger.value,
        "createTime": _time(run.create_time),
        "counts": _counts(counts),
    }
    if result.verdict:
        document["verdict"] = result.verdict
    if run.reason:
        document["reason"] = run.reason
    for name, seconds in (("endTime", counts.end_time), ("dueTime", run.due_time)):
        if seconds is not None:
            document[name] = _time(seconds)
    for name, found in (("comparison", result.comparison), ("baselineComparison", result.baseline)):
        if found is not None:
            document[name] = _posted(found)
    return document


def _posted(comparison: Mapping[str, Any]) -> dict[str, Any]:
    """Return a comparison as it is posted: with the first of its members only, and without what persists."""
    members = [
        {**each, "findings": [found for found in each.get("findings", ()) if found["kind"] != "PERSISTING"]}
        for each in comparison["members"][:_MOST_POSTED]
    ]
    return {**comparison, "members": members}


def _counts(counts: RunCounts) -> dict[str, int]:
    found = {"total": counts.total, "reused": counts.reused}
    found |= {state.value.lower(): counts.states[state] for state in AuditState}
    found |= {name.lower(): number for name, number in counts.verdicts.items()}
    return {name: number for name, number in found.items() if number}


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
