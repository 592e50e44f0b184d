"""The long form of every finding code: what it means, why it happens, how to confirm and to fix it.

The texts are data, one Markdown file a code in `dropaudit/explanations/`, and are read when they are asked for.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from dropaudit.errors import InvalidArgument
from dropaudit.finding_code import FindingCode
from dropaudit.findings import CATALOGUE
from dropaudit.report import Severity

SECTIONS = ("Meaning", "Causes", "Confirm", "Fix", "Sources")
_HEADING = re.compile(r"^## (.+)$", re.MULTILINE)
_PYTHON = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class UnknownCode(InvalidArgument):
    """No finding has this code."""

    def __init__(self, code: str) -> None:
        super().__init__(f"there is no finding {code!r}; there are {', '.join(CATALOGUE)}", code=code)


class Explanation(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The long form of one code; every text is Markdown.

    Attributes:
        confirm: how to see it by hand; its Python snippets print a line `confirmed: True` where the fault is.
        markdown: all of it, with a heading.
    """

    code: str
    slug: str
    severity: Severity
    meaning: str
    causes: str
    confirm: str
    fix: str
    sources: str
    markdown: str

    @property
    def snippets(self) -> tuple[str, ...]:
        """The Python programs in `confirm`."""
        return tuple(_PYTHON.findall(self.confirm))

    @property
    def gist(self) -> str:
        """The first sentence of the meaning."""
        prose = " ".join(self.meaning.split())
        return re.split(r"(?<=[.:]) ", prose, maxsplit=1)[0].rstrip(":.") + "."


def explain(code: str) -> Explanation:
    """Return the long form of a code, in capitals or not. Raises UnknownCode."""
    found = CATALOGUE.get(code.upper())
    if found is None:
        raise UnknownCode(code)
    # Findings are accepted without their explanations: the import takes 5 ms.
    from importlib.resources import files

    text = files("dropaudit").joinpath("explanations", f"{found.value}.md").read_text(encoding="utf-8")
    parts = sections_of(text)
    return Explanation(
        code=found.value,
        slug=found.slug,
        severity=found.severity,
        markdown=text,
        **{name.lower(): parts[name] for name in SECTIONS},
    )


def explain_all() -> tuple[Explanation, ...]:
    """Return the long form of every code, in the order of the catalogue."""
    return tuple(map(explain, FindingCode))


def sections_of(markdown: str) -> dict[str, str]:
    """Split a text at its second-level headings: heading to what stands under it."""
    _, *parts = _HEADING.split(markdown)
    return {heading: body.strip() for heading, body in zip(parts[::2], parts[1::2], strict=True)}


def as_document(explanation: Explanation) -> dict[str, Any]:
    """Return the JSON form: the sections without the whole."""
    document: dict[str, Any] = msgspec.to_builtins(explanation)
    del document["markdown"]
    return document
