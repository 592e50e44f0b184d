"""The report as one HTML page that needs nothing else: no program, no font, no picture from elsewhere."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from dropaudit.changes import NotMade
from dropaudit.explain import explain
from dropaudit.report import Report, to_json
from dropaudit_formats import figures, wording
from dropaudit_formats.again import command_of
from dropaudit_formats.escape import safe
from dropaudit_formats.finding_subjects import path_of
from dropaudit_formats.grouping import grouped
from dropaudit_formats.names import cut_middle
from dropaudit_formats.page.facts import execution_facts
from dropaudit_formats.page.markup import html_of
from dropaudit_formats.page.views import output_views, site_views
from dropaudit_formats.results import Result, total

LONGEST_NAME = 120
_LONG = re.compile(r"\S{240,}")
_PACKAGE = "dropaudit_formats.page"


def to_html(report: Report, title: str = "") -> str:
    """Return the page; every name and sentence of the report is escaped."""
    template = _environment().get_template("report.html.j2")
    return (
        template.render(
            report=report,
            title=title or "dropaudit",
            style=Markup(_read("report.css")),
            groups=grouped(report.findings),
            sites=site_views(report),
            outputs=output_views(report),
            facts=execution_facts(report),
            command=command_of(report, title),
            document=embedded(to_json(report)),
        )
        + "\n"
    )


def to_html_of_many(results: Sequence[Result]) -> str:
    """Return one page about several files: a table, and the findings of each report, folded."""
    parts = [
        (result, None if isinstance(result.outcome, NotMade) else grouped(result.outcome.findings))
        for result in results
    ]
    template = _environment().get_template("many.html.j2")
    return template.render(parts=parts, total=total(results), style=Markup(_read("report.css"))) + "\n"


def error_page(reason: str, message: str) -> str:
    """Return the page of an audit that could not be made."""
    template = _environment().get_template("error.html.j2")
    return template.render(reason=reason, message=message, style=Markup(_read("report.css"))) + "\n"


def embedded(document: Any) -> Markup:
    r"""Return JSON that no HTML parser takes for markup: ASCII, with `<`, `>` and `&` as \u escapes."""
    text = json.dumps(document, separators=(",", ":"))
    return Markup(text.replace("&", r"\u0026").replace("<", r"\u003c").replace(">", r"\u003e"))


@cache
def _environment() -> Environment:
    found = Environment(
        loader=PackageLoader(_PACKAGE),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_finalized,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.globals |= {"figures": figures, "wording": wording, "explain": explain, "path_of": path_of}
    found.filters |= {"name": lambda name: cut_middle(name, LONGEST_NAME), "markdown": html_of}
    return found


def _finalized(value: Any) -> Any:
    """Spell out unsafe characters of whatever is no markup yet, and cut words that no sentence has."""
    if isinstance(value, Markup):
        return value
    return safe(_LONG.sub(lambda word: cut_middle(word[0], LONGEST_NAME), str(value)))


def _read(name: str) -> str:
    return files(_PACKAGE).joinpath("templates", name).read_text(encoding="utf-8")
