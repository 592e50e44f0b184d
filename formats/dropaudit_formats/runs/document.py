"""The report of a run as JSON knows it."""

from __future__ import annotations

from typing import Any

from dropaudit.changes import MemberChange, NotMade
from dropaudit.report import to_json
from dropaudit_formats.escape import json_text
from dropaudit_formats.results import Result, counts_of
from dropaudit_formats.runs.report import RunReport, Since


def to_json_text(report: RunReport) -> str:
    """Return the document: the run, and each member with its verdict, findings, changes and trends."""
    found: dict[str, Any] = {
        "run": report.name,
        "title": report.title,
        "verdict": report.word,
        "counts": counts_of(report.results),
        "facts": dict(report.facts),
        "notes": list(report.notes),
        "since": _since(report.since),
        "baseline": _since(report.baseline),
        "members": [_member(each) for each in report.results],
    }
    return json_text({key: value for key, value in found.items() if value not in (None, "", [], {})})


def _since(since: Since | None) -> dict[str, Any] | None:
    if since is None:
        return None
    return {"base": since.base, "status": since.status.value, "removed": [each.member for each in since.removed]}


def _member(result: Result) -> dict[str, Any]:
    found: dict[str, Any] = {
        "member": result.name,
        "verdict": result.word,
        "audit": result.audit,
        "link": result.link,
        "reused": result.is_reused,
        "summary": result.summary,
        "error": _error(result),
        "findings": [to_json(each) for each in result.findings],
        "change": _change(result.change),
        "baselineChange": _change(result.since_baseline),
        "history": [{"run": run, "verdict": word} for run, word in result.history],
        "series": [to_json(each) for each in result.series],
    }
    return {key: value for key, value in found.items() if value not in (None, "", [], {}, False)}


def _error(result: Result) -> dict[str, str] | None:
    if not isinstance(result.outcome, NotMade) or result.waiting:
        return None
    return {"reason": result.outcome.reason, "message": result.outcome.message}


def _change(change: MemberChange | None) -> Any:
    return None if change is None else to_json(change)
