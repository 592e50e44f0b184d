"""The report as SARIF 2.1.0, which code-scanning services read.

The rules are all findings of the catalogue, with their long form as help. An undecided test is a result of kind `open`,
which has no level in SARIF.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version
from typing import Any
from urllib.parse import quote

from dropaudit.changes import NotMade
from dropaudit.explain import Explanation, explain_all
from dropaudit.finding_code import FindingCode
from dropaudit.report import Finding, Report, Severity, to_json
from dropaudit_formats import figures
from dropaudit_formats.escape import json_text, safe
from dropaudit_formats.finding_subjects import is_about_all
from dropaudit_formats.names import cut_middle
from dropaudit_formats.results import Result

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
# Where the tool can be read about.
INFORMATION = "https://pypi.org/project/dropaudit/"
# GitHub takes 25,000 results of a run, and shows 5,000.
MOST_RESULTS = 5_000
_MOST_NOTES = 1_000
_LONGEST_NAME = 500
_GRAVITY = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.INFO: 2}
_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
_NUMBERS = {code.value: number for number, code in enumerate(FindingCode)}


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


def to_sarif_of_many(results: Sequence[Result], name: str = "", *, is_compared: bool = False) -> str:
    """Return a log with one run about all subjects; what could not be audited is a notification of the tool.

    Args:
        name: of the run of a suite, by which services tell runs apart.
        is_compared: whether results say if they are new, where changes since an earlier run are known.
    """
    reports = [(each, each.outcome) for each in results if not isinstance(each.outcome, NotMade)]
    missing = [(each.name, each.outcome) for each in results if isinstance(each.outcome, NotMade)]
    found = [(at, each, finding) for at, (each, report) in enumerate(reports) for finding in report.findings]
    # Of too many the gravest are kept; the sort is stable.
    found = sorted(found, key=lambda one: _GRAVITY[one[2].severity]) if len(found) > MOST_RESULTS else found
    notes = [*_too_many(len(found)), *(_notification(title, outcome) for title, outcome in missing[:_MOST_NOTES])]
    run = {
        "tool": _tool(),
        "invocations": [
            {"executionSuccessful": not missing, **({"toolExecutionNotifications": notes} if notes else {})}
        ],
        # The first artifact of a report is the one that has the name; results refer to it by its place in the run.
        "artifacts": [_artifacts(report, each.name)[0] for each, report in reports],
        "results": [
            {**_result(finding, each.name, at), **(_baseline_state(each, finding) if is_compared else {})}
            for at, each, finding in found[:MOST_RESULTS]
        ],
        "columnKind": "unicodeCodePoints",
        **({"automationDetails": {"id": safe(name)}} if name else {}),
        "properties": {"files": [{"uri": _uri(each.name), **_properties(report)} for each, report in reports]},
    }
    return log(run)


def _baseline_state(result: Result, finding: Finding) -> dict[str, str]:
    """Return whether a finding is new since the run before."""
    change = result.change
    if change is None:
        return {"baselineState": "unchanged"}
    if change.before is None:
        return {"baselineState": "new"}
    for state, group in (("new", change.findings.new), ("updated", change.findings.returned)):
        if any((each.code, each.subject) == (finding.code, finding.subject) for each in group):
            return {"baselineState": state}
    return {"baselineState": "unchanged"}


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
    undecided = finding.code == FindingCode.INCONCLUSIVE
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
                **_logical_locations(finding, subject),
            }
        ],
        "partialFingerprints": {"codeAndSubject/v1": f"{finding.code}:{subject}"},
        **_suppressions(finding),
        "properties": {"evidence": to_json(finding)["evidence"]},
    }


def _logical_locations(finding: Finding, subject: str) -> dict[str, Any]:
    """Name the site, output or branch that a finding is about; one about a model or a pair is about all of the file."""
    if is_about_all(finding):
        return {}
    return {"logicalLocations": [{"name": subject, "fullyQualifiedName": subject, "kind": "element"}]}


def _suppressions(finding: Finding) -> dict[str, Any]:
    """Return what SARIF says of a result that somebody accepted; a service does not show it as open."""
    if finding.acceptance is None:
        return {}
    justification = safe(figures.acceptance(finding.acceptance))
    return {"suppressions": [{"kind": "external", "status": "accepted", "justification": justification}]}


def _uri(path: str) -> str:
    return quote(cut_middle(path, _LONGEST_NAME))
