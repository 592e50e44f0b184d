"""Pages from templates. Names come from files that nobody vouches for: all that is written is escaped."""

from __future__ import annotations

from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from dropaudit.report import Report
from dropaudit_formats.escape import safe
from dropaudit_formats.html import to_html
from dropaudit_formats.names import cut_middle

_LONGEST_NAME = 100


def rendered(template: str, **values: Any) -> str:
    """Return a page."""
    return _environment().get_template(template).render(values)


def report_page(report: Report, title: str) -> str:
    """Return a report as the page that `--format html` writes."""
    return to_html(report, title)


@cache
def _environment() -> Environment:
    found = Environment(
        loader=PackageLoader("dropaudit_server.web"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=lambda value: value if isinstance(value, Markup) else safe(str(value)),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters["name"] = lambda name: cut_middle(str(name), _LONGEST_NAME)
    return found
