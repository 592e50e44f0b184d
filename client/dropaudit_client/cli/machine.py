"""Commands that run the whole service on this machine: up, demo."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Data = Annotated[
    Path | None, typer.Option("--data", metavar="DIR", help="Keep everything there; a temporary folder if absent.")
]


def up(
    context: typer.Context,
    data: Data = None,
    port: Annotated[int, typer.Option("--port", metavar="N", min=0, max=65535, help="0 takes a free one.")] = 50051,
    web: Annotated[bool, typer.Option("--web", help="Serve the dashboard too, for browsers on this machine.")] = False,
) -> None:
    """Start the whole service on this machine, and stop it on Ctrl-C."""
    from dropaudit_client.local.up import run_until_stopped

    run_until_stopped(context.obj, data, port, web=web)


def demo(context: typer.Context) -> None:
    """Audit three subjects through the whole service: the seed case, a healthy twin and a faulty one."""
    from dropaudit_client.local.demo import run_demo

    raise typer.Exit(run_demo(context.obj))
