"""Lists on stdout: aligned columns for people, JSON for programs."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import Enum
from typing import Any

import msgspec

from dropaudit.report import Report, to_json
from dropaudit_client.terminal.outcome import PlainFormat, write_document, write_text
from dropaudit_formats.escape import safe


def write_rows(title: str, columns: Sequence[str], resources: Iterable[Any], form: PlainFormat) -> None:
    """Print resources: their columns as text under a header, or all of them as JSON under a title. Of none, no text."""
    if form is PlainFormat.JSON:
        write_document({title: [plain(each) for each in resources]})
        return
    write_text(table(columns, [tuple(cell(getattr(each, column)) for column in columns) for each in resources]))


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return rows under a header of their columns' names; nothing where there is no row."""
    return aligned([tuple(column.upper().replace("_", " ") for column in columns), *rows]) if rows else ""


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """Return rows of cells as lines with aligned columns."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(each.ljust(width) for each, width in zip(row, widths, strict=True)).rstrip() for row in rows)
    return "".join(f"{line}\n" for line in lines)


def cell(value: object) -> str:
    """Return a value as one word or a few; nothing is a dash."""
    match value:
        case datetime():
            return value.isoformat(timespec="seconds").replace("+00:00", "Z")
        case Mapping():
            return safe(",".join(f"{key}={item}" for key, item in value.items())) or "-"
        case tuple() | list():
            return safe(",".join(map(str, value))) or "-"
        case None | "":
            return "-"
    return safe(str(value))


def plain(value: Any) -> Any:
    """Return a resource as JSON knows it: names in lowerCamelCase, absent fields left out."""
    match value:
        case Report():
            return to_json(value)
        case Enum() | bool() | int() | float() | str():
            return value.value if isinstance(value, Enum) else value
        case datetime():
            return value.isoformat().replace("+00:00", "Z")
        case Mapping():
            return {str(key): plain(item) for key, item in value.items()}
        case list() | tuple():
            return [plain(item) for item in value]
        case msgspec.Struct():
            return to_json(value)
    fields = ((field.name, getattr(value, field.name)) for field in dataclasses.fields(value))
    return {_camel(name): plain(item) for name, item in fields if item is not None}


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)
