"""Reports, of one audit or of a run, as documents. What each form needs is imported when it is asked for."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, assert_never

from dropaudit.report import Report, to_json
from dropaudit_formats.escape import json_text

if TYPE_CHECKING:
    from dropaudit_formats.not_made import ErrorDocument
    from dropaudit_formats.runs.report import RunReport


class Form(StrEnum):
    """Forms of documents."""

    JSON = "json"
    HTML = "html"
    JUNIT = "junit"
    SARIF = "sarif"
    MARKDOWN = "markdown"


MEDIA_TYPES = {
    Form.JSON: "application/json",
    Form.HTML: "text/html; charset=utf-8",
    Form.JUNIT: "application/xml",
    Form.SARIF: "application/sarif+json",
    Form.MARKDOWN: "text/markdown; charset=utf-8",
}


def report_text(report: Report, form: Form, title: str = "") -> str:
    """Return the report of one audit."""
    match form:
        case Form.JSON:
            return json_text(to_json(report))
        case Form.HTML:
            from dropaudit_formats.html import to_html

            return to_html(report, title)
        case Form.JUNIT:
            from dropaudit_formats.junit import to_junit

            return to_junit(report, title)
        case Form.SARIF:
            from dropaudit_formats.sarif import to_sarif

            return to_sarif(report, title)
        case Form.MARKDOWN:
            from dropaudit_formats.markdown import to_markdown

            return to_markdown(report, title)
        case _:
            assert_never(form)


def run_text(report: RunReport, form: Form) -> str:
    """Return the report of a run."""
    match form:
        case Form.JSON:
            from dropaudit_formats.runs.document import to_json_text

            return to_json_text(report)
        case Form.HTML:
            from dropaudit_formats.runs import page

            return page.to_html(report)
        case Form.JUNIT:
            from dropaudit_formats.junit import to_junit_of_many

            return to_junit_of_many(report.results, report.name)
        case Form.SARIF:
            from dropaudit_formats.sarif import to_sarif_of_many

            return to_sarif_of_many(report.results, report.name, is_compared=report.since is not None)
        case Form.MARKDOWN:
            from dropaudit_formats.runs import markdown

            return markdown.to_markdown(report)
        case _:
            assert_never(form)


def error_text(error: ErrorDocument, form: Form) -> str:
    """Return why there is no report."""
    writers = {
        Form.JSON: error.as_json,
        Form.JUNIT: error.as_junit,
        Form.SARIF: error.as_sarif,
        Form.MARKDOWN: error.as_markdown,
        Form.HTML: error.as_html,
    }
    return writers[form]()
