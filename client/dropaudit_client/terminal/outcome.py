"""Output of the command: the report on stdout or in a file, errors, and the exit status."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import IntEnum, StrEnum
from pathlib import Path
from typing import Any, NoReturn, TextIO

import typer

from dropaudit.errors import UnreadableFile
from dropaudit.report import Report, Verdict
from dropaudit_formats.escape import json_text, safe


class Format(StrEnum):
    """How a report is printed."""

    TEXT = "text"
    JSON = "json"
    HTML = "html"
    JUNIT = "junit"
    SARIF = "sarif"
    MARKDOWN = "markdown"


class PlainFormat(StrEnum):
    """The format of output other than reports."""

    TEXT = "text"
    JSON = "json"


class FailOn(StrEnum):
    """The mildest verdict that makes the exit status 1."""

    FAIL = "fail"
    WARN = "warn"


class Exit(IntEnum):
    """Exit statuses; the last two are what a shell gives SIGINT and SIGPIPE."""

    OK = 0
    FAIL = 1
    NOT_MADE = 2
    INCONCLUSIVE = 3
    INTERRUPTED = 130
    READER_GONE = 141


# An audit that could not be made says nothing of its subject, so it comes first: nobody may take 1 for a full answer.
GRAVEST_FIRST = (Exit.NOT_MADE, Exit.FAIL, Exit.INCONCLUSIVE, Exit.OK)


def exit_status(verdict: Verdict, fail_on: FailOn = FailOn.FAIL) -> Exit:
    """Return the exit status that tells a verdict."""
    if verdict is Verdict.INCONCLUSIVE:
        return Exit.INCONCLUSIVE
    failing = {Verdict.FAIL, Verdict.WARN} if fail_on is FailOn.WARN else {Verdict.FAIL}
    return Exit.FAIL if verdict in failing else Exit.OK


def gravest_of(statuses: Iterable[Exit]) -> Exit:
    """Return the one exit status of several audits; of none, OK."""
    found = set(statuses)
    return next((status for status in GRAVEST_FIRST if status in found), Exit.OK)


def check_destination(output: Path | None) -> None:
    """Refuse before any work what could not be delivered after it.

    Raises:
        UnreadableFile: the output file's folder is not there, or the path is a folder.
    """
    if output is not None and output.is_dir():
        raise UnreadableFile(f"cannot write {output}: it is a directory", path=str(output))
    if output is not None and not output.parent.is_dir():
        raise UnreadableFile(f"cannot write {output}: there is no directory {output.parent}", path=str(output))


def deliver(report: Report, form: Format, output: Path | None, fail_on: FailOn, title: str = "") -> NoReturn:
    """Write the report and leave with the status of its verdict."""
    if form is Format.TEXT and output is None:
        _show(report, title)
    else:
        write_text(document_of(report, form, title), output)
    raise typer.Exit(exit_status(report.verdict, fail_on))


def document_of(report: Report, form: Format, title: str = "") -> str:
    """Return the report in a format. What each one needs is imported when it is asked for: JSON needs no rich."""
    if form is Format.TEXT:
        from dropaudit_client.terminal.render import render_report, to_text

        return to_text(render_report(report, title))
    from dropaudit_formats.writing import Form, report_text

    return report_text(report, Form(form.value), title)


def _show(report: Report, title: str) -> None:
    from dropaudit_client.terminal.render import render_report, show

    guarded(lambda: show(render_report(report, title), sys.stdout))


def write_document(document: Any, output: Path | None = None) -> None:
    """Write a JSON document to stdout or a file."""
    write_text(json_text(document), output)


def write_text(text: str, output: Path | None = None) -> None:
    """Write text to stdout or a file."""
    if output is None:
        guarded(lambda: sys.stdout.write(text))
    else:
        _write_file(output, text)


def guarded(write: Callable[[], object]) -> None:
    """Write to stdout; leave quietly when its reader has gone.

    Raises:
        UnreadableFile: stdout cannot take it, such as a full disk.
    """
    try:
        write()
        sys.stdout.flush()
    except BrokenPipeError:
        _silence(sys.stdout)
        raise typer.Exit(Exit.READER_GONE) from None
    except OSError as error:
        _silence(sys.stdout)
        raise UnreadableFile(f"cannot write to stdout: {error.strerror}") from error


def print_error(
    reason: str,
    message: str,
    form: Format = Format.TEXT,
    output: Path | None = None,
    problems: Sequence[Mapping[str, Any]] = (),
) -> None:
    """Say what went wrong: one sentence on stderr, and for machines a document in their format.

    The document goes where the report would have gone, else to stdout. JSON on stdout is all that there is.

    Args:
        reason: a stable word in capitals.
        message: a sentence; where there are problems, a line for each.
        form: format of the document.
        output: file that the report would have gone to.
        problems: all that is wrong with a document, where that is what went wrong.
    """
    if form is not Format.TEXT:
        document = _error_document(reason, message, form, problems)
        filed = output is not None and _is_filed(document, output)
        if not filed:
            guarded(lambda: sys.stdout.write(document))
        if form is Format.JSON and not filed:
            return
    for line in message.splitlines() if problems else [message]:
        print(f"dropaudit: {_one_line(line)}", file=sys.stderr)


def _error_document(reason: str, message: str, form: Format, problems: Sequence[Mapping[str, Any]]) -> str:
    from dropaudit_formats.not_made import ErrorDocument
    from dropaudit_formats.writing import Form, error_text

    return error_text(ErrorDocument(reason, message, problems), Form(form.value))


def _is_filed(document: str, output: Path) -> bool:
    """Write a document; whether that was possible."""
    try:
        output.write_text(document, encoding="utf-8")
    except OSError:
        return False
    return True


def _one_line(message: str) -> str:
    return safe(" ".join(message.split()))


def _write_file(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UnreadableFile(f"cannot write {path}: {error.strerror or error}", path=str(path)) from error


def _silence(stream: TextIO) -> None:
    """Point a broken stream at nothing, so that the interpreter's last flush does not complain."""
    with open(os.devnull, "w", encoding="utf-8") as nothing:
        os.dup2(nothing.fileno(), stream.fileno())
