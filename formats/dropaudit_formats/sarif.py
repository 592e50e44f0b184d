"""The report as SARIF 2.1.0, which code-scanning services read.

The rules are all findings of the catalogue, with their long form as help. An undecided test is a result of kind `open`,
which has no level in SARIF.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version
from typing import Any
from urllib.parse import quote

from dropaudit.changes import NotMade, Outcome
from dropaudit.explain import Explanation, explain_all
from dropaudit.findings import CATALOGUE, INCONCLUSIVE_CODE
from dropaudit.report import Finding, Report, Severity, to_json
from dropaudit_formats import figures
from dropaudit_formats.escape import json_text, safe
from dropaudit_formats.names import cut_middle

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
# Where the tool can be read about.
INFORMATION = "https://pypi.org/project/dropaudit/"
# GitHub takes 25,000 results of a run, and shows 5,000.
MOST_RESULTS = 5_000
_LONGEST_NAME = 500
_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
_NUMBERS = {code: number for number, code in enumerate(CATALOGUE)}


def to_sarif(report: Report, title: str = "") -> str:
    """Return a log with one run; `title` is the path of the audited file."""
    title = title or "dropaudit"
    run = {
        "tool": _tool(),
        "invocations": [{"executionSuccessful": True, **_left_out(report)}],
        "artifacts": _artifacts(report, title),
        "results": [_result(finding, title) for finding in report.findings[:MOST_RESULTS]],
        "columnKind": "unicodeCodePoints",
        "properties": _properties(report),
    }
    return log(run)


def log(run: dict[str, Any]) -> str:
    """Return a log with one run."""
    return json_text({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]})


def to_sarif_of_many(outcomes: Sequence[tuple[str, Outcome]]) -> str:
    """Return a log with one run about all named files; what could not be audited is a notification of the tool."""
    reports = [(name, outcome) for name, outcome in outcomes if not isinstance(outcome, NotMade)]
    missing = [(name, outcome) for name, outcome in outcomes if isinstance(outcome, NotMade)]
    # The first artifact of a report is the one that has the name; results refer to it by its place in the run.
    artifacts = [_artifacts(report, name)[0] for name, report in reports]
    results = [_result(each, name, at) for at, (name, report) in enumerate(reports) for each in report.findings]
    notes = [*_too_many(len(results)), *(_notification(name, outcome) for name, outcome in missing)]
    run = {
        "tool": _tool(),
        "invocations": [
            {"executionSuccessful": not missing, **({"toolExecutionNotifications": notes} if notes else {})}
        ],
        "artifacts": artifacts,
        "results": results[:MOST_RESULTS],
        "columnKind": "unicodeCodePoints",
        "properties": {"files": [{"uri": _uri(name), **_properties(report)} for name, report in reports]},
    }
    return log(run)


def notification(reason: str, message: str) -> dict[str, Any]:
    """Return the notification that an audit could not be made."""
    return {"descriptor": {"id": safe(reason)}, "level": "error", "message": {"text": safe(message)}}


def _notification(name: str, outcome: NotMade) -> dict[str, Any]:
    return {
        **notification(outcome.reason, outcome.message),
        "locations": [{"physicalLocation": {"artifactLocation": {"uri": _uri(name)}}}],
    }


def _tool() -> dict[str, Any]:
    rules = [_rule(each) for each in explain_all()]
    found = {"name": "dropaudit", "version": version("dropaudit"), "informationUri": INFORMATION, "rules": rules}
    return {"driver": found}


def _properties(report: Report) -> dict[str, Any]:
    return {
        "verdict": report.verdict,
        "summary": report.summary,
        "seed": report.execution.seed,
        "provider": report.execution.provider,
        "replicates": report.execution.replicates,
        **({"shortened": list(report.shortened)} if report.shortened else {}),
    }


def _left_out(report: Report) -> dict[str, Any]:
    notes = _too_many(len(report.findings))
    return {"toolExecutionNotifications": notes} if notes else {}


def _too_many(findings: int) -> list[dict[str, Any]]:
    """Say how many findings are left out, if any."""
    more = findings - MOST_RESULTS
    message = f"{more} findings beyond {MOST_RESULTS} are left out; the report in JSON has them"
    return [{"level": "warning", "message": {"text": message}}] if more > 0 else []


def _rule(explanation: Explanation) -> dict[str, Any]:
    return {
        "id": explanation.code,
        "name": "".join(word.capitalize() for word in explanation.slug.split("-")),
        "shortDescription": {"text": explanation.gist},
        "fullDescription": {"text": " ".join(explanation.meaning.split())},
        "help": {"text": explanation.markdown, "markdown": explanation.markdown},
        "defaultConfiguration": {"level": _LEVELS[explanation.severity]},
    }


def _artifacts(report: Report, title: str) -> list[dict[str, Any]]:
    """Describe the audited files; only the first one's path is known here."""
    files: list[dict[str, Any]] = [
        {"length": artifact.bytes, "hashes": {"sha-256": artifact.sha256}} for artifact in report.execution.artifacts
    ]
    first, *others = files or [{}]
    return [{"location": {"uri": _uri(title)}, **first}, *others]


def _result(finding: Finding, title: str, artifact: int = 0) -> dict[str, Any]:
    undecided = finding.code == INCONCLUSIVE_CODE
    subject = cut_middle(finding.subject, _LONGEST_NAME)
    # A newer server may report a code that this version has no rule for.
    rule = {"ruleIndex": _NUMBERS[finding.code]} if finding.code in _NUMBERS else {}
    return {
        "ruleId": finding.code,
        **rule,
        "kind": "open" if undecided else "fail",
        "level": "none" if undecided else _LEVELS[finding.severity],
        "message": {"text": safe(f"{subject}: {finding.message} {finding.remedy}")},
        "locations": [
            {
                # A model has no lines, and GitHub shows nothing without one.
                "physicalLocation": {
                    "artifactLocation": {"uri": _uri(title), "index": artifact},
                    "region": {"startLine": 1},
                },
                "logicalLocations": [{"name": subject, "fullyQualifiedName": subject, "kind": "element"}],
            }
        ],
        "partialFingerprints": {"codeAndSubject/v1": f"{finding.code}:{subject}"},
        **_suppressions(finding),
        "properties": {"evidence": to_json(finding).get("evidence", {})},
    }


def _suppressions(finding: Finding) -> dict[str, Any]:
    """Return what SARIF says of a result that somebody accepted; a service does not show it as open."""
    if finding.acceptance is None:
        return {}
    justification = safe(figures.acceptance(finding.acceptance))
    return {"suppressions": [{"kind": "external", "status": "accepted", "justification": justification}]}


def _uri(path: str) -> str:
    return quote(cut_middle(path, _LONGEST_NAME))
