"""The command's tree."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Annotated

import typer

from dropaudit_client.channel import Security
from dropaudit_client.cli import (
    audits,
    explain,
    local,
    machine,
    models,
    options,
    service,
    show,
    stored,
    suites,
    suites_files,
)

app = typer.Typer(
    name="dropaudit",
    help="Audits dropout: runs a model in train mode and in inference mode and says whether the scaling is right.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
COMMANDS: tuple[Callable[..., None], ...] = (
    local.compare,
    local.run,
    local.inspect,
    show.show,
    explain.explain,
    models.capture,
    machine.up,
    machine.demo,
    service.submit,
    service.watch,
    service.get,
    audits.list_audits,
    audits.cancel,
    audits.delete,
)
# Their errors have the formats of reports.
REPORTING = frozenset({"compare", "run", "show", "submit", "watch", "get", "report"})
for command in COMMANDS:
    app.command(command.__name__.removesuffix("_audits"))(command)
for command in stored.COMMANDS:
    models.models_app.command(command.__name__.removesuffix("_models").removesuffix("_model"))(command)
for command in (suites_files.apply, suites_files.export, suites_files.diff):
    suites.suites_app.command(command.__name__)(command)
app.add_typer(models.models_app, name="models")
app.add_typer(suites.suites_app, name="suites")


def branch(arguments: Sequence[str]) -> typer.Typer:
    """Return the tree with that command alone which the arguments begin with, or all of it where they begin otherwise.

    Typer reads the signature of every command that there is, which takes a tenth of a short audit.
    """
    named = copy.copy(app)
    named.registered_commands = [each for each in app.registered_commands if each.name in arguments[:1]]
    named.registered_groups = [each for each in app.registered_groups if each.name in arguments[:1]]
    return named if named.registered_commands or named.registered_groups else app


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        print(f"dropaudit {version('dropaudit')}")
        raise typer.Exit()


@app.callback()
def root(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_show_version, is_eager=True)
    ] = False,
    token: options.Token = "",
    tls: options.Tls = False,
    ca: options.Authorities = None,
    certificate: options.Certificate = None,
    key: options.Key = None,
) -> None:
    """Audits dropout: runs a model in train mode and in inference mode and says whether the scaling is right."""
    options.use_security(context, Security(token, tls, ca, certificate, key))
