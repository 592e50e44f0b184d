"""Composition root of the `dropaudit` command: environment, errors, exit status."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from itertools import pairwise

import typer
from typer.exceptions import TyperException

from dropaudit.errors import AuditError
from dropaudit_client.cli.app import app
from dropaudit_client.errors import ServiceError
from dropaudit_client.terminal.outcome import Exit, print_error


def main() -> None:
    """Run the command with this process's arguments and environment, and exit with its status."""
    # Names come from models: what the locale cannot print must not end the command.
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run the command and return its exit status. No exception leaves but what the interpreter itself raises."""
    try:
        return _run(arguments)
    except (typer.Exit, KeyboardInterrupt) as leaving:  # raised while an error was being printed
        return getattr(leaving, "exit_code", Exit.INTERRUPTED)


def _run(arguments: Sequence[str]) -> int:
    as_json = wants_json(arguments)
    command = typer.main.get_command(app)
    try:
        status = command.main(list(arguments), "dropaudit", standalone_mode=False, obj=dict(os.environ))
    except (AuditError, ServiceError) as error:
        print_error(error.reason, error.message, as_json=as_json)
    except TyperException as error:
        # Empty when typer has printed the help instead.
        if message := error.format_message():
            print_error("INVALID_ARGUMENT", message, as_json=as_json)
    except typer.Abort:
        return Exit.INTERRUPTED
    except Exception as error:
        print_error("INTERNAL", f"unexpected {type(error).__name__}: {error}; please report this", as_json=as_json)
    else:
        return int(status or 0)
    return Exit.NOT_MADE


def wants_json(arguments: Sequence[str]) -> bool:
    """Whether errors are to be JSON. Read off the raw arguments, since usage errors come before options are parsed."""
    given = list(arguments)
    return "--format=json" in given or ("--format", "json") in pairwise(given)


if __name__ == "__main__":
    main()
