"""The report as JUnit XML, which CI systems show as test results.

Every site and every output is a test case, and so is every code with findings about neither: about the model, the pair,
a branch. A case fails by an ERROR,
errs by an undecided test, and passes with its warnings, and with what is accepted, in `system-out`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from xml.etree import ElementTree

from dropaudit.changes import NotMade, Outcome
from dropaudit.finding_code import FindingCode
from dropaudit.findings import open_ones
from dropaudit.report import Finding, Report, Severity, Verdict
from dropaudit_formats import figures
from dropaudit_formats.escape import safe
from dropaudit_formats.finding_subjects import about_output, about_site, about_the_rest, path_of
from dropaudit_formats.names import cut_middle
from dropaudit_formats.results import Result

_LONGEST_NAME = 500
_NOTHING = NotMade(reason="NO_MEMBERS", message="nothing was audited")
Case = tuple[str, str, list[Finding]]
"""Class name, name and findings of a test case."""


def to_junit(report: Report, title: str = "") -> str:
    """Return one test suite named `title` in one `testsuites` element."""
    return to_junit_of_many([Result(title or "dropaudit", report)])


def to_junit_of_many(results: Iterable[Result], title: str = "") -> str:
    """Return a test suite for each subject in one `testsuites` element; what was not audited errs."""
    # A document without a suite is read as one in which nothing failed.
    suites = [_suite(each.name, each.outcome) for each in results] or [_suite(title or "dropaudit", _NOTHING)]
    sums = {key: str(sum(int(suite.attrib[key]) for suite in suites)) for key in ("tests", "failures", "errors")}
    seconds = f"{sum(float(suite.attrib['time']) for suite in suites):.3f}"
    root = ElementTree.Element(
        "testsuites", {"name": cut_middle(title, _LONGEST_NAME) or "dropaudit", **sums, "time": seconds}
    )
    root.extend(suites)
    return written(root)


def written(root: ElementTree.Element) -> str:
    """Return a document with its declaration, indented."""
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _suite(name: str, outcome: Outcome) -> ElementTree.Element:
    seconds = 0.0 if isinstance(outcome, NotMade) else outcome.execution.seconds.total
    suite = ElementTree.Element("testsuite", name=cut_middle(name, _LONGEST_NAME), time=f"{seconds:.3f}")
    suite.extend(
        [case_not_made(outcome.reason, outcome.message)] if isinstance(outcome, NotMade) else map(_case, cases(outcome))
    )
    suite.attrib |= {
        "tests": str(len(suite)),
        "failures": str(len(suite.findall("testcase/failure"))),
        "errors": str(len(suite.findall("testcase/error"))),
        "skipped": "0",
    }
    said = outcome.message if isinstance(outcome, NotMade) else f"{outcome.verdict}: {outcome.summary}"
    ElementTree.SubElement(suite, "system-out").text = safe(said)
    return suite


def case_not_made(reason: str, message: str) -> ElementTree.Element:
    """Return the test case of an audit that could not be made: it errs."""
    element = ElementTree.Element("testcase", classname="dropaudit.audit", name="audit")
    error = ElementTree.SubElement(element, "error", type=safe(reason), message=safe(message))
    error.text = safe(message)
    return element


def cases(report: Report) -> list[Case]:
    """Return the test cases of a report; there is one at least."""
    found = [("site", path_of(site), about_site(site, report)) for site in report.sites]
    found += [("output", output.name, about_output(output, report)) for output in report.outputs]
    found += _by_code(about_the_rest(report))
    return found or [("audit", "audit", [])]


def _by_code(findings: Iterable[Finding]) -> Iterator[Case]:
    grouped: dict[str, list[Finding]] = {}
    for finding in findings:
        grouped.setdefault(f"{finding.code} {finding.slug}", []).append(finding)
    return (("audit", name, group) for name, group in grouped.items())


def _case(case: Case) -> ElementTree.Element:
    kind, name, findings = case
    element = ElementTree.Element("testcase", classname=f"dropaudit.{kind}", name=cut_middle(name, _LONGEST_NAME))
    counted = open_ones(findings)
    undecided = [finding for finding in counted if finding.code == FindingCode.INCONCLUSIVE]
    wrong = [finding for finding in counted if finding.severity is Severity.ERROR]
    if wrong:
        element.append(_outcome("failure", wrong))
    elif undecided:
        element.append(_outcome("error", undecided))
    remarks = [finding for finding in findings if finding not in (wrong or undecided)]
    if remarks:
        ElementTree.SubElement(element, "system-out").text = "\n\n".join(map(_told, remarks))
    return element


def _outcome(tag: str, findings: list[Finding]) -> ElementTree.Element:
    kind = " ".join(dict.fromkeys(f"{finding.code} {finding.slug}" for finding in findings))
    element = ElementTree.Element(tag, type=safe(kind), message=safe(findings[0].message))
    element.text = "\n\n".join(map(_told, findings))
    return element


def _told(finding: Finding) -> str:
    severity = Verdict.INCONCLUSIVE if finding.code == FindingCode.INCONCLUSIVE else finding.severity
    head = f"{severity} {finding.code} {finding.slug}: {finding.subject}"
    accepted = [figures.acceptance(finding.acceptance)] if finding.acceptance else []
    return "\n".join(map(safe, (head, finding.message, f"Remedy: {finding.remedy}", *accepted)))
