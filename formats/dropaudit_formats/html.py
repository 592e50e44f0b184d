"""The report as one HTML page that needs nothing else: no program, no font, no picture from elsewhere."""

from __future__ import annotations

from dropaudit.report import Report, to_json
from dropaudit_formats.again import command_of
from dropaudit_formats.grouping import grouped
from dropaudit_formats.page.environment import embedded, rendered, style
from dropaudit_formats.page.facts import execution_facts
from dropaudit_formats.page.views import output_views, site_views


def to_html(report: Report, title: str = "") -> str:
    """Return the page; every name and sentence of the report is escaped."""
    return rendered(
        "report.html.j2",
        report=report,
        title=title or "dropaudit",
        style=style("report.css", "findings.css"),
        groups=grouped(report.findings),
        sites=site_views(report),
        outputs=output_views(report),
        facts=execution_facts(report),
        command=command_of(report, title),
        document=embedded(to_json(report)),
    )


def error_page(reason: str, message: str) -> str:
    """Return the page of an audit that could not be made."""
    return rendered("error.html.j2", reason=reason, message=message, style=style("report.css"))
