"""The `dropaudit` command: errors and exit status."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path

import typer
from typer.exceptions import TyperException

from dropaudit.errors import AuditError
from dropaudit_client.cli.app import REPORTING, branch
from dropaudit_client.errors import ServiceError
from dropaudit_client.terminal.hints import with_hint
from dropaudit_client.terminal.outcome import Exit, Format, print_error


def run(arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run the command and return its exit status. No exception leaves but what the interpreter itself raises."""
    try:
        return _run(arguments, environment)
    except (typer.Exit, KeyboardInterrupt) as leaving:  # raised while an error was being printed
        return getattr(leaving, "exit_code", Exit.INTERRUPTED)


def _run(arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    form, output = wanted(arguments)
    command = typer.main.get_command(branch(arguments))
    try:
        status = command.main(list(arguments), "dropaudit", standalone_mode=False, obj=dict(environment))
    except (AuditError, ServiceError) as error:
        problems = getattr(error, "details", ())
        message = with_hint(error) if isinstance(error, AuditError) else error.message
        print_error(error.reason, message, form, output, problems)
    except TyperException as error:
        # Empty when typer has printed the help instead.
        if message := error.format_message():
            print_error("INVALID_ARGUMENT", message, form, output)
    except typer.Abort:
        return Exit.INTERRUPTED
    except Exception as error:
        print_error("INTERNAL", f"unexpected {type(error).__name__}: {error}; please report this", form, output)
    else:
        return int(status or 0)
    return Exit.NOT_MADE


def wanted(arguments: Sequence[str]) -> tuple[Format, Path | None]:
    """Return the format and the file that errors go to as well.

    Read off the raw arguments, since usage errors come before options are parsed. What makes no report has no format
    but JSON.
    """
    form = _given(arguments, "--format")
    output = _given(arguments, "--output") or _given(arguments, "-o")
    if form == Format.JSON:
        return Format.JSON, Path(output) if output else None
    if form not in tuple(Format) or not set(arguments) & REPORTING:
        return Format.TEXT, None
    return Format(form), Path(output) if output else None


def _given(arguments: Sequence[str], option: str) -> str:
    """Return the value of an option; the last one counts."""
    found = ""
    for argument, following in pairwise([*arguments, ""]):
        if argument == option:
            found = following
        elif argument.startswith(f"{option}="):
            found = argument.removeprefix(f"{option}=")
    return found
