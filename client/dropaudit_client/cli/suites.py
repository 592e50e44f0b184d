"""Commands about a service's suites."""

from __future__ import annotations

from typing import Annotated

import typer

from dropaudit.plan import Role
from dropaudit_client.cli import options
from dropaudit_client.cli.rows import write_rows
from dropaudit_client.cli.service import Label, read_labels
from dropaudit_client.terminal.outcome import PlainFormat

suites_app = typer.Typer(no_args_is_help=True, help="Lists of models that a service audits together, also by schedule.")
Name = Annotated[str, typer.Argument(metavar="NAME", help="Name of the suite, suites/….")]
_COLUMNS = ("name", "cron", "paused", "display_name")
_RUN_COLUMNS = ("name", "state", "trigger", "verdict", "create_time")


@suites_app.command("list")
def list_suites(
    context: typer.Context,
    form: options.PlainFormatOption = PlainFormat.TEXT,
    address: options.Address = options.DEFAULT_SERVICE,
) -> None:
    """List the suites: name, schedule, whether it is paused, and title."""
    with options.connected(context, address) as client:
        write_rows("suites", _COLUMNS, list(client.list_suites()), form)


@suites_app.command("create")
def create_suite(
    context: typer.Context,
    suite: Annotated[str, typer.Argument(metavar="ID", help="Lower-case letters, digits and hyphens.")],
    glob: Annotated[
        list[str] | None, typer.Option("--glob", metavar="PATTERN", help="Models by file name; may be repeated.")
    ] = None,
    model: Annotated[
        list[str] | None, typer.Option("--model", metavar="NAME", help="models/…, or a URI; may be repeated.")
    ] = None,
    role: options.RoleOption = Role.AUTO,
    cron: Annotated[str | None, typer.Option("--cron", metavar="LINE", help="Five fields, in UTC.")] = None,
    title: Annotated[str, typer.Option("--title", metavar="TEXT", help="Title to show to people.")] = "",
    label: Label = None,
    form: options.PlainFormatOption = PlainFormat.TEXT,
    address: options.Address = options.DEFAULT_SERVICE,
) -> None:
    """Create a suite of the stored models that match when it runs, and of models by name or URI."""
    from dropaudit_client.resources import ArtifactRef, Glob, Member

    globs: list[Member] = [Glob(pattern, role) for pattern in glob or []]
    members, labels = globs + [ArtifactRef(name, role) for name in model or []], read_labels(label or [])
    with options.connected(context, address) as client:
        made = client.create_suite(suite, members, display_name=title, cron=cron, labels=labels)
    write_rows("suites", _COLUMNS, [made], form)


@suites_app.command("update")
def update_suite(
    context: typer.Context,
    name: Name,
    cron: Annotated[
        str | None, typer.Option("--cron", metavar="LINE", help="Five fields, in UTC; empty takes it away.")
    ] = None,
    paused: Annotated[bool | None, typer.Option("--pause/--resume", help="Whether the schedule rests.")] = None,
    title: Annotated[str | None, typer.Option("--title", metavar="TEXT", help="Title to show to people.")] = None,
    form: options.PlainFormatOption = PlainFormat.TEXT,
    address: options.Address = options.DEFAULT_SERVICE,
) -> None:
    """Change what is given."""
    with options.connected(context, address) as client:
        changed = client.update_suite(name, display_name=title, cron=cron, paused=paused)
    write_rows("suites", _COLUMNS, [changed], form)


@suites_app.command("delete")
def delete_suite(context: typer.Context, name: Name, address: options.Address = options.DEFAULT_SERVICE) -> None:
    """Delete a suite and its schedule; its audits stay until they expire."""
    with options.connected(context, address) as client:
        client.delete_suite(name)


@suites_app.command("run")
def run_suite(
    context: typer.Context,
    name: Name,
    form: options.PlainFormatOption = PlainFormat.TEXT,
    address: options.Address = options.DEFAULT_SERVICE,
) -> None:
    """Turn a suite into audits now, and print the run."""
    with options.connected(context, address) as client:
        write_rows("runs", _RUN_COLUMNS, [client.run_suite(name)], form)


@suites_app.command("runs")
def list_runs(
    context: typer.Context,
    name: Name,
    form: options.PlainFormatOption = PlainFormat.TEXT,
    address: options.Address = options.DEFAULT_SERVICE,
) -> None:
    """List the runs of a suite, newest first, and how they ended."""
    with options.connected(context, address) as client:
        write_rows("runs", _RUN_COLUMNS, client.list_runs(name), form)
