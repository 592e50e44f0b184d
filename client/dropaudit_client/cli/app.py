"""The command's tree."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer

from dropaudit_client.cli import explain, local, machine, models, service

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
    explain.explain,
    models.capture,
    machine.up,
    machine.demo,
    service.submit,
    service.watch,
    service.get,
)
for command in COMMANDS:
    app.command()(command)
app.add_typer(models.models_app, name="models")


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        print(f"dropaudit {version('dropaudit')}")
        raise typer.Exit()


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_show_version, is_eager=True)
    ] = False,
) -> None:
    """Audits dropout: runs a model in train mode and in inference mode and says whether the scaling is right."""
