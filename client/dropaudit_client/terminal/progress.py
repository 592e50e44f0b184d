"""Progress on stderr, and only where somebody looks."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from dropaudit.plan import OnProgress, Progress
from dropaudit_formats.escape import safe


@contextmanager
def shown_progress(title: str) -> Iterator[OnProgress]:
    """Yield a callback that shows progress while inside; it does nothing when stderr is not a terminal."""
    if not sys.stderr.isatty():
        yield _ignore
        return
    # Imported here: nobody pays for rich's live display who does not see it.
    from rich.console import Console
    from rich.live import Live

    from dropaudit_client.terminal.running import Running

    running = Running(title, time.monotonic)
    with Live(running, console=Console(file=sys.stderr), transient=True, refresh_per_second=8):
        yield running.take


@contextmanager
def shown_count(total: int) -> Iterator[Callable[[str], None]]:
    """Yield a callback that counts what is done, by name; it does nothing when stderr is not a terminal."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    columns = (MofNCompleteColumn(), BarColumn(bar_width=20), TimeElapsedColumn(), TextColumn("{task.description}"))
    with Bar(*columns, console=Console(file=sys.stderr), transient=True) as bar:
        task = bar.add_task("audits", total=total)
        yield lambda name: bar.update(task, advance=1, description=escape(safe(name)))


@contextmanager
def shown_run(title: str) -> Iterator[Callable[[int, int], None]]:
    """Yield a callback that shows how many of how many are done; nothing if stderr is not a terminal."""
    if not sys.stderr.isatty():
        yield lambda _done, _total: None
        return
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn("{task.description}"), BarColumn(bar_width=20), MofNCompleteColumn(), TimeElapsedColumn())
    with Bar(*columns, console=Console(file=sys.stderr), transient=True) as bar:
        task = bar.add_task(escape(safe(title)), total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total or None)


def _ignore(_: Progress) -> None:
    pass
