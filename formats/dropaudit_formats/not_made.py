"""An audit that could not be made, in each format: nobody must take it for one that found nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any
from xml.etree import ElementTree

import msgspec

from dropaudit_formats.escape import json_text
from dropaudit_formats.junit import case_not_made, written
from dropaudit_formats.markdown import code, plain
from dropaudit_formats.sarif import INFORMATION, log, notification


class ErrorDocument(msgspec.Struct, frozen=True):
    """Why there is no report: a stable word in capitals, a sentence, and all problems of a document that is refused."""

    reason: str
    message: str
    problems: Sequence[Mapping[str, Any]] = ()

    def as_json(self) -> str:
        """Return the error document."""
        listed = {"problems": list(self.problems)} if self.problems else {}
        return json_text({"error": {"reason": self.reason, "message": self.message, **listed}})

    def as_junit(self) -> str:
        """Return one test case that erred."""
        counts = {"tests": "1", "failures": "0", "errors": "1", "time": "0"}
        root = ElementTree.Element("testsuites", {"name": "dropaudit", **counts})
        suite = ElementTree.SubElement(root, "testsuite", {"name": "dropaudit", **counts, "skipped": "0"})
        suite.append(case_not_made(self.reason, self.message))
        return written(root)

    def as_sarif(self) -> str:
        """Return a log whose one run did not succeed."""
        told = notification(self.reason, self.message)
        driver = {"name": "dropaudit", "version": version("dropaudit"), "informationUri": INFORMATION}
        run = {
            "tool": {"driver": driver},
            "invocations": [{"executionSuccessful": False, "toolExecutionNotifications": [told]}],
            "results": [],
        }
        return log(run)

    def as_markdown(self) -> str:
        """Return a heading and the sentence."""
        return f"## dropaudit: no audit was made\n\n{code(self.reason)} {plain(self.message)}\n"

    def as_html(self) -> str:
        """Return a page with the sentence."""
        from dropaudit_formats.html import error_page

        return error_page(self.reason, self.message)
