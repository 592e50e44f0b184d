"""Rows that are a table on a wide terminal and blocks on a narrow one, without what no row has."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

import msgspec
from rich import box
from rich.console import Console, ConsoleOptions, RenderResult
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from dropaudit_formats.figures import UNKNOWN

Row = TypeVar("Row")
# From so many columns on there is room for a table.
WIDE = 76


class Column(msgspec.Struct, Generic[Row], frozen=True):
    """A column: its title, and what a row has there, in lines; nothing where it has nothing."""

    title: str
    lines: Callable[[Row], Sequence[str]]


class Rows(msgspec.Struct, Generic[Row], frozen=True):
    """Rows to print.

    Attributes:
        title: of the first column, or of all where there is no other.
        head: the first lines of a row: its name, and what is said of it, dimmed.
    """

    title: str
    head: Callable[[Row], Sequence[str]]
    columns: Sequence[Column[Row]]
    rows: Sequence[Row]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        columns = [column for column in self.columns if any(_told(column, row) for row in self.rows)]
        if options.max_width >= WIDE:
            yield self._table(columns)
        else:
            yield from self._blocks(columns)

    def _table(self, columns: Sequence[Column[Row]]) -> Table:
        table = Table(box=box.SIMPLE, show_edge=False, pad_edge=False, header_style="bold", padding=(0, 1, 0, 0))
        for title in (self.title, *(column.title for column in columns)):
            table.add_column(title, overflow="fold")
        for row in self.rows:
            table.add_row(self._head(row), *(Text(_told(column, row) or UNKNOWN) for column in columns))
        return table

    def _blocks(self, columns: Sequence[Column[Row]]) -> RenderResult:
        yield Text(self.title, style="bold")
        width = max((len(column.title) for column in columns), default=0)
        for row in self.rows:
            yield self._head(row)
            grid = Table.grid(padding=(0, 2, 0, 0))
            grid.add_column(min_width=width)
            grid.add_column(overflow="fold")
            for column in columns:
                if told := _told(column, row):
                    grid.add_row(Text(column.title, style="dim"), Text(told))
            yield Padding(grid, (0, 0, 0, 2))

    def _head(self, row: Row) -> Text:
        name, *more = self.head(row)
        return Text(name).append("".join(f"\n{line}" for line in more if line), style="dim")


def _told(column: Column[Row], row: Row) -> str:
    return "\n".join(line for line in column.lines(row) if line not in ("", UNKNOWN))
