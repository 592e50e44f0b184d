"""Commands about suites as files, and about what changed between their runs: suites apply, export and diff."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dropaudit_client.cli import options
from dropaudit_client.terminal.outcome import PlainFormat, check_destination, guarded, write_document, write_text
from dropaudit_formats.escape import safe

if TYPE_CHECKING:
    from dropaudit_client.documents.applying import Application
    from dropaudit_client.documents.difference import Difference


def apply(
    context: typer.Context,
    file: Annotated[Path, typer.Option("--file", "-f", metavar="FILE", help="A suites.yaml.")],
    prune: Annotated[
        bool, typer.Option("--prune", help="Delete suites of this file's owner that it no longer has.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be done.")] = False,
    form: options.PlainFormatOption = PlainFormat.TEXT,
    address: options.Address = options.DEFAULT_SERVICE,
) -> None:
    """Make a service's suites those of a file. Everything is checked before anything is changed."""
    from dropaudit_client.documents.applying import prepare

    with options.connected(context, address) as client:
        application = prepare(file, client, context.obj, prune=prune)
        if not dry_run:
            application.apply()
    _tell(application, dry_run, form)


def export(
    context: typer.Context,
    owner: Annotated[
        str, typer.Option("--owner", metavar="NAME", help="Whose file it is; only suites of this owner, if there are.")
    ] = "suites-yaml",
    output: options.OutputFile = None,
    address: options.Address = options.DEFAULT_SERVICE,
) -> None:
    """Print the suites of a service as a suites.yaml: those of an owner, or all where it has none yet."""
    from dropaudit_client.documents.export import exported
    from dropaudit_client.documents.messages import OWNER_LABEL, normal_form

    check_destination(output)
    with options.connected(context, address) as client:
        found = {each.name.removeprefix("suites/"): normal_form(each) for each in client.stored_suites()}
    own = {suite_id: each for suite_id, each in found.items() if each.get("labels", {}).get(OWNER_LABEL) == owner}
    text, notes = exported(own or found, owner)
    for note in notes:
        print(f"dropaudit: {safe(note)}", file=sys.stderr)
    write_text(text, output)


def diff(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="RUN", help="The later run, suites/…/runs/….")],
    base: Annotated[str, typer.Argument(metavar="BASE", help="The earlier one; by default the one before it.")] = "",
    form: options.PlainFormatOption = PlainFormat.TEXT,
    address: options.Address = options.DEFAULT_SERVICE,
) -> None:
    """Show what changed from one run of a suite to another: findings, numbers, members, runtimes."""
    with options.connected(context, address) as client:
        comparison = client.compare_runs(name, base)
    if form is PlainFormat.JSON:
        from google.protobuf.json_format import MessageToDict

        write_document(MessageToDict(comparison))
        return
    from dropaudit_client.comparison.render import render_changes
    from dropaudit_client.terminal.render import show
    from dropaudit_formats.runs.wire import member_changes

    laid_out = render_changes(member_changes(comparison), comparison.shortened)
    guarded(lambda: show(laid_out, sys.stdout))


def _tell(application: Application, dry_run: bool, form: PlainFormat) -> None:
    if form is PlainFormat.JSON:
        write_document({"applied": not dry_run, "suites": [_plain(each) for each in application.changes]})
        return
    lines = [line for each in application.changes for line in _lines(each)]
    done = "would change" if dry_run else "changed"
    summary = "nothing changes" if application.changes_nothing else f"{_count(application.changes)} {done}"
    write_text("".join(f"{line}\n" for line in [*lines, f"{summary}."]))


def _count(changes: tuple[Difference, ...]) -> str:
    number = sum(each.action.value not in ("unchanged", "left") for each in changes)
    return "1 suite" if number == 1 else f"{number} suites"


def _lines(change: Difference) -> list[str]:
    left = "  (--prune deletes it)" if change.action.value == "left" else ""
    details = [f"    {each.path}: {_value(each.before)} -> {_value(each.after)}" for each in change.details]
    return [f"{change.action:9}  suites/{change.suite_id}{left}", *map(safe, details)]


def _value(value: Any) -> str:
    return "-" if value is None else json.dumps(value, ensure_ascii=False)


def _plain(change: Difference) -> dict[str, Any]:
    details = [{"path": each.path, "before": each.before, "after": each.after} for each in change.details]
    return {"suite": f"suites/{change.suite_id}", "action": change.action.value, "details": details}
