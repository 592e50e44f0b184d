"""Pages from templates. Names come from untrusted files: everything that is written is escaped."""

from __future__ import annotations

from functools import cache
from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, PrefixLoader

from dropaudit_formats.page.environment import environment


def rendered(template: str, **values: Any) -> str:
    """Return a page."""
    return _environment().get_template(template).render(values)


@cache
def _environment() -> Environment:
    """Return the templates of the dashboard, and those of reports under `formats/`, with all that these call."""
    shared = PrefixLoader({"formats": PackageLoader("dropaudit_formats.page")})
    return environment().overlay(loader=ChoiceLoader([PackageLoader("dropaudit_server.web"), shared]))
