"""Templates. Names come from untrusted files: everything that is written is escaped."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from dropaudit.explain import explain
from dropaudit_formats import figures, wording
from dropaudit_formats.escape import safe
from dropaudit_formats.finding_subjects import path_of
from dropaudit_formats.names import cut_middle
from dropaudit_formats.page.markup import html_of

LONGEST_NAME = 120
_LONG = re.compile(r"\S{240,}")
_PACKAGE = "dropaudit_formats.page"


def rendered(template: str, **values: Any) -> str:
    """Return a page."""
    return environment().get_template(template).render(values) + "\n"


@cache
def environment() -> Environment:
    """Return the templates of pages, and what they call."""
    found = Environment(
        loader=PackageLoader(_PACKAGE),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=finalized,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.globals |= {"figures": figures, "wording": wording, "explain": explain, "path_of": path_of}
    found.filters |= {"name": lambda name: cut_middle(name, LONGEST_NAME), "markdown": html_of}
    return found


def finalized(value: Any) -> Any:
    """Spell out unsafe characters of whatever is not markup yet, and cut words that no sentence has."""
    if isinstance(value, Markup):
        return value
    return safe(_LONG.sub(lambda word: cut_middle(word[0], LONGEST_NAME), str(value)))


@cache
def style(*names: str) -> Markup:
    """Return style sheets of the pages, one after the other."""
    return Markup("").join(Markup(_read(name)) for name in names)


@cache
def program(name: str) -> Markup:
    """Return a program of the pages."""
    return Markup(_read(name))


@cache
def hash_of(name: str) -> str:
    """Return what a policy calls a program that stands in a page, such as `sha256-…`."""
    return "sha256-" + base64.b64encode(hashlib.sha256(program(name).encode()).digest()).decode()


def embedded(document: Any) -> Markup:
    r"""Return JSON that no HTML parser takes for markup: ASCII, with `<`, `>` and `&` as \u escapes."""
    text = json.dumps(document, separators=(",", ":"))
    return Markup(text.replace("&", r"\u0026").replace("<", r"\u003c").replace(">", r"\u003e"))


def _read(name: str) -> str:
    return files(_PACKAGE).joinpath("templates", name).read_text(encoding="utf-8")
