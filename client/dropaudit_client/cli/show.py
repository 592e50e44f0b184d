"""The command that tells a kept report in another format."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from dropaudit.errors import InvalidArgument, UnreadableFile
from dropaudit.report import Report, from_json
from dropaudit_client.cli import options
from dropaudit_client.errors import AuditNotMade
from dropaudit_client.terminal.outcome import FailOn, Format, check_destination, deliver


def show(
    report: Annotated[Path, typer.Argument(metavar="REPORT.json", help="What `--format json` has written.")],
    title: Annotated[str | None, typer.Option("--title", metavar="NAME", help="What the report is about.")] = None,
    form: options.FormatOption = Format.TEXT,
    output: options.OutputFile = None,
    fail_on: options.FailOnOption = FailOn.FAIL,
) -> None:
    """Tell a report that was kept as JSON, in any format; its verdict is the exit status again."""
    check_destination(output)
    deliver(read_report(report), form, output, fail_on, title=report.stem if title is None else title)


def read_report(path: Path) -> Report:
    """Read a report.

    Raises:
        UnreadableFile: the path cannot be read.
        InvalidArgument: it holds something else.
        AuditNotMade: it holds why there is none.
    """
    document = _document(path)
    match document:
        case {"error": {"reason": str(reason), "message": str(message)}}:
            raise AuditNotMade(reason, message, code="OK")
    try:
        return from_json(document)
    except msgspec.ValidationError as error:
        raise _other(path, error) from error


def _document(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes())
    except OSError as error:
        raise UnreadableFile(f"cannot read {path}: {error.strerror or error}", path=str(path)) from error
    except (ValueError, RecursionError) as error:
        raise _other(path, error) from error


def _other(path: Path, error: Exception) -> InvalidArgument:
    return InvalidArgument(f"{path} does not hold a report: {error}", path=str(path))
