"""The command that says what a finding code means."""

from __future__ import annotations

import sys
import textwrap
from typing import TYPE_CHECKING, Annotated

import typer

from dropaudit_client.cli import options
from dropaudit_client.terminal.outcome import PlainFormat, check_destination, guarded, write_document, write_text

if TYPE_CHECKING:
    from dropaudit.explain import Explanation


def explain(
    code: Annotated[str | None, typer.Argument(metavar="CODE", help="Such as DA102; all are listed if absent.")] = None,
    form: options.PlainFormatOption = PlainFormat.TEXT,
    output: options.OutputFile = None,
) -> None:
    """Say what a finding means, why it happens, how to confirm it by hand and how to fix it."""
    # Imported here, as in `_list_all`: other commands start sooner without the texts.
    from dropaudit.explain import as_document
    from dropaudit.explain import explain as explanation_of

    check_destination(output)
    if code is None:
        _list_all(form, output)
        return
    found = explanation_of(code)
    if form is PlainFormat.JSON:
        write_document(as_document(found), output)
    elif output is None and sys.stdout.isatty():
        guarded(lambda: _show(found))
    else:
        write_text(found.markdown, output)


def _list_all(form: PlainFormat, output: options.OutputFile) -> None:
    from dropaudit.explain import as_document, explain_all

    every = explain_all()
    if form is PlainFormat.JSON:
        write_document({"explanations": [as_document(each) for each in every]}, output)
        return
    lines = (f"{each.code}  {each.severity:7}  {each.slug}\n{_indented(each.gist)}\n" for each in every)
    write_text("".join(lines), output)


def _show(found: Explanation) -> None:
    # Imported here: only a terminal needs them.
    from rich.console import Console
    from rich.markdown import Markdown

    Console(file=sys.stdout).print(Markdown(found.markdown))


def _indented(sentence: str) -> str:
    return textwrap.fill(sentence, 80, initial_indent=" " * 7, subsequent_indent=" " * 7)
