"""Formats with golden files, and what of their documents these hold."""

from __future__ import annotations

import json
import re

from dropaudit_client.terminal.outcome import Format
from dropaudit_formats.escape import json_text

SUFFIXES = {
    Format.TEXT: "txt",
    Format.JSON: "json",
    Format.HTML: "html",
    Format.JUNIT: "junit.xml",
    Format.SARIF: "sarif",
    Format.MARKDOWN: "md",
}
"""How golden files of a format end; a format is added here, and `make golden` writes its files."""

# Style, the report's JSON and the long forms of findings: the same in every page, or in golden files of their own.
_ELSEWHERE = re.compile(
    r"(<(style|script)[^>]*>).*?(</\2>)|(<details><summary>[^<]*</summary>).*?(</details>)", re.DOTALL
)
_HASH = re.compile(r"sha256-[\w+/=]+")


def without_long_forms(text: str, form: Format) -> str:
    """Return a document without what says nothing of this report: explanations, style, the version of the tool."""
    if form is Format.HTML:
        return _HASH.sub("sha256-…", _ELSEWHERE.sub(r"\1\4…\3\5", text))
    if form is Format.SARIF:
        document = json.loads(text)
        driver = document["runs"][0]["tool"]["driver"]
        driver["version"] = "…"
        if "rules" in driver:
            driver["rules"] = [{"id": rule["id"], "name": rule["name"]} for rule in driver["rules"]]
        return json_text(document)
    return text
