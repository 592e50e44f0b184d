"""Commands about the models that a service stores: models upload, list, show, alias, history and rm."""

from __future__ import annotations

import sys
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer

from dropaudit.errors import InvalidArgument
from dropaudit_client.cli import options
from dropaudit_client.cli.rows import cell, plain, table, write_rows
from dropaudit_client.cli.runs import suite_name
from dropaudit_client.naming.references import read_reference
from dropaudit_client.terminal.outcome import PlainFormat, write_document, write_text

Name = Annotated[str, typer.Argument(metavar="NAME", help="Name of a stored model, such as lstm.onnx.")]
_VERSION_COLUMNS = ("version", "aliases", "size_bytes", "create_time", "uploader", "model")
_LIST_COLUMNS = ("name", "version", "versions", "aliases", "size_bytes", "create_time", "model")


def upload_model(
    context: typer.Context,
    files: Annotated[list[Path], typer.Argument(metavar="FILE", help="ONNX files.")],
    name: Annotated[
        str, typer.Option("--name", metavar="NAME", help="What the model is called; by default as its file.")
    ] = "",
    alias: Annotated[
        list[str] | None, typer.Option("--alias", metavar="ALIAS", help="Alias for this version; may be repeated.")
    ] = None,
    form: options.PlainFormatOption = PlainFormat.TEXT,
    address: options.Address = options.DEFAULT_SERVICE,
) -> None:
    """Store models under their names: each becomes the newest version of its name."""
    if name and len(files) > 1:
        raise InvalidArgument("--name is for one file; several are called as they are", field="name")
    with options.connected(context, address) as client:
        made = []
        for file in files:
            version = client.upload_model(file, display_name=name).version
            if version is None:
                raise InvalidArgument("the service is too old to keep names of models; upgrade it")
            for each in alias or []:
                version = client.set_model_alias(version.display_name, each, version.version)
            made.append(version)
    write_rows("versions", ("display_name", *_VERSION_COLUMNS), made, form)


def list_models(
    context: typer.Context,
    pattern: Annotated[str, typer.Argument(metavar="PATTERN", help="Such as 'lstm-*'; all without one.")] = "",
    form: options.PlainFormatOption = PlainFormat.TEXT,
    address: options.Address = options.DEFAULT_SERVICE,
) -> None:
    """List the models that a service stores by name, each with its newest version and its aliases."""
    with options.connected(context, address) as client:
        found = list(client.list_model_names(pattern))
    if form is PlainFormat.JSON:
        write_document({"models": [plain(each) for each in found]})
        return
    rows = []
    for each in found:
        newest, aliases = each.newest, {alias: number for alias, number in each.aliases.items()}
        facts = (newest.version, each.version_count, aliases, newest.size_bytes, newest.create_time, newest.model)
        rows.append(tuple(map(cell, (each.display_name, *facts))))
    write_text(table(_LIST_COLUMNS, rows))


def show_model(
    context: typer.Context,
    name: Name,
    form: options.PlainFormatOption = PlainFormat.TEXT,
    address: options.Address = options.DEFAULT_SERVICE,
) -> None:
    """List the versions of a model, newest first, each with the aliases that stand for it."""
    with options.connected(context, address) as client:
        write_rows("versions", _VERSION_COLUMNS, list(client.list_model_versions(name)), form)


def alias_model(
    context: typer.Context,
    name: Annotated[
        str,
        typer.Argument(metavar="NAME", help="Name of a stored model: lstm.onnx, lstm.onnx:3 or lstm.onnx@candidate."),
    ],
    alias: Annotated[str, typer.Argument(metavar="ALIAS", help="Such as production.")],
    delete: Annotated[bool, typer.Option("--delete", help="Take the alias away instead.")] = False,
    form: options.PlainFormatOption = PlainFormat.TEXT,
    address: options.Address = options.DEFAULT_SERVICE,
) -> None:
    """Let an alias stand for a version of a model, the newest by default, whatever it stood for before."""
    wanted = read_reference(name)
    with options.connected(context, address) as client:
        if delete:
            client.delete_model_alias(wanted.name, alias)
            return
        number = wanted.version
        if wanted.alias:
            aliases = client.get_model_name(wanted.name).aliases
            if wanted.alias not in aliases:
                raise InvalidArgument(f"{wanted.name} has no alias {wanted.alias!r}", field="name")
            number = aliases[wanted.alias]
        made = client.set_model_alias(wanted.name, alias, number)
    write_rows("versions", ("display_name", *_VERSION_COLUMNS), [made], form)


def rm_model(
    context: typer.Context,
    names: Annotated[list[str], typer.Argument(metavar="NAME", help="Names of stored models, or models/….")],
    address: options.Address = options.DEFAULT_SERVICE,
) -> None:
    """Delete models with all their versions, unless an unfinished audit or a suite uses them."""
    with options.connected(context, address) as client:
        for name in names:
            if name.startswith("models/"):
                client.delete_model(name)
            else:
                client.delete_model_name(name)
            print(f"deleted {name}", file=sys.stderr)


def history_model(
    context: typer.Context,
    name: Name,
    suite: Annotated[str, typer.Option("--suite", metavar="NAME", help="Only audits of this suite's runs.")] = "",
    subject: Annotated[str, typer.Option("--subject", metavar="NAME", help="Only this site or output.")] = "",
    limit: Annotated[int, typer.Option("--limit", metavar="N", min=1, help="Most audits to show.")] = 20,
    form: options.PlainFormatOption = PlainFormat.TEXT,
    address: options.Address = options.DEFAULT_SERVICE,
) -> None:
    """Show what the audits of a model measured, newest first: a series over its versions and over runs."""
    chosen = suite_name(suite) if suite else ""
    with options.connected(context, address) as client:
        points = list(islice(client.model_history(name, suite=chosen, subject=subject), limit))
    if form is PlainFormat.JSON:
        write_document({"points": [plain(each) for each in points]})
        return
    rows = [
        tuple(map(cell, (each.version or None, each.end_time, each.verdict, at.subject, at.quantity, str(at.interval))))
        for each in points
        for at in each.measurements
    ]
    write_text(table(("version", "time", "verdict", "subject", "quantity", "interval"), rows))


COMMANDS: tuple[Callable[..., None], ...] = (
    upload_model,
    list_models,
    show_model,
    alias_model,
    history_model,
    rm_model,
)
