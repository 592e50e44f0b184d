"""The one report of several files, on stdout or in a file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import NoReturn

import typer

from dropaudit_client.batch.results import Batch, status_of
from dropaudit_client.terminal.outcome import FailOn, Format, guarded, write_text
from dropaudit_formats.escape import json_text


def deliver_batch(batch: Batch, form: Format, output: Path | None, fail_on: FailOn) -> NoReturn:
    """Write one report of all files and leave with one status."""
    if form is Format.TEXT and output is None:
        from dropaudit_client.batch.table import render_batch
        from dropaudit_client.terminal.render import show

        guarded(lambda: show(render_batch(batch), sys.stdout))
    else:
        write_text(batch_text(batch, form), output)
    raise typer.Exit(status_of(batch.results, fail_on))


def batch_text(batch: Batch, form: Format) -> str:
    """Return one report of all files in a format. What each one needs is imported when it is asked for."""
    if form is Format.TEXT:
        from dropaudit_client.batch.table import render_batch
        from dropaudit_client.terminal.render import to_text

        return to_text(render_batch(batch))
    if form is Format.JSON:
        from dropaudit_client.batch.results import batch_document

        return json_text(batch_document(batch))
    from dropaudit_client.batch.results import run_report
    from dropaudit_formats.writing import Form, run_text

    return run_text(run_report(batch), Form(form.value))
