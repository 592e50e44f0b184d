"""Progress on stderr, and only where somebody looks."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from dropaudit.plan import OnProgress, Progress
from dropaudit_client.formats.escape import safe

_WORDS = {"PREPARING": "preparing", "SAMPLING": "drawing replicates", "JUDGING": "judging"}


@contextmanager
def shown_progress(title: str) -> Iterator[OnProgress]:
    """Yield a callback that shows progress while inside; it does nothing when stderr is not a terminal."""
    if not sys.stderr.isatty():
        yield _ignore
        return
    # Imported here: nobody pays for rich's progress who does not see it.
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import BarColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=20),
        TextColumn("{task.fields[facts]}"),
        TimeElapsedColumn(),
    )
    with Bar(*columns, console=Console(file=sys.stderr), transient=True) as bar:
        name = escape(safe(title))
        task = bar.add_task(name, total=None, facts="")

        def update(progress: Progress) -> None:
            bar.update(
                task,
                description=f"{name}: {_WORDS[progress.phase]}",
                completed=progress.decided_tests,
                total=progress.total_tests or None,
                facts=progress_facts(progress),
            )

        yield update


def progress_facts(progress: Progress) -> str:
    """Return the numbers of a progress in words."""
    return (
        f"{progress.replicates}/{progress.max_replicates} replicates, "
        f"{progress.decided_tests}/{progress.total_tests} tests decided"
    )


def _ignore(_: Progress) -> None:
    pass
