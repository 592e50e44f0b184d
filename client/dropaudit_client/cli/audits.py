"""Commands about the audits that a service has: list, cancel, delete."""

from __future__ import annotations

from itertools import islice
from typing import Annotated

import typer

from dropaudit_client.cli import options
from dropaudit_client.cli.rows import cell, plain, write_rows
from dropaudit_client.cli.runs import is_run, suite_name, write_runs
from dropaudit_client.terminal.outcome import PlainFormat, write_document, write_text

_COLUMNS = ("name", "display_name", "state", "verdict", "create_time", "labels")


def list_audits(
    context: typer.Context,
    suite: Annotated[
        str, typer.Argument(metavar="SUITE", help="List the runs of this suite, suites/…, instead of audits.")
    ] = "",
    filter: Annotated[
        str,
        typer.Option("--filter", metavar="FILTER", help="Such as 'verdict = FAIL AND display_name = lstm.onnx'."),
    ] = "",
    limit: Annotated[int, typer.Option("--limit", metavar="N", min=1, help="Most audits to list.")] = 50,
    oldest: Annotated[bool, typer.Option("--oldest-first", help="Begin with the oldest.")] = False,
    form: options.PlainFormatOption = PlainFormat.TEXT,
    address: options.Address = options.DEFAULT_SERVICE,
) -> None:
    """List a service's audits, newest first: name, model, state, verdict, time and labels; or the runs of a suite."""
    with options.connected(context, address) as client:
        if suite:
            write_runs(client.list_runs(suite_name(suite))[:limit], form)
            return
        found = list(islice(client.list_audits(filter, newest_first=not oldest), limit))
    write_rows("audits", _COLUMNS, found, form)


def cancel(
    context: typer.Context,
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="Name of an audit, audits/…, or of a run, suites/…/runs/….")
    ],
    form: options.PlainFormatOption = PlainFormat.TEXT,
    address: options.Address = options.DEFAULT_SERVICE,
) -> None:
    """Cancel an audit or a run: at once while it waits, soon when it is made. What is finished stays as it is."""
    with options.connected(context, address) as client:
        if is_run(name):
            write_runs([client.cancel_run(name)], form)
            return
        audit = client.cancel_audit(name)
    if form is PlainFormat.JSON:
        write_document(plain(audit))
    else:
        write_text(f"{name}  {cell(audit.state)}\n")


def delete(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of an audit, audits/…, or of a model, models/….")],
    address: options.Address = options.DEFAULT_SERVICE,
) -> None:
    """Delete a finished audit, or a model that nothing uses any more."""
    with options.connected(context, address) as client:
        if name.startswith("models/"):
            client.delete_model(name)
        else:
            client.delete_audit(name)
