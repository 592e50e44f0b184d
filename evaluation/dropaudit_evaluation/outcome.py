"""The audit of one row, and where it disagrees with the row's label."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from dropaudit.audit import audit
from dropaudit.errors import AuditError
from dropaudit.inputs import read_npz
from dropaudit.plan import Plan
from dropaudit.report import Report, Severity, Site, Verdict
from dropaudit.subjects import ArtifactSubject, PairSubject
from dropaudit_evaluation.labels import Label

NOT_MADE = 2
CRASHED = "CRASHED"
_STATUS = {Verdict.PASS: 0, Verdict.WARN: 0, Verdict.FAIL: 1, Verdict.INCONCLUSIVE: 3}


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of an audit: a report, or the reason why there is none.

    Attributes:
        reason: stable word of the error; CRASHED for what no audit should do.
        message: the error's sentence.
        seconds: wall-clock time.
    """

    report: Report | None = None
    reason: str | None = None
    message: str = ""
    seconds: float = 0.0

    @property
    def status(self) -> int:
        """Exit status that the command would end with."""
        return NOT_MADE if self.report is None else _STATUS[self.report.verdict]

    @property
    def codes(self) -> frozenset[str]:
        """Codes that were found."""
        return frozenset() if self.report is None else frozenset(finding.code for finding in self.report.findings)

    @property
    def errors(self) -> frozenset[str]:
        """Codes that were found with severity ERROR."""
        found = () if self.report is None else self.report.findings
        return frozenset(finding.code for finding in found if finding.severity is Severity.ERROR)


def audit_row(folder: Path, label: Label, plan: Plan) -> Outcome:
    """Audit a row's files. Nothing is raised: a harness must outlive what it tests."""
    start = time.perf_counter()
    try:
        report = audit(_subject(folder, label), plan)
    except AuditError as error:
        return Outcome(reason=error.reason, message=error.message, seconds=time.perf_counter() - start)
    except Exception as error:
        return Outcome(None, CRASHED, f"{type(error).__name__}: {error}", time.perf_counter() - start)
    return Outcome(report=report, seconds=time.perf_counter() - start)


def _subject(folder: Path, label: Label) -> ArtifactSubject | PairSubject:
    # Imported here: the comparison alone needs no onnx.
    from dropaudit.graph.reading.load import read_artifact

    model = read_artifact(folder / label.file)
    inputs = None if label.inputs is None else read_npz(folder / label.inputs)
    if label.inference is None:
        return ArtifactSubject(model, label.role, inputs, label.declared_keep_prob)
    return PairSubject(model, read_artifact(folder / label.inference), inputs, label.declared_keep_prob)


def drawn_one_by_one(outcome: Outcome) -> str:
    """Say why the replicates of an audit were drawn one by one; nothing where they were not, or none were drawn."""
    return "" if outcome.report is None else outcome.report.execution.sampling_reason


def disagreements(label: Label, outcome: Outcome) -> tuple[str, ...]:
    """Say in a sentence each where an outcome is not what the label asks for; nothing where they agree."""
    return (*_of_status(label, outcome), *(_of_report(label, outcome.report, outcome) if outcome.report else ()))


def _of_status(label: Label, outcome: Outcome) -> Iterator[str]:
    expects_error = label.reason is not None or label.exit == NOT_MADE
    if outcome.report is None and not expects_error:
        yield f"the audit was not made: {outcome.reason}: {outcome.message}"
        return
    if outcome.report is not None and label.exit == NOT_MADE and outcome.report.verdict in label.verdict:
        # A verdict in place of the error is right too where the label names it.
        return
    if label.exit is not None and outcome.status != label.exit:
        yield f"exit status {outcome.status}, expected {label.exit}"
    if label.reason is not None and outcome.reason != label.reason:
        yield f"{outcome.reason or 'a report'}, expected the error {label.reason}"


def _of_report(label: Label, report: Report, outcome: Outcome) -> Iterator[str]:
    if label.verdict and report.verdict not in label.verdict:
        yield f"verdict {report.verdict}, expected {_either(label.verdict)}"
    for code in sorted(label.codes - outcome.codes):
        yield f"{code} is missing"
    for group in label.codes_any:
        if not group & outcome.codes:
            yield f"none of {', '.join(sorted(group))} is there"
    for code in sorted(label.not_codes & outcome.codes):
        yield f"{code} must not be there"
    if label.no_errors and outcome.errors:
        yield f"errors where there are none: {', '.join(sorted(outcome.errors))}"
    yield from _of_sites(label, report.sites)


def _of_sites(label: Label, sites: tuple[Site, ...]) -> Iterator[str]:
    placements, families = {site.placement for site in sites}, {site.family for site in sites}
    if label.placement and not placements & set(label.placement):
        yield f"placed {_either(placements)}, expected {_either(label.placement)}"
    if label.family and not families & set(label.family):
        yield f"family {_either(families)}, expected {_either(label.family)}"
    if label.measured_between is not None:
        low, high = label.measured_between
        measured = [site.keep_prob.estimate for site in sites if site.keep_prob is not None]
        if not any(low <= value <= high for value in measured):
            found = ", ".join(f"{value:.4g}" for value in measured) or "not measured"
            yield f"keep probability {found}, expected between {low:g} and {high:g}"


def _either(words: Iterable[str]) -> str:
    return " or ".join(sorted(words)) or "nothing"
