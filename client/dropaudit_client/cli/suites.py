"""Commands about a service's suites."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from dropaudit.errors import InvalidArgument
from dropaudit.plan import Role
from dropaudit_client.cli import options
from dropaudit_client.cli.rows import cell, plain, table, write_rows
from dropaudit_client.cli.runs import Wanted, follow_run, is_run, last_run, plain_form, show_run, suite_name, write_runs
from dropaudit_client.cli.service import Label, read_labels
from dropaudit_client.terminal.outcome import FailOn, Format, PlainFormat, check_destination, write_document, write_text
from dropaudit_formats.escape import safe

if TYPE_CHECKING:
    from dropaudit_client.resources import Member

suites_app = typer.Typer(no_args_is_help=True, help="Lists of models that a service audits together, also by schedule.")
Name = Annotated[str, typer.Argument(metavar="NAME", help="Name of the suite, nightly or suites/nightly.")]
Links = Annotated[
    str,
    typer.Option("--links", metavar="URL", help="Address of the dashboard: a page links its reports there."),
]
_DELIVERY_COLUMNS = ("name", "state", "attempts", "trigger", "webhook_url", "last_error")
_COLUMNS = ("name", "cron", "time_zone", "paused", "next_time", "last_run", "display_name")


@suites_app.command("list")
def list_suites(
    context: typer.Context,
    form: options.PlainFormatOption = PlainFormat.TEXT,
    address: options.Address = options.DEFAULT_SERVICE,
) -> None:
    """List the suites: name, schedule, whether it is paused, when it runs next, its last run, and title."""
    with options.connected(context, address) as client:
        write_rows("suites", _COLUMNS, list(client.list_suites()), form)


@suites_app.command("create")
def create_suite(
    context: typer.Context,
    suite: Annotated[str, typer.Argument(metavar="ID", help="Lower-case letters, digits and hyphens.")],
    glob: Annotated[
        list[str] | None,
        typer.Option("--glob", metavar="PATTERN", help="Stored models by name, newest versions; may be repeated."),
    ] = None,
    model: Annotated[
        list[str] | None,
        typer.Option(
            "--model", metavar="NAME", help="lstm.onnx, lstm.onnx:3, lstm.onnx@production, models/… or a URI."
        ),
    ] = None,
    alias: Annotated[
        str, typer.Option("--alias", metavar="ALIAS", help="Of --glob, the versions that it stands for.")
    ] = "",
    files: Annotated[
        list[str] | None,
        typer.Option("--files", metavar="URI", help="Files by pattern, such as 's3://bucket/models/**/*.onnx'."),
    ] = None,
    pairs: Annotated[
        list[str] | None,
        typer.Option("--pairs", metavar="TRAIN,INFERENCE", help="Such as '{name}-train.onnx,{name}-inference.onnx'."),
    ] = None,
    triton: Annotated[
        list[str] | None, typer.Option("--triton", metavar="URI", help="A model repository, MODEL/N/model.onnx.")
    ] = None,
    mlflow: Annotated[
        list[str] | None, typer.Option("--mlflow", metavar="URI", help="Such as models:/lstm@champion.")
    ] = None,
    role: options.RoleOption = Role.AUTO,
    cron: Annotated[str | None, typer.Option("--cron", metavar="LINE", help="Five fields.")] = None,
    zone: Annotated[str, typer.Option("--time-zone", metavar="ZONE", help="Such as Europe/Berlin; else UTC.")] = "",
    notify: Annotated[
        list[str] | None, typer.Option("--notify", metavar="URL", help="Told of runs that changed; may be repeated.")
    ] = None,
    title: Annotated[str, typer.Option("--title", metavar="TEXT", help="Title to show to people.")] = "",
    label: Label = None,
    form: options.PlainFormatOption = PlainFormat.TEXT,
    address: options.Address = options.DEFAULT_SERVICE,
) -> None:
    """Create a suite: what its members stand for is found out when it runs. `suites preview` shows it."""
    from dropaudit_client.resources import Glob
    from dropaudit_client.runs.members import MlflowModel, TritonRepository, UriGlob
    from dropaudit_client.runs.resources import Receiver

    members: list[Member] = [Glob(pattern, role, alias) for pattern in glob or []]
    members += [_model(each, role) for each in model or []]
    members += [UriGlob(each, role) for each in files or []]
    members += [_pair(each) for each in pairs or []]
    members += [TritonRepository(each, role=role) for each in triton or []]
    members += [MlflowModel(each, role) for each in mlflow or []]
    with options.connected(context, address) as client:
        made = client.create_suite(
            suite,
            members,
            display_name=title,
            cron=cron,
            time_zone=zone,
            labels=read_labels(label or []),
            notifications=[Receiver(each) for each in notify or []],
        )
    write_rows("suites", _COLUMNS, [made], form)


def _model(text: str, role: Role) -> Member:
    """Return one model: stored under a name or by its content, or at a URI."""
    from dropaudit_client.naming.references import read_reference
    from dropaudit_client.resources import ArtifactRef, is_uri
    from dropaudit_client.runs.members import NamedModel

    if is_uri(text) or text.startswith("models/"):
        return ArtifactRef(text, role)
    found = read_reference(text)
    return NamedModel(found.name, found.alias, found.version, role)


def _pair(text: str) -> Member:
    from dropaudit_client.runs.members import PairPattern

    train, comma, inference = text.partition(",")
    if not comma:
        raise InvalidArgument(f"a pair of patterns is TRAIN,INFERENCE, not {text!r}", field="pairs")
    return PairPattern(train, inference)


@suites_app.command("update")
def update_suite(
    context: typer.Context,
    name: Name,
    cron: Annotated[
        str | None, typer.Option("--cron", metavar="LINE", help="Five fields, in UTC; empty takes it away.")
    ] = None,
    paused: Annotated[bool | None, typer.Option("--pause/--resume", help="Pause the schedule, or resume it.")] = None,
    title: Annotated[str | None, typer.Option("--title", metavar="TEXT", help="Title to show to people.")] = None,
    form: options.PlainFormatOption = PlainFormat.TEXT,
    address: options.Address = options.DEFAULT_SERVICE,
) -> None:
    """Change what is given."""
    with options.connected(context, address) as client:
        changed = client.update_suite(suite_name(name), display_name=title, cron=cron, paused=paused)
    write_rows("suites", _COLUMNS, [changed], form)


@suites_app.command("delete")
def delete_suite(context: typer.Context, name: Name, address: options.Address = options.DEFAULT_SERVICE) -> None:
    """Delete a suite, its schedule and its runs; finished audits stay until they expire."""
    with options.connected(context, address) as client:
        client.delete_suite(suite_name(name))


@suites_app.command("pause")
def pause_suite(
    context: typer.Context,
    name: Name,
    form: options.PlainFormatOption = PlainFormat.TEXT,
    address: options.Address = options.DEFAULT_SERVICE,
) -> None:
    """Pause a suite's schedule; what is due meanwhile is not made up for."""
    with options.connected(context, address) as client:
        write_rows("suites", _COLUMNS, [client.pause_suite(suite_name(name))], form)


@suites_app.command("resume")
def resume_suite(
    context: typer.Context,
    name: Name,
    form: options.PlainFormatOption = PlainFormat.TEXT,
    address: options.Address = options.DEFAULT_SERVICE,
) -> None:
    """Let a suite's schedule go on, from now."""
    with options.connected(context, address) as client:
        write_rows("suites", _COLUMNS, [client.resume_suite(suite_name(name))], form)


@suites_app.command("preview")
def preview_suite(
    context: typer.Context,
    name: Name,
    form: options.PlainFormatOption = PlainFormat.TEXT,
    address: options.Address = options.DEFAULT_SERVICE,
) -> None:
    """Show what a suite would audit if it ran now."""
    from dropaudit_client.runs.resources import NO_FILES

    with options.connected(context, address) as client:
        found = client.preview_suite(suite_name(name))
    if form is PlainFormat.JSON:
        write_document(plain(found))
        return
    rows = [
        tuple(map(cell, (each.display_name, file.version or None, file.sha256, file.uri)))
        for each in found.members
        for file in each.files or NO_FILES
    ]
    notes = "".join(f"{safe(note)}\n" for note in found.notes)
    write_text(table(("member", "version", "sha256", "uri"), rows) + notes)


@suites_app.command("run")
def run_suite(
    context: typer.Context,
    name: Name,
    wait: Annotated[
        bool, typer.Option("--wait", help="Wait for its end, print what it found, and exit as its worst member.")
    ] = False,
    always: Annotated[
        bool, typer.Option("--always-audit", help="Do work again that was done already on the same content.")
    ] = False,
    form: options.FormatOption = Format.TEXT,
    output: options.OutputFile = None,
    links: Links = "",
    fail_on: options.FailOnOption = FailOn.FAIL,
    address: options.Address = options.DEFAULT_SERVICE,
) -> None:
    """Turn a suite into audits now, and print the run; with --wait its report, as `suites report` prints it."""
    check_destination(output)
    shown = None if wait else plain_form(form)
    with options.connected(context, address) as client:
        made = client.run_suite(suite_name(name), always_audit=always)
        if shown is not None:
            write_runs([made], shown)
            return
        print(made.name, file=sys.stderr)
        follow_run(client, made.name, Wanted(form, output, fail_on, links=links))


@suites_app.command("report")
def report_run(
    context: typer.Context,
    run: Annotated[str, typer.Argument(metavar="RUN", help="Name of the run, suites/…/runs/…, or of the suite.")],
    form: options.FormatOption = Format.TEXT,
    output: options.OutputFile = None,
    links: Links = "",
    fail_on: options.FailOnOption = FailOn.FAIL,
    address: options.Address = options.DEFAULT_SERVICE,
) -> None:
    """Tell a run, or the last one of a suite, in any format; it exits as the run's worst member."""
    check_destination(output)
    with options.connected(context, address) as client:
        name = run if is_run(run) else last_run(client, run)
        show_run(client, client.get_run(name), Wanted(form, output, fail_on, is_report=True, links=links))


@suites_app.command("runs")
def list_runs(
    context: typer.Context,
    name: Name,
    form: options.PlainFormatOption = PlainFormat.TEXT,
    address: options.Address = options.DEFAULT_SERVICE,
) -> None:
    """List the runs of a suite, newest first, and how they ended."""
    with options.connected(context, address) as client:
        write_runs(client.list_runs(suite_name(name)), form)


@suites_app.command("accept")
def accept_finding(
    context: typer.Context,
    name: Name,
    code: Annotated[str, typer.Argument(metavar="CODE", help="Such as DA301.")],
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why it is accepted.")],
    member: Annotated[str, typer.Option("--member", metavar="PATTERN", help="Only of these members.")] = "",
    subject: Annotated[str, typer.Option("--subject", metavar="PATTERN", help="Only of these sites or outputs.")] = "",
    by: Annotated[str, typer.Option("--by", metavar="WHO", help="Who accepts it.")] = "",
    until: Annotated[
        datetime | None, typer.Option("--until", formats=["%Y-%m-%d"], metavar="DAY", help="The last day, in UTC.")
    ] = None,
    form: options.PlainFormatOption = PlainFormat.TEXT,
    address: options.Address = options.DEFAULT_SERVICE,
) -> None:
    """Accept findings: from the next run on they stand in it, and no longer move its verdict."""
    from dropaudit.acceptance import end_of_day

    end = end_of_day(until.date(), UTC) if until else None
    with options.connected(context, address) as client:
        changed = client.accept_finding(
            suite_name(name), code, reason, member=member, subject=subject, accepted_by=by, until=end
        )
    write_rows("suites", _COLUMNS, [changed], form)


@suites_app.command("baseline")
def pin_baseline(
    context: typer.Context,
    name: Name,
    run: Annotated[str, typer.Argument(metavar="RUN", help="A run of the suite; none without one.")] = "",
    form: options.PlainFormatOption = PlainFormat.TEXT,
    address: options.Address = options.DEFAULT_SERVICE,
) -> None:
    """Pin the run that later ones are compared with, beside the one before; it is kept for as long."""
    with options.connected(context, address) as client:
        write_rows("suites", _COLUMNS, [client.pin_baseline(suite_name(name), run)], form)


@suites_app.command("deliveries")
def list_deliveries(
    context: typer.Context,
    name: Name,
    form: options.PlainFormatOption = PlainFormat.TEXT,
    address: options.Address = options.DEFAULT_SERVICE,
) -> None:
    """List the notifications of a suite's runs, newest first, and what became of them."""
    with options.connected(context, address) as client:
        write_rows("deliveries", _DELIVERY_COLUMNS, list(client.list_deliveries(suite_name(name))), form)


@suites_app.command("redeliver")
def redeliver(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the notification, suites/…/deliveries/….")],
    form: options.PlainFormatOption = PlainFormat.TEXT,
    address: options.Address = options.DEFAULT_SERVICE,
) -> None:
    """Send a notification again, whatever became of it."""
    with options.connected(context, address) as client:
        write_rows("deliveries", _DELIVERY_COLUMNS, [client.redeliver(name)], form)
